/**
 * All that can be told of a job: its outline, and how far each of its rows and chunks is.
 */
import type { ChunkState } from '../../lambdas/core/chunk.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { ingestPartKey } from '../../lambdas/core/keys.ts';
import { noCounts, type Status } from '../../lambdas/core/outcome.ts';
import type { Manifest } from '../../lambdas/ledger/manifest.ts';
import { readPart } from '../../lambdas/ledger/part.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import type { JobRef, Place } from '../place/place.ts';
import { type JobOutline, readOutline } from './jobOutline.ts';
import { chunksReader } from './jobProgress.ts';

export interface JobState extends JobOutline, RowsState {}

interface RowsState {
  /** Absent while the upload is being read. */
  readonly rows?: number;
  readonly settled?: number;
  /** Of the rows that are settled. */
  readonly counts: Readonly<Record<Status, number>>;
  /** Absent before there are chunks, and after the job has ended. */
  readonly chunks?: Readonly<Record<ChunkState['kind'], number>> & { readonly expected: number };
  /** People to invite, and among them those whose invitation is sent again. Absent after the job has ended. */
  readonly invitees?: number;
  readonly resends?: number;
  readonly outageSinceMs?: number;
  /** How the directory differs from the roster, by kind. */
  readonly drift?: Readonly<Record<string, number>>;
}

export async function readJobState(place: Place, job: JobRef): Promise<JobState> {
  const outlined = await readOutline(place, job);
  const rows =
    'summary' in outlined
      ? rowsOfReported(outlined.summary)
      : await rowsOfOpen(place.store, job.jobId, outlined.manifest);
  return { ...outlined.outline, ...rows };
}

function rowsOfReported({ rows, counts, drift }: Summary): RowsState {
  return { rows, settled: rows, counts: { ...noCounts(), ...counts }, ...(drift === undefined ? {} : { drift }) };
}

async function rowsOfOpen(store: ObjectStore, jobId: JobId, manifest: Manifest | undefined): Promise<RowsState> {
  if (manifest === undefined) return { counts: noCounts() };
  const { settled, counts, chunks, outageSinceMs } = await chunksReader(store, jobId)(manifest);
  return {
    rows: manifest.rows ?? 0,
    settled,
    counts: await withIngest(store, jobId, manifest, counts),
    chunks: { expected: manifest.chunks, ...chunks },
    ...(outageSinceMs === undefined ? {} : { outageSinceMs }),
    invitees: manifest.invitees,
    ...(manifest.resends === undefined ? {} : { resends: manifest.resends }),
  };
}

/** Of the rows that workers settled, and of those that ingest settled by itself. */
async function withIngest(
  store: ObjectStore,
  jobId: JobId,
  manifest: Manifest,
  byWorkers: Readonly<Record<Status, number>>,
): Promise<Readonly<Record<Status, number>>> {
  if (manifest.fault !== undefined || manifest.rows === manifest.invitees) return byWorkers;
  const counts = { ...byWorkers };
  for await (const { status } of readPart(store, ingestPartKey(jobId), () => undefined)) counts[status] += 1;
  return counts;
}
