/**
 * How far a job is, read from its objects in the bucket.
 */
import pLimit from 'p-limit';
import type { Chunk, ChunkState } from '../../lambdas/core/chunk.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { chunksPrefixOf, jobKey, manifestKey } from '../../lambdas/core/keys.ts';
import { noCounts, type Status, statuses } from '../../lambdas/core/outcome.ts';
import { readChunk } from '../../lambdas/ledger/chunk.ts';
import { type Manifest, readManifest } from '../../lambdas/ledger/manifest.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { followLimits, readingLimits } from '../limits.ts';
import { type SeenStop, seeStop } from './decision.ts';
import { countsInOneLine } from './describeCounts.ts';

export interface JobProgress extends RowsProgress {
  /** False while nobody has begun to read the upload. */
  readonly hasBegun: boolean;
  /** Absent while the upload is being read. */
  readonly manifest?: Manifest;
  readonly stop?: SeenStop;
}

export interface RowsProgress {
  readonly settled: number;
  /** Of the rows that workers settled. */
  readonly counts: Readonly<Record<Status, number>>;
  readonly chunks: Readonly<Record<ChunkState['kind'], number>>;
  /** Since when the API does not answer, where that is so. */
  readonly outageSinceMs?: number;
}

/** What is kept of a chunk between two looks: of a large job, all its rows would be too much. */
interface ChunkProgress {
  readonly etag: string;
  readonly state: ChunkState['kind'];
  readonly counts: Readonly<Record<Status, number>>;
  readonly outageSinceMs: number | undefined;
}

/** Reads only what has changed since the last call. */
export function jobProgressReader(store: ObjectStore, jobId: JobId): () => Promise<JobProgress> {
  const readChunks = chunksReader(store, jobId);
  let hasBegun = false;
  let manifest: Manifest | undefined;
  return async () => {
    hasBegun ||= (await store.head(jobKey(jobId))) !== undefined;
    if (hasBegun) manifest ??= await readManifest(store, jobId);
    const chunks = manifest === undefined ? undefined : await readChunks(manifest);
    const stop = await seeStop(store, jobId);
    return {
      hasBegun,
      ...(manifest === undefined ? {} : { manifest }),
      ...(chunks ?? { settled: 0, counts: noCounts(), chunks: noChunks() }),
      ...(stop === undefined ? {} : { stop }),
    };
  };
}

/**
 * Reads only the chunks that have changed since the last call. What was last written before the manifest was handed to nobody
 * yet, and need not be read: of a large job that is almost all, and to read it would take longer than to invite the first people.
 */
export function chunksReader(store: ObjectStore, jobId: JobId): (manifest: Manifest) => Promise<RowsProgress> {
  const limit = pLimit(readingLimits.objectsAtOnce);
  const seen = new Map<string, ChunkProgress>();
  let handedOutAtMs: number | undefined;
  return async (manifest) => {
    handedOutAtMs ??= (await store.head(manifestKey(jobId)))?.modifiedAtMs;
    await Promise.all((await changedChunks(handedOutAtMs)).map((key) => limit(() => look(key))));
    return summarize(manifest, [...seen.values()]);
  };

  async function changedChunks(sinceMs = Number.NEGATIVE_INFINITY): Promise<string[]> {
    const changed: string[] = [];
    for await (const { key, etag, modifiedAtMs } of store.list(chunksPrefixOf(jobId))) {
      if (seen.get(key)?.etag === etag) continue;
      if (modifiedAtMs < sinceMs) seen.set(key, notHandedOut(etag));
      else changed.push(key);
    }
    return changed;
  }

  async function look(key: string): Promise<void> {
    const stored = await readChunk(store, jobId, chunkNumber(key));
    if (stored !== undefined) seen.set(key, progressOf(stored.value, stored.etag));
  }
}

const waiting = 'Waiting for the job to begin …';
const slowBeginning = 'It should have begun by now; docs/operating.md tells where to look.';
const reading = 'Reading the file and the directory …';
const slowReading = 'The API answers late or not at all; it is asked again with growing pauses.';

/** For people: one line. @param sinceMs How long the job is watched. @param stillMs How long nothing has changed. */
export function describeProgress(progress: JobProgress, sinceMs: number, stillMs = 0): string {
  const { hasBegun, manifest, settled, outageSinceMs, stop } = progress;
  const isSlow = sinceMs >= followLimits.slowBeginningMs;
  if (manifest === undefined && stop !== undefined) return 'The job is stopping …';
  if (!hasBegun) return isSlow ? `${waiting} ${slowBeginning}` : waiting;
  if (manifest === undefined) return isSlow ? `${reading} ${slowReading}` : reading;
  const counts = countsInOneLine(progress.counts);
  const time = `${Math.round(sinceMs / 1000)} s`;
  const line = `${settled} of ${manifest.rows ?? 0} rows settled${counts === '' ? '' : ` (${counts})`} · ${time}`;
  if (stop !== undefined) return `${line} · the job is stopping`;
  if (outageSinceMs === undefined)
    return stillMs < followLimits.standstillMs ? line : `${line} · ${standstill(stillMs)}`;
  const since = new Date(outageSinceMs).toLocaleTimeString();
  return `${line} · invitations have failed since ${since}; they are tried again with growing pauses`;
}

function standstill(stillMs: number): string {
  return `nothing has changed for ${Math.floor(stillMs / 60_000)} min; docs/operating.md tells where to look`;
}

function notHandedOut(etag: string): ChunkProgress {
  return { etag, state: 'waiting', counts: noCounts(), outageSinceMs: undefined };
}

function progressOf({ rows, state, outage }: Chunk, etag: string): ChunkProgress {
  const counts = noCounts();
  for (const { outcome } of rows) if (outcome !== undefined) counts[outcome.status] += 1;
  return { etag, state: state.kind, counts, outageSinceMs: state.kind === 'settled' ? undefined : outage?.sinceMs };
}

function summarize({ rows = 0, invitees }: Manifest, seen: readonly ChunkProgress[]): RowsProgress {
  const counts = noCounts();
  const chunks = noChunks();
  for (const chunk of seen) {
    chunks[chunk.state] += 1;
    for (const status of statuses) counts[status] += chunk.counts[status];
  }
  const byWorkers = statuses.reduce((sum, status) => sum + counts[status], 0);
  const outageSinceMs = seen.find((chunk) => chunk.outageSinceMs !== undefined)?.outageSinceMs;
  return {
    settled: rows - invitees + byWorkers,
    counts,
    chunks,
    ...(outageSinceMs === undefined ? {} : { outageSinceMs }),
  };
}

function noChunks(): Record<ChunkState['kind'], number> {
  return { waiting: 0, running: 0, settled: 0 };
}

function chunkNumber(key: string): number {
  return Number(/(\d+)\.json$/u.exec(key)?.[1]);
}
