/**
 * Runs of one roster in the small world, at the times of its schedule.
 */
import type { JobId } from '../../lambdas/core/jobId.ts';
import { type ReportFile, reportKey } from '../../lambdas/core/keys.ts';
import { type RosterMessage, rosterMessage } from '../../lambdas/ledger/messages.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { jobIdsOf, runIngest, runReports, runWorkers } from './wholeJob.ts';
import type { World } from './world.ts';

export const hour = 3_600_000;
export const day = 24 * hour;
export const rosterUploadKey = 'incoming/rosters/acme.csv';

type Options = Partial<RosterMessage['roster']>;

/** The message of the schedule at this moment, as it comes. */
export function timeHasCome(world: World, changes: Options = {}): string {
  const scheduledAt = new Date(world.clock.now()).toISOString();
  return rosterMessage({ roster: { name: 'acme', key: rosterUploadKey, ...changes }, scheduledAt });
}

export function people(count: number, from = 0): string {
  return `email\n${Array.from({ length: count }, (_, index) => `p${index + from}@acme.example\n`).join('')}`;
}

/** What happens at the time of the roster: its run up to where no message is left. */
export async function night(world: World, changes: Options = {}): Promise<JobId> {
  await runIngest(world, timeHasCome(world, changes));
  await settleAll(world);
  const jobId = jobIdsOf(world).toSorted().at(-1);
  if (jobId === undefined) throw new Error('There is no job.');
  return jobId;
}

export async function settleAll(world: World): Promise<void> {
  await runWorkers(world);
  await runReports(world);
}

export function summaryOf(world: World, jobId: JobId): Summary {
  return JSON.parse(textOf(world, jobId, 'summary.json') ?? 'null');
}

export function driftOf(world: World, jobId: JobId): string[] {
  const text = textOf(world, jobId, 'drift.csv') ?? '';
  return text.trimEnd().split('\n').slice(1);
}

export function pageOf(world: World, jobId: JobId): string {
  return textOf(world, jobId, 'report.html') ?? '';
}

function textOf(world: World, jobId: JobId, file: ReportFile): string | undefined {
  return world.store.texts().get(reportKey(rosterUploadKey, jobId, file));
}

/** The message of the bucket when somebody has decided about a job. */
export function decided(objectKey: string): string {
  const object = { key: objectKey, eTag: 'abc' };
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object } }] });
}

export function callsOf(world: World, operation: string): string[] {
  return world.api.calls.filter((call) => call.startsWith(operation));
}
