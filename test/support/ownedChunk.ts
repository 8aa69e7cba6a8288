/**
 * A chunk in the small world, and a worker's hold on it.
 */
import { type Chunk, claim } from '../../lambdas/core/chunk.ts';
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import { createChunk, readChunk } from '../../lambdas/ledger/chunk.ts';
import { OwnedChunk } from '../../lambdas/worker/ownedChunk.ts';
import type { World } from './world.ts';

export const jobId = parseJobId('20260131T070500Z-0f3a9c51b2de') as JobId;

export function emailOf(row: number): string {
  return `person${row}@acme.example`;
}

/** Its rows are those from the second row of a file on. */
export function chunkOf(rowCount: number, changes: Partial<Chunk> = {}): Chunk {
  const rows = Array.from({ length: rowCount }, (_, index) => ({
    row: index + 2,
    invitee: { email: emailOf(index + 2) },
    attempts: 0,
  }));
  return {
    jobId,
    chunk: 0,
    token: 'new',
    state: { kind: 'waiting' },
    rows,
    snapshotAtMs: Date.UTC(2026, 0, 31, 7, 0),
    overlaps: false,
    crashesWithoutProgress: 0,
    apiCalls: {},
    ...changes,
  };
}

/** Stores the chunk and claims it. */
export async function own(world: World, chunk: Chunk, leaseMs = 45_000): Promise<OwnedChunk> {
  await createChunk(world.store, jobId, chunk);
  const stored = await readChunk(world.store, jobId, chunk.chunk);
  const claimed = claim(chunk, { owner: 'a', nowMs: world.clock.now(), leaseMs });
  if (stored === undefined || claimed.kind !== 'claimed') throw new Error('The chunk cannot be claimed.');
  const owned = await OwnedChunk.claim(jobId, claimed.chunk, stored.etag, leaseMs, world);
  if (owned === undefined) throw new Error('Another worker was faster.');
  return owned;
}
