/**
 * How soon a job that another process works on is quiet after somebody has cancelled it, small or large. The figures are of one
 * run: a worker looks for a stop every few seconds, and the moment is not chosen.
 */
import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { parse } from 'csv-parse';
import { z } from 'zod';
import { openLocalStorage } from '../cli/local/localStorage.ts';
import { jobsPrefix } from '../lambdas/core/keys.ts';
import { dataFolder, endOfLocal, outputOf, reportFolder, startCancel, startLocal } from './command.ts';
import { type Figure, figure, megabytes, noTarget, seconds } from './figure.ts';
import { type Observations, type ObservedSandbox, withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const peopleCounts = [1000, 400_000] as const;
/** With ten calls at once, even the small job takes most of a minute. */
const latencyMs = 500;
/** Invitation calls after which the job is cancelled. */
const postsBeforeCancel = 100;
/** What `bulk-invite cancel` promises. */
const promisedSeconds = 10;

export async function cancel(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of peopleCounts) figures.push(...(await cancelOne(count)));
  return figures;
}

async function cancelOne(count: number): Promise<Figure[]> {
  let posts = 0;
  const reached = Promise.withResolvers<void>();
  const onPost = () => {
    posts += 1;
    if (posts === postsBeforeCancel) reached.resolve();
  };
  return await withSandbox({ faults: { latencyMs }, onPost }, (sandbox) =>
    withWorkspace((workspace) => cancelWhile(count, workspace, sandbox, reached.promise)),
  );
}

async function cancelWhile(
  count: number,
  workspace: Workspace,
  { url, observations }: ObservedSandbox,
  reached: Promise<void>,
): Promise<Figure[]> {
  const file = writePeople(workspace.folder, inventEmails('cancel', count));
  const child = startLocal(workspace, { file, apiUrl: url, options: ['--max-new', String(count)] });
  const working = endOfLocal(workspace, child);
  await Promise.race([reached, working]);
  const startedAtMs = performance.now();
  const exitCode = await runCancel(workspace, child);
  const exitedAtMs = performance.now();
  const { peakMemoryBytes, summary } = await working;
  const endedAtMs = performance.now();
  const stoppedAtMs = await readStopTime(workspace, summary.jobId);
  const since = (atMs: number) => (atMs - startedAtMs) / 1000;
  const lastCallAtMs = Math.max(...observations.callsAtMs);
  const named = (name: string) => `${count} rows: ${name}`;
  const promise = { kind: 'below', value: promisedSeconds } as const;
  return [
    figure(named('from the start of cancel to the stop'), since(stoppedAtMs), noTarget, seconds),
    figure(named('… to its exit'), since(exitedAtMs), noTarget, seconds),
    figure(named('exit code of cancel'), exitCode, { kind: 'exactly', value: 0 }),
    figure(named('… to the last call that was started'), since(lastCallAtMs), promise, seconds),
    figure(named('… to the end of the job'), since(endedAtMs), noTarget, seconds),
    ...figuresOfReport(named, count, await readResults(workspace), observations),
    figure(named('peak memory of the process that works'), peakMemoryBytes, noTarget, megabytes),
  ];
}

/**
 * @returns The exit code. One that is not 0 is a figure like the others: the other process may still heed what it was asked.
 * @throws Error where there was nothing to cancel any more, or the command hangs.
 */
async function runCancel(workspace: Workspace, worker: ChildProcess): Promise<number> {
  if (worker.exitCode !== null) throw new Error('The job ended before it was cancelled.');
  const child = startCancel(workspace);
  const [, errors] = await outputOf(child);
  if (child.exitCode === null) throw new Error(`“bulk-invite cancel” was killed by ${child.signalCode}:\n${errors}`);
  return child.exitCode;
}

/** @returns When the embedded S3 took `stop.json`, as a time of `performance.now()`. */
async function readStopTime(workspace: Workspace, jobId: string): Promise<number> {
  const { s3, bucket, close } = await openLocalStorage(dataFolder(workspace));
  try {
    const prefix = `${jobsPrefix}${jobId}/stop.json`;
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    const takenAt = Contents[0]?.LastModified;
    if (takenAt === undefined) throw new Error(`The cancelled job has no ${prefix}.`);
    return takenAt.getTime() - performance.timeOrigin;
  } finally {
    await close();
  }
}

interface Results {
  readonly rows: number;
  readonly invited: number;
  readonly notAttempted: number;
  readonly withoutOutcome: number;
}

const rowSchema = z.object({ invite_status: z.string() });

async function readResults(workspace: Workspace): Promise<Results> {
  const statuses = new Map<string, number>();
  let rows = 0;
  const records = createReadStream(join(reportFolder(workspace), 'results.csv')).pipe(
    parse({ bom: true, columns: true }),
  );
  for await (const record of records) {
    const { invite_status: status } = rowSchema.parse(record);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    rows += 1;
  }
  const of = (status: string) => statuses.get(status) ?? 0;
  return { rows, invited: of('invited'), notAttempted: of('not_attempted'), withoutOutcome: of('') };
}

function figuresOfReport(
  named: (name: string) => string,
  count: number,
  { rows, invited, notAttempted, withoutOutcome }: Results,
  { invitedByEmail }: Observations,
): Figure[] {
  return [
    figure(named('rows in results.csv'), rows, { kind: 'exactly', value: count }),
    figure(named('rows without an outcome'), withoutOutcome, { kind: 'exactly', value: 0 }),
    figure(named('rows invited, of those that the API has invited'), invited, {
      kind: 'exactly',
      value: invitedByEmail.size,
    }),
    figure(named('rows not attempted, of the others'), notAttempted, {
      kind: 'exactly',
      value: count - invitedByEmail.size,
    }),
  ];
}
