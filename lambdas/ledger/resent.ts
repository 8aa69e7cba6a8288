/**
 * `resent/<hash of the user>.json`: which job last sent a person's invitation again, and when. Written before it is sent.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { resentKey } from '../core/keys.ts';
import { rosterLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, sealedJson } from './record.ts';
import { jobIdSchema, timeSchema } from './schemas.ts';

const resentSchema = z.strictObject({ jobId: jobIdSchema, atMs: timeSchema });

type Resent = z.output<typeof resentSchema>;

export type ResendClaim =
  | { readonly kind: 'claimed'; readonly etag: string; readonly before: Resent | undefined }
  | { readonly kind: 'too_soon'; readonly lastAtMs: number };

/**
 * Notes that this job is about to send an invitation again; the job itself may repeat it. Too soon is where another job
 * has noted the same too short a time ago.
 */
export async function claimResend(
  store: ObjectStore,
  userId: string,
  jobId: JobId,
  nowMs: number,
): Promise<ResendClaim> {
  const key = resentKey(userId);
  const stored = await readRecord<Resent>(store, key, resentSchema, sealedJson);
  const last = stored?.value;
  if (last !== undefined && isTooSoon(last, jobId, nowMs)) return { kind: 'too_soon', lastAtMs: last.atMs };
  const note: Resent = { jobId, atMs: nowMs };
  const condition =
    stored === undefined ? ({ kind: 'if_absent' } as const) : ({ kind: 'if_match', etag: stored.etag } as const);
  const result = await store.put(key, sealedJson.write(note), condition);
  if (result.kind === 'written') return { kind: 'claimed', etag: result.etag, before: last };
  // Somebody was faster: this very job, before its answer came, or another one just now.
  const there = await readRecord<Resent>(store, key, resentSchema, sealedJson);
  if (there?.value.jobId === jobId) return { kind: 'claimed', etag: there.etag, before: last };
  return { kind: 'too_soon', lastAtMs: there?.value.atMs ?? nowMs };
}

/** Takes the note back where nothing was sent. Does nothing where it is no longer the one of the claim. */
export async function withdrawResend(
  store: ObjectStore,
  userId: string,
  jobId: JobId,
  { etag, before }: Extract<ResendClaim, { kind: 'claimed' }>,
): Promise<void> {
  const note: Resent = before ?? { jobId, atMs: 0 };
  await store.put(resentKey(userId), sealedJson.write(note), { kind: 'if_match', etag });
}

function isTooSoon(last: Resent, jobId: JobId, nowMs: number): boolean {
  return last.jobId !== jobId && nowMs - last.atMs < rosterLimits.resendEveryMs;
}
