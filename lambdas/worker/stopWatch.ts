/**
 * When a worker last saw that its job was not stopped: no call starts on the strength of an old look, so that a stop is
 * heeded in the promised time even while the bucket cannot be read.
 */
import type { JobId } from '../core/jobId.ts';
import { workerLimits } from '../core/limits.ts';
import { readStop, type Stop } from '../ledger/stop.ts';
import type { Clock, ObjectStore } from '../ports.ts';

export class StopWatch {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  #seenAtMs = Number.NEGATIVE_INFINITY;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async look(jobId: JobId): Promise<Stop | undefined> {
    const nowMs = this.#clock.now();
    const stop = await readStop(this.#store, jobId);
    this.#seenAtMs = nowMs;
    return stop;
  }

  /** Whether it is time for the next look; after one that failed, it is. */
  get isDue(): boolean {
    return this.#clock.now() - this.#seenAtMs >= workerLimits.saveEveryMs;
  }

  /** Whether the last look is recent enough for a call to start. */
  get isSeen(): boolean {
    return this.#clock.now() - this.#seenAtMs <= workerLimits.stopSeenMs;
  }
}
