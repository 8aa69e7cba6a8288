/**
 * What can be told of a job: its phase, its counts, and what stands in its way.
 */
import type { ChunkState } from '../../lambdas/core/chunk.ts';
import { ingestPartKey } from '../../lambdas/core/keys.ts';
import { noCounts, type Status } from '../../lambdas/core/outcome.ts';
import { hasAllParts } from '../../lambdas/ledger/checkCompletion.ts';
import type { Manifest } from '../../lambdas/ledger/manifest.ts';
import { readPart } from '../../lambdas/ledger/part.ts';
import { hasEnded, type Summary } from '../../lambdas/ledger/summary.ts';
import type { JobRef, Place } from '../place/place.ts';
import { type JobDecision, readDecision, type SeenStop } from './decision.ts';
import { readSummaryOf } from './followJob.ts';
import { type JobProgress, jobProgressReader } from './jobProgress.ts';

/** In this order; a job ends as one of the last three. */
export type Phase =
  | 'waiting'
  | 'reading'
  | 'held'
  | 'inviting'
  | 'ending'
  | 'reporting'
  | 'completed'
  | 'cancelled'
  | 'failed';

export interface JobState extends JobRef {
  readonly phase: Phase;
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
  /** Why nobody is, or was, to be invited until somebody had approved it. */
  readonly hold?: readonly { readonly code: string; readonly message: string }[];
  readonly approval?: { readonly by: string; readonly at: string };
  readonly stop?: SeenStop;
  /** Why the job has failed or was ended, or is about to be. */
  readonly error?: { readonly code: string; readonly message: string; readonly by?: string };
  /** True where nobody was to be invited. Known of a job that has ended. */
  readonly dryRun?: boolean;
  /** How the directory differs from the roster, by kind. */
  readonly drift?: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

export async function readJobState(place: Place, job: JobRef): Promise<JobState> {
  const summary = await readSummaryOf(place, job);
  if (hasEnded(summary)) return stateOfReported(job, summary);
  const { jobId, uploadKey } = job;
  const progress = await jobProgressReader(place.store, jobId)();
  const decision = await readDecision(place.store, jobId);
  const { manifest, outageSinceMs } = progress;
  // The records of a job may be deleted before its report.
  if (manifest === undefined && summary !== undefined) return stateOfReported(job, summary);
  if (manifest === undefined) {
    const phase = progress.hasBegun ? 'reading' : 'waiting';
    return { jobId, uploadKey, phase, counts: noCounts(), ...decided(decision), warnings: [] };
  }
  return {
    jobId,
    uploadKey,
    phase: await phaseOf(place, job, manifest, decision),
    rows: manifest.rows ?? 0,
    settled: progress.settled,
    counts: await allCounts(place, job, progress, manifest),
    chunks: { expected: manifest.chunks, ...progress.chunks },
    ...(outageSinceMs === undefined ? {} : { outageSinceMs }),
    invitees: manifest.invitees,
    ...(manifest.resends === undefined ? {} : { resends: manifest.resends }),
    ...(manifest.hold === undefined ? {} : { hold: manifest.hold }),
    ...decided(decision),
    ...(manifest.fault === undefined ? {} : { error: manifest.fault }),
    warnings: manifest.warnings,
  };
}

async function phaseOf(
  { store }: Place,
  { jobId }: JobRef,
  manifest: Manifest,
  { approval, stop }: JobDecision,
): Promise<Phase> {
  if (manifest.hold !== undefined && approval === undefined && stop === undefined) return 'held';
  if (await hasAllParts(store, jobId, manifest)) return 'reporting';
  return stop === undefined ? 'inviting' : 'ending';
}

function decided({ approval, stop }: JobDecision): Pick<JobState, 'approval' | 'stop'> {
  return {
    ...(approval === undefined ? {} : { approval: { by: approval.by, at: new Date(approval.atMs).toISOString() } }),
    ...(stop === undefined ? {} : { stop }),
  };
}

function stateOfReported({ jobId, uploadKey }: JobRef, summary: Summary): JobState {
  const { state, rows, counts, warnings, error, hold, approval, dryRun, drift, startedAt, finishedAt } = summary;
  return {
    jobId,
    uploadKey,
    phase: state,
    rows,
    settled: rows,
    counts: { ...noCounts(), ...counts },
    ...(hold === undefined ? {} : { hold }),
    ...(approval === undefined ? {} : { approval }),
    ...(error === undefined ? {} : { error }),
    ...(dryRun ? { dryRun } : {}),
    ...(drift === undefined ? {} : { drift }),
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
