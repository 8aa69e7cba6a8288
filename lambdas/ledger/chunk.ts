/**
 * `chunks/<nnnnn>.json`: a chunk's invitees, its state and its outcomes so far.
 *
 * Strict, as all of the ledger: what an older version does not know it would drop when it writes the chunk again.
 */
import * as z from 'zod';
import type { Chunk } from '../core/chunk.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { chunkKey } from '../core/keys.ts';
import type { RowProgress } from '../core/rowProgress.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, type Stored, sealedJson } from './record.ts';
import { apiCallsSchema, countSchema, jobIdSchema, outcomeSchema, timeSchema } from './schemas.ts';

const rowSchema: z.ZodType<RowProgress> = z.strictObject({
  row: z.int().positive(),
  invitee: z.strictObject({
    email: z.string(),
    firstName: z.string().exactOptional(),
    lastName: z.string().exactOptional(),
    jobTitle: z.string().exactOptional(),
    roleId: z.string().exactOptional(),
    organizationId: z.string().exactOptional(),
  }),
  warning: z.string().exactOptional(),
  resendTo: z.string().exactOptional(),
  attempts: countSchema,
  doubt: z
    .strictObject({
      reason: z.enum(['no_answer', 'server_error', 'unreadable_answer', 'crash']),
      httpStatus: z.int().exactOptional(),
      detail: z.string(),
      mayBeOurs: z.boolean(),
      mayStillHappen: z.boolean(),
    })
    .exactOptional(),
  wasInDoubt: z.boolean().exactOptional(),
  lateEffectUntilMs: timeSchema.exactOptional(),
  mustLookUp: z.boolean().exactOptional(),
  lookedUpAtMs: timeSchema.exactOptional(),
  refusal: z.strictObject({ httpStatus: z.int(), message: z.string() }).exactOptional(),
  lastHttpStatus: z.int().exactOptional(),
  outcome: outcomeSchema.exactOptional(),
});

const chunkSchema: z.ZodType<Chunk> = z.strictObject({
  jobId: jobIdSchema,
  chunk: countSchema,
  token: z.string(),
  state: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('waiting') }),
    z.strictObject({
      kind: z.literal('running'),
      owner: z.string(),
      leaseEndsAtMs: timeSchema,
      outcomesAtClaim: countSchema,
    }),
    z.strictObject({ kind: z.literal('settled'), atMs: timeSchema }),
  ]),
  rows: z.array(rowSchema),
  snapshotAtMs: timeSchema,
  overlaps: z.boolean(),
  crashesWithoutProgress: countSchema,
  outage: z.strictObject({ sinceMs: timeSchema, pauses: countSchema, waitedMs: timeSchema }).exactOptional(),
  apiCalls: apiCallsSchema,
});

/** @throws BrokenInvariant also where what lies there is another chunk, or one of another job. */
export async function readChunk(store: ObjectStore, jobId: JobId, chunk: number): Promise<Stored<Chunk> | undefined> {
  const key = chunkKey(jobId, chunk);
  const stored = await readRecord(store, key, chunkSchema, sealedJson);
  if (stored === undefined || (stored.value.jobId === jobId && stored.value.chunk === chunk)) return stored;
  throw new BrokenInvariant(`${key} holds chunk ${stored.value.chunk} of a job ${stored.value.jobId}.`);
}

/**
 * Writes a new chunk, or finds the same one there.
 *
 * @throws BrokenInvariant where another chunk lies there: the upload was then cut differently before.
 */
export async function createChunk(store: ObjectStore, jobId: JobId, chunk: Chunk): Promise<void> {
  const result = await store.put(chunkKey(jobId, chunk.chunk), sealedJson.write(chunk), { kind: 'if_absent' });
  if (result.kind === 'written') return;
  const there = await readChunk(store, jobId, chunk.chunk);
  if (there !== undefined && inviteesOf(there.value) === inviteesOf(chunk)) return;
  throw new BrokenInvariant(
    `Chunk ${chunk.chunk} of job ${jobId} holds other rows than this version of the code would put there. ` +
      'Nobody has been invited by this job. Upload the file again to start a new one.',
  );
}

/**
 * Replaces the version of a chunk that has this entity tag.
 *
 * @param chunk With a token of its own, which tells whether it was we who changed it when the condition fails.
 * @returns The new entity tag, or undefined where another worker has changed the chunk.
 */
export async function replaceChunk(
  store: ObjectStore,
  jobId: JobId,
  chunk: Chunk,
  etag: string,
): Promise<string | undefined> {
  const result = await store.put(chunkKey(jobId, chunk.chunk), sealedJson.write(chunk), { kind: 'if_match', etag });
  if (result.kind === 'written') return result.etag;
  const there = await readChunk(store, jobId, chunk.chunk);
  return there?.value.token === chunk.token ? there.etag : undefined;
}

function inviteesOf({ rows }: Chunk): string {
  return JSON.stringify(rows.map(({ row, invitee, resendTo }) => [row, invitee, resendTo]));
}
