/**
 * Which runs of a drawn week may begin, must begin, and must not: from when they were due, what lay in the bucket then, and what
 * the others were doing.
 */
import type { FaultCode } from '../../lambdas/core/fault.ts';
import { clockSlackMs, isQuiet, type Night, type WeekEvidence } from './weekNight.ts';

const minute = 60_000;
/** From a look at the other runs to the manifest that tells of it: the time limit of ingest. */
const ingestMs = 15 * minute;
const quietIngestMs = 5000;

export function checkNotBegun(night: Night, nights: readonly Night[], evidence: WeekEvidence): void {
  const { run, rows, manifest, drift } = night;
  const wrong = (found: string) =>
    evidence.record.violated(
      'right_beginning',
      `${run.jobId} of ${new Date(run.run.scheduledAtMs).toISOString()} ${found}.`,
    );
  checkVersion(night, evidence, wrong);
  const code = manifest.fault?.code;
  const must = mustEndWith(night, nights);
  if (must !== undefined && !must.some((wanted) => wanted === code))
    wrong(`must be ${must.join(' or ')}, and is ${code ?? 'begun'}`);
  if (code === undefined) return;
  if (!mayEndWith(code, night, nights, evidence)) wrong(`ended with ${code}, and had no reason to`);
  if (drift !== undefined) wrong(`ended with ${code}, and tells of drift`);
  const other = rows.find((row) => row.code !== code);
  if (other !== undefined) wrong(`ended with ${code}, and row ${other.row} is ${other.code}`);
}

/** It reads the version that was the newest at some time between its own and the moment at which it began. */
function checkVersion(
  { run, source, begunAtMs }: Night,
  { store }: WeekEvidence,
  wrong: (found: string) => void,
): void {
  const versions = store.versions(run.key);
  const index = versions.findIndex(({ versionId }) => versionId === source.versionId);
  const comesMs = versions[index]?.modifiedAtMs ?? 0;
  const goesMs = versions[index + 1]?.modifiedAtMs ?? Number.POSITIVE_INFINITY;
  if (comesMs > begunAtMs || goesMs + 1000 < run.run.scheduledAtMs) wrong('reads a version that was not the newest');
}

/** In the order in which a run looks: a stop, a missing file, its age, the other runs. Undefined where it may begin. */
function mustEndWith(
  { run, source, begunAtMs, stoppedAtMs }: Night,
  nights: readonly Night[],
): FaultCode[] | undefined {
  if (stoppedAtMs < begunAtMs) return ['cancelled'];
  // It may be stopped at any later moment, too.
  if (source.etag === '') return ['roster_missing', 'cancelled'];
  if (ageMs(source.uploadedAtMs, begunAtMs) > staleAfterMs(run) + clockSlackMs) return ['roster_stale', 'cancelled'];
  const isLate = nights.some(
    (other) => isReal(other) && other.run.jobId > run.jobId && (other.snapshot?.writtenAtMs ?? begunAtMs) < begunAtMs,
  );
  return isLate && !run.dryRun ? ['roster_late', 'roster_stale', 'cancelled'] : undefined;
}

function mayEndWith(code: string, night: Night, nights: readonly Night[], evidence: WeekEvidence): boolean {
  const { run, source, begunAtMs, manifestAtMs, stoppedAtMs } = night;
  const others = nights.filter((other) => isReal(other) && other.run.jobId !== run.jobId);
  switch (code) {
    case 'cancelled':
      return stoppedAtMs <= manifestAtMs;
    case 'roster_missing':
      return source.etag === '';
    case 'roster_stale':
      return ageMs(source.uploadedAtMs, manifestAtMs) > staleAfterMs(run) - clockSlackMs;
    case 'roster_late':
      return !run.dryRun && others.some((other) => other.run.jobId > run.jobId && other.begunAtMs <= manifestAtMs);
    case 'roster_busy':
      return !run.dryRun && others.some((other) => isInTheWay(other, night, evidence));
    case 'key_refused':
      return wasRefused([401], begunAtMs, manifestAtMs, evidence);
    case 'key_forbidden':
      return wasRefused([403], begunAtMs, manifestAtMs, evidence);
    case 'api_request_refused':
      // Something that is not the API answers in its place, as far as anybody can see.
      return wasRefused([400, 404, 422, 'unreadable'], begunAtMs, manifestAtMs, evidence);
    case 'api_unreachable':
      return manifestAtMs - begunAtMs >= evidence.giveUpMs - clockSlackMs;
    default:
      return false;
  }
}

/** An earlier run that had begun, and had not ended; one that is held, and that nobody has approved, makes way. */
function isInTheWay(other: Night, night: Night, evidence: WeekEvidence): boolean {
  const { run, manifest, approvedAtMs, reportedAtMs, begunAtMs } = other;
  const looksMs = isQuiet(evidence, night.begunAtMs, night.manifestAtMs) ? quietIngestMs : ingestMs;
  if (run.jobId > night.run.jobId || begunAtMs > night.manifestAtMs) return false;
  if (reportedAtMs < night.manifestAtMs - looksMs) return false;
  if (manifest.fault !== undefined && neverBegun.includes(manifest.fault.code)) return false;
  const wasHeld = manifest.hold !== undefined && other.manifestAtMs < night.manifestAtMs - looksMs;
  return !wasHeld || approvedAtMs <= night.manifestAtMs;
}

const neverBegun: readonly string[] = ['roster_busy', 'roster_late', 'roster_missing'];

function isReal({ run }: Night): boolean {
  return !run.dryRun;
}

function ageMs(uploadedAtMs = 0, atMs: number): number {
  return atMs - uploadedAtMs;
}

function staleAfterMs({ run }: Night['run']): number {
  return run.rules.staleAfterMs ?? Number.POSITIVE_INFINITY;
}

function wasRefused(
  answers: readonly (number | 'unreadable')[],
  fromMs: number,
  toMs: number,
  { api }: WeekEvidence,
): boolean {
  return api.generalReads.some(
    ({ askedAtMs, httpStatus = 0, wasUnreadable }) =>
      askedAtMs >= fromMs &&
      askedAtMs <= toMs &&
      (answers.includes(httpStatus) || (wasUnreadable === true && answers.includes('unreadable'))),
  );
}
