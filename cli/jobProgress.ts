/**
 * How far a job is, read from its objects in the bucket.
 */
import type { Chunk } from '../lambdas/core/chunk.ts';
import type { JobId } from '../lambdas/core/jobId.ts';
import { chunksPrefixOf, stopKey } from '../lambdas/core/keys.ts';
import { noCounts, type Status, statuses } from '../lambdas/core/outcome.ts';
import { readChunk } from '../lambdas/ledger/chunk.ts';
import { type Manifest, readManifest } from '../lambdas/ledger/manifest.ts';
import type { ObjectStore } from '../lambdas/ports.ts';

export interface JobProgress {
  /** Absent while the upload is being read. */
  readonly rows?: number;
  readonly settled: number;
  /** Of the rows that workers settled. */
  readonly counts: Readonly<Record<Status, number>>;
  /** Since when the API does not answer, where that is so. */
  readonly outageSinceMs?: number;
  readonly isStopped: boolean;
}

/** What is kept of a chunk between two looks: of a large job, all its rows would be too much. */
interface ChunkProgress {
  readonly etag: string;
  readonly counts: Readonly<Record<Status, number>>;
  readonly outageSinceMs: number | undefined;
}

/** Reads only what has changed since the last call. */
export function jobProgressReader(store: ObjectStore, jobId: JobId): () => Promise<JobProgress> {
  const seen = new Map<string, ChunkProgress>();
  let manifest: Manifest | undefined;
  return async () => {
    manifest ??= await readManifest(store, jobId);
    if (manifest === undefined) return { settled: 0, counts: noCounts(), isStopped: false };
    for await (const { key, etag } of store.list(chunksPrefixOf(jobId))) {
      if (seen.get(key)?.etag === etag) continue;
      const stored = await readChunk(store, jobId, chunkNumber(key));
      if (stored !== undefined) seen.set(key, progressOf(stored.value, stored.etag));
    }
    const isStopped = (await store.head(stopKey(jobId))) !== undefined;
    return summarize(manifest, [...seen.values()], isStopped);
  };
}

const reading = 'Reading the file and the directory …';
const slowReadingMs = 20_000;
const slowReading = 'The API answers late or not at all; it is asked again with growing pauses.';

/** For people: one line. */
export function describeProgress(
  { rows, settled, counts, outageSinceMs, isStopped }: JobProgress,
  sinceMs: number,
): string {
  if (rows === undefined) return sinceMs < slowReadingMs ? reading : `${reading} ${slowReading}`;
  const parts = statuses.filter((status) => counts[status] > 0).map((status) => `${counts[status]} ${status}`);
  const time = `${Math.round(sinceMs / 1000)} s`;
  const line = `${settled} of ${rows} rows settled${parts.length > 0 ? ` (${parts.join(', ')})` : ''} · ${time}`;
  if (isStopped) return `${line} · the job is stopping`;
  if (outageSinceMs === undefined) return line;
  const since = new Date(outageSinceMs).toLocaleTimeString();
  return `${line} · invitations have failed since ${since}; they are tried again with growing pauses`;
}

function progressOf({ rows, state, outage }: Chunk, etag: string): ChunkProgress {
  const counts = noCounts();
  for (const { outcome } of rows) if (outcome !== undefined) counts[outcome.status] += 1;
  return { etag, counts, outageSinceMs: state.kind === 'settled' ? undefined : outage?.sinceMs };
}

function summarize(manifest: Manifest, chunks: readonly ChunkProgress[], isStopped: boolean): JobProgress {
  const { rows = 0, invitees } = manifest;
  const counts = noCounts();
  for (const chunk of chunks) for (const status of statuses) counts[status] += chunk.counts[status];
  const byWorkers = statuses.reduce((sum, status) => sum + counts[status], 0);
  const outageSinceMs = chunks.find((chunk) => chunk.outageSinceMs !== undefined)?.outageSinceMs;
  return {
    rows,
    settled: rows - invitees + byWorkers,
    counts,
    isStopped,
    ...(outageSinceMs === undefined ? {} : { outageSinceMs }),
  };
}

function chunkNumber(key: string): number {
  return Number(/(\d+)\.json$/u.exec(key)?.[1]);
}
