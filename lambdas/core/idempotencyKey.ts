/**
 * The key by which the API knows a repetition of the same resending.
 */
import { createHash } from 'node:crypto';
import type { JobId } from './jobId.ts';

/** One job sends the invitation of one person again once, however often it tries. */
export function idempotencyKeyOf(jobId: JobId, userId: string): string {
  return createHash('sha256')
    .update(JSON.stringify([jobId, userId]))
    .digest('hex')
    .slice(0, 32);
}
