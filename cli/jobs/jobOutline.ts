/**
 * In which phase a job is, and what was decided about it: read from a few small objects, however large the job is. Whoever
 * wants it to end must not wait until all of it has been read.
 */
import { approvableUntilMs } from '../../lambdas/core/hold.ts';
import { hasAllParts } from '../../lambdas/ledger/checkCompletion.ts';
import { type Job, readJob } from '../../lambdas/ledger/job.ts';
import { type Manifest, readManifest } from '../../lambdas/ledger/manifest.ts';
import { hasEnded, type Summary } from '../../lambdas/ledger/summary.ts';
import type { JobRef, Place } from '../place/place.ts';
import { type SeenDecision, type SeenStop, seeDecisionAbout } from './decision.ts';
import { readSummaryOf } from './followJob.ts';

/** In this order; a job ends as one of the last three, and one that was held for too long stays `lapsed`. */
export type Phase =
  | 'waiting'
  | 'reading'
  | 'held'
  | 'lapsed'
  | 'inviting'
  | 'ending'
  | 'reporting'
  | 'completed'
  | 'cancelled'
  | 'failed';

export interface JobOutline extends JobRef {
  readonly phase: Phase;
  /** Why nobody is, or was, to be invited until somebody had approved it. */
  readonly hold?: readonly { readonly code: string; readonly message: string }[];
  readonly approval?: { readonly by: string; readonly at: string };
  readonly stop?: SeenStop;
  /** Why the job has failed or was ended, or is about to be. */
  readonly error?: { readonly code: string; readonly message: string; readonly by?: string };
  /** True where nothing is left of a job that was held but its report. */
  readonly areRecordsGone?: boolean;
  /** True where nobody was to be invited. */
  readonly dryRun?: boolean;
  readonly warnings: readonly string[];
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** What was read for an outline: the summary of a job that has ended or of whose records nothing is left, or the manifest. */
export type Outlined =
  | { readonly outline: JobOutline; readonly summary: Summary }
  | { readonly outline: JobOutline; readonly manifest: Manifest | undefined };

export async function readOutline(place: Place, ref: JobRef): Promise<Outlined> {
  const { store } = place;
  const summary = await readSummaryOf(place, ref);
  if (hasEnded(summary)) return { outline: outlineOfReported(ref, summary, summary.state), summary };
  const [job, manifest] = await Promise.all([readJob(store, ref.jobId), readManifest(store, ref.jobId)]);
  const decision = await seeDecisionAbout(manifest, store, ref.jobId);
  // The records of a job are deleted before its report, and a job that is held cannot go on without them.
  if (manifest === undefined && summary !== undefined)
    return { outline: { ...outlineOfReported(ref, summary, 'lapsed'), areRecordsGone: true }, summary };
  const phase = manifest === undefined ? beginning(job) : await phaseOf(place, ref, manifest, decision);
  return { outline: outlineOfOpen(ref, phase, job, manifest, decision), manifest };
}

function beginning(job: Job | undefined): Phase {
  return job === undefined ? 'waiting' : 'reading';
}

async function phaseOf(
  { store, now }: Place,
  { jobId }: JobRef,
  manifest: Manifest,
  { approval, stop }: SeenDecision,
): Promise<Phase> {
  if (manifest.hold !== undefined && approval === undefined && stop === undefined)
    return now() <= approvableUntilMs(manifest.endedAtMs) ? 'held' : 'lapsed';
  if (await hasAllParts(store, jobId, manifest)) return 'reporting';
  return stop === undefined ? 'inviting' : 'ending';
}

function outlineOfOpen(
  { jobId, uploadKey }: JobRef,
  phase: Phase,
  job: Job | undefined,
  manifest: Manifest | undefined,
  { approval, stop }: SeenDecision,
): JobOutline {
  return {
    jobId,
    uploadKey,
    phase,
    ...(manifest?.hold === undefined ? {} : { hold: manifest.hold }),
    ...(approval === undefined ? {} : { approval: { by: approval.by, at: new Date(approval.atMs).toISOString() } }),
    ...(stop === undefined ? {} : { stop }),
    ...(manifest?.fault === undefined ? {} : { error: manifest.fault }),
    ...(job?.settings.dryRun === true ? { dryRun: true } : {}),
    warnings: manifest?.warnings ?? [],
  };
}

function outlineOfReported({ jobId, uploadKey }: JobRef, summary: Summary, phase: Phase): JobOutline {
  const { warnings, error, hold, approval, dryRun, startedAt, finishedAt } = summary;
  return {
    jobId,
    uploadKey,
    phase,
    ...(hold === undefined ? {} : { hold }),
    ...(approval === undefined ? {} : { approval }),
    ...(error === undefined ? {} : { error }),
    ...(dryRun ? { dryRun } : {}),
    warnings,
    startedAt,
    finishedAt,
  };
}
