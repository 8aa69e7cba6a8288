/**
 * What can be told of a job: its phase, its counts, and what stands in its way.
 */
import type { ChunkState } from '../../lambdas/core/chunk.ts';
import { ingestPartKey } from '../../lambdas/core/keys.ts';
import { noCounts, type Status } from '../../lambdas/core/outcome.ts';
import { hasAllParts } from '../../lambdas/ledger/checkCompletion.ts';
import type { Manifest } from '../../lambdas/ledger/manifest.ts';
import { readPart } from '../../lambdas/ledger/part.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import type { JobRef, Place } from '../place/place.ts';
import { readSummaryOf } from './followJob.ts';
import { type JobProgress, jobProgressReader, type SeenStop } from './jobProgress.ts';

/** In this order; a job ends as one of the last two. */
export type Phase = 'waiting' | 'reading' | 'inviting' | 'reporting' | 'completed' | 'failed';

export interface JobState extends JobRef {
  readonly phase: Phase;
  /** Absent while the upload is being read. */
  readonly rows?: number;
  readonly settled?: number;
  /** Of the rows that are settled. */
  readonly counts: Readonly<Record<Status, number>>;
  /** Absent before there are chunks, and after the job has ended. */
  readonly chunks?: Readonly<Record<ChunkState['kind'], number>> & { readonly expected: number };
  readonly outageSinceMs?: number;
  readonly stop?: SeenStop;
  /** Why the job has failed, or is about to. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly warnings: readonly string[];
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

export async function readJobState(place: Place, job: JobRef): Promise<JobState> {
  const summary = await readSummaryOf(place, job);
  if (summary !== undefined) return stateOfReported(job, summary);
  const { jobId, uploadKey } = job;
  const progress = await jobProgressReader(place.store, jobId)();
  const { manifest, stop, outageSinceMs } = progress;
  if (manifest === undefined)
    return { jobId, uploadKey, phase: progress.hasBegun ? 'reading' : 'waiting', counts: noCounts(), warnings: [] };
  return {
    jobId,
    uploadKey,
    phase: (await hasAllParts(place.store, jobId, manifest)) ? 'reporting' : 'inviting',
    rows: manifest.rows ?? 0,
    settled: progress.settled,
    counts: await allCounts(place, job, progress, manifest),
    chunks: { expected: manifest.chunks, ...progress.chunks },
    ...(outageSinceMs === undefined ? {} : { outageSinceMs }),
    ...(stop === undefined ? {} : { stop }),
    ...(manifest.fault === undefined ? {} : { error: manifest.fault }),
    warnings: manifest.warnings,
  };
}

function stateOfReported({ jobId, uploadKey }: JobRef, summary: Summary): JobState {
  const { state, rows, counts, warnings, error, startedAt, finishedAt } = summary;
  return {
    jobId,
    uploadKey,
    phase: state,
    rows,
    settled: rows,
    counts: { ...noCounts(), ...counts },
    ...(error === undefined ? {} : { error }),
    warnings,
    startedAt,
    finishedAt,
  };
}

/** Of the rows that workers settled, and of those that ingest settled by itself. */
async function allCounts(
  { store }: Place,
  { jobId }: JobRef,
  progress: JobProgress,
  manifest: Manifest,
): Promise<Record<Status, number>> {
  const counts = { ...progress.counts };
  if (manifest.fault !== undefined || manifest.rows === manifest.invitees) return counts;
  for await (const { status } of readPart(store, ingestPartKey(jobId), () => undefined)) counts[status] += 1;
  return counts;
}
