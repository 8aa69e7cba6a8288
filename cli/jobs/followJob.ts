/**
 * Watches a job until its report is whole, or it is held, or the person wants no more of it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { reportKey } from '../../lambdas/core/keys.ts';
import { hasEnded, readSummary, type Summary } from '../../lambdas/ledger/summary.ts';
import { followLimits } from '../limits.ts';
import { brokenConnection } from '../networkErrors.ts';
import type { Attendance, JobRef, Place } from '../place/place.ts';
import type { Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';
import { isDecided } from './decision.ts';
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
  const show = shower(terminal);
  const sayWhatBecomesOfIt = (error: unknown): never => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} ${attendance.stopped(job)}`, { cause: error });
  };
  try {
    await watch(place, job, attendance, show, AbortSignal.any([stop, ended.signal])).catch(sayWhatBecomesOfIt);
  } finally {
    ended.abort();
    await running;
  }
  const obstacle = attendance.obstacle(job);
  const summary = await patiently(() => standingSummary(place, job), place, show, stop).catch(sayWhatBecomesOfIt);
  if (summary === undefined && obstacle !== undefined && !stop.aborted) throw new UserError(obstacle);
  return summary;
}

export async function readSummaryOf({ store }: Place, { jobId, uploadKey }: JobRef): Promise<Summary | undefined> {
  return await readSummary(store, { jobId, source: { key: uploadKey } });
}

/** The summary of a job that has ended, or is held and waits for somebody; undefined while there is more to come. */
export async function standingSummary(place: Place, job: JobRef): Promise<Summary | undefined> {
  const summary = await readSummaryOf(place, job);
  if (summary === undefined || hasEnded(summary)) return summary;
  return (await isDecided(place.store, job.jobId)) ? undefined : summary;
}

/** Ends when the report is whole or the job is held, the job has met an obstacle, or the signal is aborted. */
async function watch(
  place: Place,
  job: JobRef,
  attendance: Attendance,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  const { store, lookEveryMs, showEveryMs } = place;
  const { jobId, uploadKey } = job;
  const showProgress = progressShower(jobProgressReader(store, jobId), show);
  const everyMs = process.stderr.isTTY === true ? showEveryMs : followLimits.sayEveryMs;
  const beganAtMs = Date.now();
  let shownAtMs = 0;
  let seen: string | undefined;
  while (Date.now() - beganAtMs < followLimits.followMs) {
    await wait(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const look = () => store.head(reportKey(uploadKey, jobId, 'summary.json'));
    const summary = await patiently(look, place, show, signal);
    // That of a held job whose release is under way is replaced by another one.
    const isNew = summary !== undefined && summary.etag !== seen;
    if (isNew && (await patiently(() => standingSummary(place, job), place, show, signal)) !== undefined) return;
    if (signal.aborted) return;
    seen = summary?.etag;
    if (attendance.obstacle(job) !== undefined) return;
    if (Date.now() - shownAtMs < everyMs) continue;
    shownAtMs = Date.now();
    await patiently(() => showProgress(shownAtMs - beganAtMs), place, show, signal);
  }
  throw new UserError(`Job ${jobId} has not ended in two weeks. docs/operating.md tells where to look.`);
}

/** Shows a line, where it is not what was shown before. */
type Show = (line: string) => void;

function shower(terminal: Terminal): Show {
  let shown = '';
  return (line) => {
    if (line !== shown) terminal.progress(line);
    shown = line;
  };
}

/**
 * Looks again where the connection breaks: a laptop that has slept needs a while, and the job goes on meanwhile.
 *
 * @returns What was seen; undefined where the signal was aborted first.
 * @throws UserError where the connection breaks too often in a row.
 */
async function patiently<T>(
  look: () => Promise<T>,
  { name, lookEveryMs }: Place,
  show: Show,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (let broken = 1; ; broken += 1) {
    try {
      return await look();
    } catch (error) {
      const why = brokenConnection(error);
      if (why === undefined) throw error;
      if (broken >= followLimits.brokenLooksMax)
        throw new UserError(`The connection to ${name} broke ${broken} times in a row (${why}). Check the network.`, {
          cause: error,
        });
      show(`The connection broke (${why}); it is tried again …`);
    }
    await wait(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
  }
}

/** Shows how far the job is. */
function progressShower(readProgress: () => Promise<JobProgress>, show: Show): (followedMs: number) => Promise<void> {
  let settled = 0;
  let settledAtMs = 0;
  return async (followedMs) => {
    const progress = await readProgress();
    if (progress.settled > settled) settledAtMs = followedMs;
    settled = progress.settled;
    show(describeProgress(progress, followedMs, followedMs - settledAtMs));
  };
}
