/**
 * A night in which nothing changes: the second run of a roster whose people are all users already. What the API and AWS are
 * asked for in it, and what that costs; docs/deploy.md has these figures.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sumRequests } from './awsRequests.ts';
import { countsFile, dataFolder, type LocalEnd, runLocal } from './command.ts';
import { type Figure, figure, megabytes, noTarget, seconds } from './figure.ts';
import { metricsIn } from './metricsIn.ts';
import {
  assumed,
  bytesKept,
  type Night,
  priceOfKept,
  priceOfMetrics,
  priceOfMonth,
  priceOfNight,
} from './nightPrice.ts';
import { type Observations, type ObservedSandbox, withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { inDollars } from './prices.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const peopleCount = 50_000;

export async function night(): Promise<Figure[]> {
  const emails = inventEmails('roster', peopleCount);
  return await withSandbox({ seed: emails }, (sandbox) =>
    withWorkspace((workspace) => runNights(workspace, emails, sandbox)),
  );
}

async function runNights(
  workspace: Workspace,
  emails: readonly string[],
  { url, observations }: ObservedSandbox,
): Promise<Figure[]> {
  const command = { name: 'reconcile', file: writePeople(workspace.folder, emails), apiUrl: url } as const;
  const first = await runLocal(workspace, command);
  const callsBefore = new Map(observations.calls);
  const logBytesBefore = statSync(logFile(workspace)).size;
  const unchanged = await runLocal(workspace, { ...command, isCounted: true });
  expectNobodyInvited(first, unchanged, observations);
  return [
    figure('wall time, first night', first.seconds, noTarget, seconds),
    ...figuresOfCalls(observations, callsBefore),
    ...figuresOfNight(readNight(workspace, logBytesBefore)),
    figure('wall time', unchanged.seconds, noTarget, seconds),
    figure('peak memory, whole local process', unchanged.peakMemoryBytes, noTarget, megabytes),
  ];
}

/** @throws Error where it was not a night in which nothing changes. */
function expectNobodyInvited(first: LocalEnd, second: LocalEnd, { postsAtMs, calls }: Observations): void {
  const others = [...calls.keys()].filter((call) => !call.startsWith('GET '));
  if (postsAtMs.length > 0 || others.length > 0)
    throw new Error(`Nobody was new, and the API was asked for more than reads: ${others.join(', ')}.`);
  for (const { summary } of [first, second]) {
    const { already_active: known = 0 } = summary.counts;
    if (known !== peopleCount)
      throw new Error(`A report calls ${known} of ${peopleCount} people users before; all of them are.`);
  }
}

function figuresOfCalls(
  { calls, postsAtMs, lookUpsAtMs }: Observations,
  before: ReadonlyMap<string, number>,
): Figure[] {
  return [
    ...[...calls].map(([call, count]) => figure(describeCall(call), count - (before.get(call) ?? 0), noTarget)),
    figure('API: look-ups of a person', lookUpsAtMs.length, { kind: 'exactly', value: 0 }),
    figure('API: POST, both nights', postsAtMs.length, { kind: 'exactly', value: 0 }),
  ];
}

/** On AWS there is no command that looks, before it begins, whether anything answers at the address. */
function describeCall(call: string): string {
  return call === 'GET /' ? `API: ${call} (by the command, not on AWS)` : `API: ${call}`;
}

function figuresOfNight(counted: Night): Figure[] {
  const { storedBytes, ingestSeconds, reportSeconds, ...requests } = counted;
  return [
    ...Object.entries(requests).map(([name, value]) => figure(name, value, noTarget)),
    figure('ingest, here', ingestSeconds, noTarget, seconds),
    figure('ingest, as it is priced', assumed.ingest.seconds, noTarget, seconds),
    figure('report, here', reportSeconds, noTarget, seconds),
    figure('report, as it is priced', assumed.report.seconds, noTarget, seconds),
    figure('stored: the file', storedBytes.incoming, noTarget, megabytes),
    figure('stored: records', storedBytes.jobs, noTarget, megabytes),
    figure('stored: reports', storedBytes.reports, noTarget, megabytes),
    figure('kept in the end', bytesKept(counted), noTarget, megabytes),
    figure('price of a night', priceOfNight(counted), noTarget, inDollars),
    figure('price of a night, metrics', priceOfMetrics(counted), noTarget, inDollars),
    figure('price of a month, what is kept', priceOfKept(counted), noTarget, inDollars),
    figure('price of a month', priceOfMonth(counted), noTarget, inDollars),
  ];
}

const countsSchema = z.object({
  sent: z.record(z.string(), z.number()),
  storedBytes: z.object({ incoming: z.number(), jobs: z.number(), reports: z.number() }),
  handledMs: z.object({ uploads: z.number(), reports: z.number() }),
});

function readNight(workspace: Workspace, logBytesBefore: number): Night {
  const { sent, storedBytes, handledMs } = countsSchema.parse(JSON.parse(readFileSync(countsFile(workspace), 'utf8')));
  const log = readFileSync(logFile(workspace)).subarray(logBytesBefore);
  const lines = log.toString().trimEnd().split('\n');
  return {
    ...sumRequests(sent),
    logBytes: log.length,
    metrics: new Set(lines.flatMap(metricsIn)).size,
    storedBytes,
    ingestSeconds: handledMs.uploads / 1000,
    reportSeconds: handledMs.reports / 1000,
  };
}

function logFile(workspace: Workspace): string {
  return join(dataFolder(workspace), 'bulk-invite.log');
}
