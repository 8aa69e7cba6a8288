/**
 * Runs beside the calls of a chunk: saves the progress, which renews the lease, and sees when to stop.
 */

import type { Invocation } from '../consume.ts';
import { BrokenInvariant } from '../core/fault.ts';
import { workerLimits } from '../core/limits.ts';
import type { Clock, Log } from '../ports.ts';
import type { Halt } from './halt.ts';
import type { OtherJobs } from './otherJobs.ts';
import type { OwnedChunk } from './ownedChunk.ts';
import type { StopWatch } from './stopWatch.ts';

export interface LeaseKeeperParts {
  readonly chunk: OwnedChunk;
  readonly others: OtherJobs;
  readonly stopWatch: StopWatch;
  readonly clock: Clock;
  readonly log: Log;
  readonly invocation: Invocation;
  readonly halt: Halt;
  readonly callTimeoutMs: number;
}

/** Resolves when `until` is aborted and no write is under way; never rejects. */
export async function keepLease(parts: LeaseKeeperParts, until: AbortSignal): Promise<void> {
  const { clock, halt, invocation, stopWatch, callTimeoutMs } = parts;
  let savedAtMs = clock.now();
  while (!until.aborted) {
    await clock.sleep(workerLimits.tickMs, until);
    if (until.aborted) return;
    if (invocation.remainingMs() < callTimeoutMs + workerLimits.closingMs) halt.set({ kind: 'out_of_time' });
    if (stopWatch.isDue) await heedStop(parts);
    if (clock.now() - savedAtMs < workerLimits.saveEveryMs) continue;
    savedAtMs = clock.now();
    await heedOthers(parts);
    await save(parts);
  }
}

/** A save that fails is tried again when the next one is due; without one in time no call is started, because the lease ends. */
async function save({ chunk, halt, log }: LeaseKeeperParts): Promise<void> {
  try {
    if (!(await chunk.save())) halt.set({ kind: 'lost' });
  } catch (error) {
    log.error('chunk_not_saved', { jobId: chunk.jobId, chunk: chunk.chunk.chunk }, error);
    // Something else lies there now, and what is invited from now on could not be kept.
    if (error instanceof BrokenInvariant) halt.set({ kind: 'broken', error });
  }
}

/** Where the look fails, no call is started soon, because the last one is too old. */
async function heedOthers({ chunk, others, log }: LeaseKeeperParts): Promise<void> {
  try {
    if (await others.look(chunk.jobId, chunk.chunk)) chunk.noteOverlap();
  } catch (error) {
    log.error('others_not_seen', { jobId: chunk.jobId, chunk: chunk.chunk.chunk }, error);
  }
}

/** Where the look fails, it is repeated soon, and no call is started once the last one is too old. */
async function heedStop({ chunk, stopWatch, halt, log }: LeaseKeeperParts): Promise<void> {
  try {
    const stop = await stopWatch.look(chunk.jobId);
    if (stop !== undefined) halt.set({ kind: 'stopped', stop });
  } catch (error) {
    log.error('stop_not_read', { jobId: chunk.jobId, chunk: chunk.chunk.chunk }, error);
    // It is there and cannot be understood: whatever it says, the job is not to go on.
    if (error instanceof BrokenInvariant) halt.set({ kind: 'broken', error });
  }
}
