/**
 * Watches a job until its report is whole, or until the person wants no more of it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { reportKey } from '../../lambdas/core/keys.ts';
import { readSummary, type Summary } from '../../lambdas/ledger/summary.ts';
import { followLimits } from '../limits.ts';
import type { Attendance, JobRef, Place } from '../place/place.ts';
import type { Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';
import { describeProgress, type JobProgress, jobProgressReader } from './jobProgress.ts';

/**
 * @returns The summary; undefined where the signal was aborted first.
 * @throws UserError where the job cannot go on, or cannot be watched any more.
 */
export async function followJob(
  place: Place,
  job: JobRef,
  attendance: Attendance,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<Summary | undefined> {
  const ended = new AbortController();
  const running = attendance.run(job, AbortSignal.any([stop, ended.signal]));
  // Awaited below; until then a failure must not go unhandled.
  running.catch(() => ended.abort());
  try {
    await watch(place, job, attendance, terminal, AbortSignal.any([stop, ended.signal]));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} ${attendance.stopped(job)}`, { cause: error });
  } finally {
    ended.abort();
    await running;
  }
  const obstacle = attendance.obstacle(job);
  const summary = await readSummaryOf(place, job);
  if (summary === undefined && obstacle !== undefined && !stop.aborted) throw new UserError(obstacle);
  return summary;
}

export async function readSummaryOf({ store }: Place, { jobId, uploadKey }: JobRef): Promise<Summary | undefined> {
  return await readSummary(store, { jobId, source: { key: uploadKey } });
}

/** Ends when the report is whole, the job has met an obstacle, or the signal is aborted. */
async function watch(
  { store, lookEveryMs }: Place,
  job: JobRef,
  attendance: Attendance,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { jobId, uploadKey } = job;
  const sayProgress = progressSayer(jobProgressReader(store, jobId), terminal);
  const isTty = process.stderr.isTTY === true;
  const everyMs = isTty ? Math.max(lookEveryMs, followLimits.showEveryMs) : followLimits.sayEveryMs;
  const beganAtMs = Date.now();
  let saidAtMs = 0;
  while (Date.now() - beganAtMs < followLimits.followMs) {
    await wait(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    if ((await store.head(reportKey(uploadKey, jobId, 'summary.json'))) !== undefined) return;
    if (attendance.obstacle(job) !== undefined) return;
    if (Date.now() - saidAtMs < everyMs) continue;
    saidAtMs = Date.now();
    await sayProgress(saidAtMs - beganAtMs);
  }
  throw new UserError(`Job ${jobId} has not ended in two weeks. docs/operating.md tells where to look.`);
}

/** Says how far the job is, where it is not what was said before. */
function progressSayer(
  readProgress: () => Promise<JobProgress>,
  terminal: Terminal,
): (followedMs: number) => Promise<void> {
  let said = '';
  let settled = 0;
  let settledAtMs = 0;
  return async (followedMs) => {
    const progress = await readProgress();
    if (progress.settled > settled) settledAtMs = followedMs;
    settled = progress.settled;
    const line = describeProgress(progress, followedMs, followedMs - settledAtMs);
    if (line !== said) terminal.progress(line);
    said = line;
  };
}
