/**
 * What a worker knows of other jobs that may invite the same people at the same time.
 */
import type { Chunk } from '../core/chunk.ts';
import type { JobId } from '../core/jobId.ts';
import { overlapLimits } from '../core/limits.ts';
import { othersBegun } from '../ledger/overlap.ts';
import type { Clock, ObjectStore } from '../ports.ts';

export class OtherJobs {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  #seenAtMs = Number.NEGATIVE_INFINITY;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether there are others. Once there were, there is no need to look again. */
  async look(jobId: JobId, { overlaps, snapshotAtMs }: Chunk): Promise<boolean> {
    if (overlaps) return true;
    const nowMs = this.#clock.now();
    const areThere = await othersBegun(this.#store, jobId, snapshotAtMs);
    this.#seenAtMs = nowMs;
    return areThere;
  }

  /** Whether the last look is recent enough for a call to start. */
  isSeen({ overlaps }: Pick<Chunk, 'overlaps'>): boolean {
    return overlaps || this.#clock.now() - this.#seenAtMs <= overlapLimits.seenMs;
  }
}
