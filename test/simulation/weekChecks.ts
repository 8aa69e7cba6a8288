/**
 * Night by night: each run of a drawn week is held against an oracle that knows nothing of the code.
 */
import { functionLimits } from '../../lambdas/core/limits.ts';
import type { SimulatedJob } from './checks.ts';
import { type Before, mismatches } from './nightOracle.ts';
import { bookAfter, type OpenBook, OpenBooks } from './openBook.ts';
import { checkNotBegun } from './weekBeginnings.ts';
import { clockSlackMs, isQuiet, type Night, nightOf, type Run, type WeekEvidence } from './weekNight.ts';

const minute = 60_000;
const hour = 60 * minute;
const resendEveryMs = 49 * hour;
/** From the note of a resending to its effect: a call that stood still, and came late. */
const resendTakesMs = { quiet: minute, atMost: 6 * minute } as const;
/** A copy of ingest that was left behind writes no later. */
const ingestMs = 15 * minute;

export function checkWeek(jobs: readonly SimulatedJob[], evidence: WeekEvidence): void {
  const runs = jobs.filter((job): job is Run => job.run !== undefined);
  const nights = runs.map((run) => nightOf(run, evidence));
  const books = new OpenBooks();
  const real = nights.filter(({ run }) => !run.dryRun).sort((left, right) => left.manifestAtMs - right.manifestAtMs);
  for (const night of nights) checkSnapshot(night, evidence);
  for (const night of nights) checkNotBegun(night, nights, evidence);
  for (const night of real) checkReal(night, real, books, evidence);
  for (const night of nights) if (night.run.dryRun) checkDry(night, real, books, evidence);
  for (const night of nights) checkReasons(night, evidence);
  checkResendings(evidence);
}

/** Whoever looks at the directory sees what the API gave, at one moment. */
function checkSnapshot({ run, hasSnapshot, snapshot }: Night, { record }: WeekEvidence): void {
  if (hasSnapshot && snapshot === undefined)
    record.violated('snapshot_is_the_directory', `The directory of ${run.jobId} is none that the API gave it.`);
}

function checkReal(night: Night, real: readonly Night[], books: OpenBooks, evidence: WeekEvidence): void {
  const { manifest, manifestAtMs, reportedAtMs, snapshot } = night;
  if (snapshot === undefined) return;
  const isRead = manifest.rows !== undefined;
  const right = isRead ? checkAgainst(night, books.last, real, evidence) : books.last;
  const after = right.map((book) => bookAfter(book, snapshot.users, snapshot.takenAtMs));
  books.note({
    fromMs: snapshot.writtenAtMs,
    toMs: isRead ? manifestAtMs : manifestAtMs + ingestMs,
    books: isRead ? after : [...right, ...after],
  });
  const resent = resentOf(night, evidence);
  if (resent.size === 0) return;
  books.note({
    fromMs: manifestAtMs,
    toMs: reportedAtMs + clockSlackMs,
    books: after.map((book) => new Map([...book, ...resent])),
  });
}

/**
 * What was sent again is new, from the moment at which a report says so. Where something goes wrong, a second copy of the
 * report may say it once more, as long as it may run.
 */
function resentOf({ rows, people, run, manifestAtMs, reportedAtMs }: Night, evidence: WeekEvidence): OpenBook {
  const { api } = evidence;
  const isCalm = isQuiet(evidence, manifestAtMs, reportedAtMs + clockSlackMs);
  const toMs = reportedAtMs + (isCalm ? clockSlackMs : functionLimits.report.timeLimitMs);
  const emails = rows.flatMap(({ code }, index) => (code === 'resent' ? [people[index]?.email] : []));
  return new Map(
    api.resendings.flatMap(({ email, jobId, atMs }) =>
      jobId === run.jobId && emails.includes(email)
        ? [[email, { state: 'open', fromMs: atMs - clockSlackMs, toMs }] as const]
        : [],
    ),
  );
}

/** A dry run finds what was known then, and leaves everything as it is. */
function checkDry(night: Night, real: readonly Night[], books: OpenBooks, evidence: WeekEvidence): void {
  const { snapshot, manifest, manifestAtMs } = night;
  if (snapshot !== undefined && manifest.rows !== undefined)
    checkAgainst(night, books.between(snapshot.writtenAtMs, manifestAtMs), real, evidence);
}

/** Gives what may have been known, as far as it goes with what the run says. */
function checkAgainst(
  night: Night,
  books: readonly OpenBook[],
  real: readonly Night[],
  evidence: WeekEvidence,
): readonly OpenBook[] {
  const { snapshot, run } = night;
  if (snapshot === undefined) return books;
  const befores = rowsBefore(night, real).flatMap((rows) => books.map((book): Before => ({ book, rows })));
  const judged = befores.map((before) => ({ before, wrong: mismatches(night, snapshot, before, evidence) }));
  const right = judged.filter(({ wrong }) => wrong.length === 0);
  if (right.length > 0) return right.map(({ before }) => before.book);
  for (const found of judged[0]?.wrong ?? [])
    evidence.record.violated(
      'night_after_night',
      `${run.jobId} of ${new Date(run.run.scheduledAtMs).toISOString()}: ${found}.`,
    );
  return books;
}

/** Rows of the last run that was completed when this one began: of several, where that was in between. A run has ended before its report is whole. */
function rowsBefore({ run, begunAtMs, manifestAtMs }: Night, real: readonly Night[]): (number | undefined)[] {
  const completed = real
    .filter((other) => other.run.jobId < run.jobId && other.summary.state === 'completed')
    .sort((left, right) => (left.run.jobId < right.run.jobId ? 1 : -1));
  const certain = completed.find(({ reportedAtMs }) => reportedAtMs + clockSlackMs / 2 < begunAtMs);
  const possible = completed.filter(
    ({ reportBegunAtMs, run: other }) =>
      reportBegunAtMs <= manifestAtMs && (certain === undefined || other.jobId > certain.run.jobId),
  );
  return [certain, ...possible].map((other) => other?.people.length);
}

/** The summary says why a run ended, and that is what ended it. */
function checkReasons({ run, summary, manifest, stop }: Night, { record, api }: WeekEvidence): void {
  const { state, error } = summary;
  const codes = [manifest.fault?.code, stop?.code];
  const isWrong =
    state === 'failed' || state === 'cancelled' ? !codes.includes(error?.code as never) : error !== undefined;
  if (isWrong) record.violated('right_reason', `${run.jobId} is ${state}, and says ${error?.code}.`);
  const refusedBy = { key_refused: 401, key_forbidden: 403 }[stop?.code as string];
  if (refusedBy === undefined) return;
  const isRefused = api.personCalls.some(({ jobId, httpStatus }) => jobId === run.jobId && httpStatus === refusedBy);
  if (!isRefused)
    record.violated('right_reason', `${run.jobId} stopped for ${stop?.code}, and the API did not say so.`);
}

/** Counted at the API: for each person, not for each run. */
function checkResendings(evidence: WeekEvidence): void {
  const last = new Map<string, number>();
  for (const { email, atMs } of evidence.api.resendings) {
    const before = last.get(email);
    last.set(email, atMs);
    if (before === undefined) continue;
    const isCalm = isQuiet(evidence, before - ingestMs, before) && isQuiet(evidence, atMs - ingestMs, atMs);
    const takesMs = isCalm ? resendTakesMs.quiet : resendTakesMs.atMost;
    if (atMs - before < resendEveryMs - takesMs)
      evidence.record.violated('emails_49_hours_apart', `${email} was sent one again ${atMs - before} ms later.`);
  }
}
