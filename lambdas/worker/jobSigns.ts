/**
 * What this process has seen of each job that it works on, beyond one chunk: small ones have fewer rows than it takes to
 * conclude anything.
 */
import type { JobId } from '../core/jobId.ts';
import { selfStopLimits } from '../core/limits.ts';
import { type LastRows, withRow } from '../core/selfStop.ts';

interface Signs {
  readonly lastRows: LastRows;
  /** Answers 403 since the last other answer to an invitation. */
  readonly forbiddenInARow: number;
}

const none: Signs = { lastRows: [], forbiddenInARow: 0 };

export class JobSigns {
  readonly #jobs = new Map<JobId, Signs>();

  /** The last rows of the job that were settled here. */
  lastRows(jobId: JobId): LastRows {
    return this.#of(jobId).lastRows;
  }

  /** Gives the last rows of the job, with this one. */
  see(jobId: JobId, isRejected: boolean): LastRows {
    const signs = this.#of(jobId);
    const lastRows = withRow(signs.lastRows, isRejected);
    this.#set(jobId, { ...signs, lastRows });
    return lastRows;
  }

  /** Gives how often in a row the API has answered 403. */
  noteForbidden(jobId: JobId, isForbidden: boolean): number {
    const signs = this.#of(jobId);
    const forbiddenInARow = isForbidden ? signs.forbiddenInARow + 1 : 0;
    this.#set(jobId, { ...signs, forbiddenInARow });
    return forbiddenInARow;
  }

  #of(jobId: JobId): Signs {
    return this.#jobs.get(jobId) ?? none;
  }

  #set(jobId: JobId, signs: Signs): void {
    // The job that was seen last comes last, so the first one is the one to forget.
    this.#jobs.delete(jobId);
    this.#jobs.set(jobId, signs);
    const oldest = this.#jobs.keys().next().value;
    if (this.#jobs.size > selfStopLimits.jobsMax && oldest !== undefined) this.#jobs.delete(oldest);
  }
}
