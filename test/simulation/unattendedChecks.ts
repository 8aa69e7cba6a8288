/**
 * What must hold of jobs that nobody attends: limits, decisions, dry runs and the runs of rosters. Held against what the
 * models have seen, not against what the code says of itself.
 */
import { approvalKey, directoryKey, jobKey, manifestKey, reportKey, stopKey } from '../../lambdas/core/keys.ts';
import type { Job } from '../../lambdas/ledger/job.ts';
import type { Manifest } from '../../lambdas/ledger/manifest.ts';
import type { Stop } from '../../lambdas/ledger/stop.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { type Evidence, isHeldFirst, type SimulatedJob, statusOfJob, stopOf } from './checks.ts';
import type { PersonCall } from './doitApiModel.ts';

type Run = SimulatedJob & { readonly run: NonNullable<SimulatedJob['run']> };

const minute = 60_000;
const hour = 60 * minute;
/** What clocks may be off, and the whole seconds of the store's times. */
const clockSlackMs = 2000;
const cancelCodes: readonly string[] = ['cancelled', 'not_approved', 'superseded'];
const emailsApartMs = 48 * hour;

export function checkUnattended(job: SimulatedJob, evidence: Evidence): void {
  checkHold(job, evidence);
  checkReleased(job, evidence);
  checkEnd(job, evidence);
}

function manifestOf({ jobId }: SimulatedJob, { store }: Evidence): Partial<Manifest> {
  return JSON.parse(store.text(manifestKey(jobId)) ?? '{}') as Partial<Manifest>;
}

function postsOf({ jobId }: SimulatedJob, { api }: Evidence): PersonCall[] {
  return api.personCalls.filter((call) => call.jobId === jobId && call.kind !== 'look_up');
}

/** A job that needs an approval is held, and no other one is. */
function checkHold(job: SimulatedJob, evidence: Evidence): void {
  const { record } = evidence;
  const manifest = manifestOf(job, evidence);
  if (manifest.rows === undefined) return;
  const codes = (manifest.hold ?? []).map(({ code }) => code);
  const expect = (code: string, isWanted: boolean | undefined, found: string) => {
    if (isWanted !== undefined && codes.includes(code as never) !== (isWanted && !job.dryRun))
      record.violated('held_where_wanted', `${job.jobId} ${found}, and is ${isWanted ? 'not ' : ''}held for ${code}.`);
  };
  const { fewest, most } = invitationsOf(job, evidence);
  const limit = job.run === undefined ? (job.newPeopleMax ?? 10_000) : (job.run.rules.newPeopleMax ?? 200);
  const isTooMany = fewest > limit ? true : most <= limit ? false : undefined;
  expect('too_many_new', isTooMany, `would send ${fewest} to ${most} invitations with a limit of ${limit}`);
  const rows = job.roster.rows.length;
  const invalid = job.roster.rows.filter(({ expected }) => expected.kind === 'invalid').length;
  expect('too_many_invalid', job.run !== undefined && invalid * 5 > rows, `has ${invalid} invalid rows of ${rows}`);
}

/** How many people would be sent an invitation: who they are may change while the list of users is read. */
function invitationsOf(job: SimulatedJob, evidence: Evidence): { fewest: number; most: number } {
  const { store, firstWrittenAtMs } = evidence;
  const key = directoryKey(job.jobId);
  const { takenAtMs = 0 } = JSON.parse(store.text(key) ?? '{}') as { takenAtMs?: number };
  const read = { fromMs: takenAtMs - clockSlackMs, toMs: firstWrittenAtMs.get(key) ?? Number.POSITIVE_INFINITY };
  const people = job.roster.rows.flatMap(({ expected }) => (expected.kind === 'person' ? [expected.email] : []));
  const needs = people.map((email) => needOf(email, job, read, evidence));
  return { fewest: needs.filter((need) => need === 'yes').length, most: needs.filter((need) => need !== 'no').length };
}

function needOf(
  email: string,
  { run }: SimulatedJob,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  { api, usersBefore }: Evidence,
): 'yes' | 'no' | 'perhaps' {
  const before = usersBefore.get(email);
  const mayBeResent = run?.rules.resendAfterMs !== undefined;
  if (before === undefined) {
    const createdAtMs = api.users.get(email)?.createdAtMs ?? Number.POSITIVE_INFINITY;
    if (createdAtMs > toMs) return 'yes';
    // Or was invited by another job, and would be sent it again.
    return createdAtMs > fromMs || mayBeResent ? 'perhaps' : 'no';
  }
  if (!mayBeResent || !['invited', 'expired'].includes(before.status)) return 'no';
  const isResent = api.resendings.some((resending) => resending.email === email && resending.atMs <= toMs);
  return before.status === 'expired' && !isResent ? 'yes' : 'perhaps';
}

/** Nobody is invited by a job that is held before somebody has approved this very job, and nobody at all by a dry run. */
function checkReleased(job: SimulatedJob, evidence: Evidence): void {
  const { record, approvedAtMs, firstWrittenAtMs, store } = evidence;
  const posts = postsOf(job, evidence);
  if (job.dryRun && posts.length > 0) record.violated('dry_run', `${job.jobId} is a dry run, and made a POST.`);
  if (!isHeldFirst(job.jobId, store)) return;
  const releasedAtMs = approvedAtMs.get(job.jobId) ?? Number.POSITIVE_INFINITY;
  const stoppedAtMs = firstWrittenAtMs.get(stopKey(job.jobId)) ?? Number.POSITIVE_INFINITY;
  for (const { email, decidedAtMs } of posts) {
    if (decidedAtMs < releasedAtMs)
      record.violated('held_is_kept', `${job.jobId} invited ${email}, and nobody had approved it.`);
    if (stoppedAtMs < releasedAtMs)
      record.violated('held_is_kept', `${job.jobId} invited ${email}, and was approved after it had been stopped.`);
  }
}

/** Each job ends as what became of it, and its report says whose decision that was. */
function checkEnd(job: SimulatedJob, evidence: Evidence): void {
  const { store, record } = evidence;
  const text = store.text(reportKey(job.key, job.jobId, 'summary.json'));
  if (text === undefined) return;
  const summary = JSON.parse(text) as Summary;
  const wanted = endOf(job, summary, evidence);
  if (wanted !== undefined && summary.state !== wanted)
    record.violated('right_end', `${job.jobId} is ${summary.state} instead of ${wanted}.`);
  if (summary.dryRun !== job.dryRun) record.violated('dry_run', `${job.jobId} says dryRun ${summary.dryRun}.`);
  const isHeld = isHeldFirst(job.jobId, store);
  const approvedBy = summary.approval?.by;
  if (isHeld ? summary.state === 'completed' && approvedBy !== 'alice' : approvedBy !== undefined)
    record.violated('right_end', `The summary of ${job.jobId} says that ${approvedBy} approved it.`);
}

/** Undefined where two ends are right. */
function endOf(job: SimulatedJob, summary: Summary, evidence: Evidence): Summary['state'] | undefined {
  const { store, approvedAtMs } = evidence;
  const { fault } = manifestOf(job, evidence);
  if (fault !== undefined) return fault.code === 'cancelled' ? 'cancelled' : 'failed';
  const stop = stopOf(job.jobId, store);
  if (isHeldFirst(job.jobId, store) && !approvedAtMs.has(job.jobId)) return stop === undefined ? 'held' : 'cancelled';
  return stop === undefined ? 'completed' : endOfStopped(job, stop, summary, evidence);
}

function endOfStopped(job: SimulatedJob, { code }: Stop, { counts }: Summary, evidence: Evidence) {
  const { store, firstWrittenAtMs } = evidence;
  const isCancelled = cancelCodes.includes(code);
  if (counts.not_attempted > 0) return isCancelled ? 'cancelled' : 'failed';
  // Whether an attempt whose effect is unknown ended because of the stop, only the rows say.
  if (isCancelled && counts.unknown > 0) return undefined;
  // Nothing was left to stop; where nothing was to be done at all, either decision may have come first.
  if (isCancelled)
    return isHeldFirst(job.jobId, store) && postsOf(job, evidence).length === 0 ? undefined : 'completed';
  const summarizedAtMs = firstWrittenAtMs.get(reportKey(job.key, job.jobId, 'summary.json')) ?? 0;
  return (firstWrittenAtMs.get(stopKey(job.jobId)) ?? 0) < summarizedAtMs - clockSlackMs ? 'failed' : undefined;
}

/** Of one roster, no run begins to call before another one has made its last call; and what could not run says why. */
export function checkRuns(jobs: readonly SimulatedJob[], evidence: Evidence): void {
  const runs = jobs.filter((job): job is Run => job.run !== undefined);
  // A dry run takes nobody's place, and may overlap.
  const real = runs.filter(({ dryRun }) => !dryRun);
  for (const run of runs) {
    const others = real.filter((other) => other.run.name === run.run.name && other.jobId !== run.jobId);
    if (!run.dryRun) checkApart(run, others, evidence);
    checkNotBegun(run, others, evidence);
    checkRows(run, others, evidence);
    checkSuperseded(run, others, evidence);
  }
}

function checkApart(run: Run, others: readonly Run[], evidence: Evidence): void {
  const mine = courseOf(run, evidence);
  for (const other of others) {
    const theirs = courseOf(other, evidence);
    if (mine !== undefined && theirs !== undefined && mine.from <= theirs.to && theirs.from <= mine.to)
      evidence.record.violated('runs_apart', `${run.jobId} and ${other.jobId} of one roster went on at the same time.`);
  }
}

/** From the snapshot of the directory to the last call. One that was cancelled before it was read has none, whoever still reads it. */
function courseOf(run: Run, evidence: Evidence): { from: number; to: number } | undefined {
  const { api, firstWrittenAtMs } = evidence;
  const { jobId } = run;
  const snapshotAtMs = firstWrittenAtMs.get(directoryKey(jobId));
  if (snapshotAtMs === undefined || manifestOf(run, evidence).rows === undefined) return undefined;
  const calls = api.personCalls.filter((call) => call.jobId === jobId).map(({ decidedAtMs }) => decidedAtMs);
  return { from: snapshotAtMs, to: Math.max(snapshotAtMs, ...calls) };
}

function checkNotBegun(run: Run, others: readonly Run[], evidence: Evidence): void {
  const { store, record, firstWrittenAtMs } = evidence;
  const { fault } = manifestOf(run, evidence);
  const manifestAtMs = firstWrittenAtMs.get(manifestKey(run.jobId)) ?? 0;
  const job = JSON.parse(store.text(jobKey(run.jobId)) ?? '{}') as Partial<Job>;
  const ageAtLeastMs = run.run.scheduledAtMs - (job.source?.uploadedAtMs ?? 0);
  const staleAfterMs = run.run.rules.staleAfterMs ?? 7 * 24 * hour;
  const wrong = (found: string) => record.violated('run_not_begun', `${run.jobId} ${found}.`);
  if (fault !== undefined && postsOf(run, evidence).length > 0) wrong(`ended with ${fault.code}, and made a POST`);
  if (job.source?.etag !== '' && ageAtLeastMs > staleAfterMs + clockSlackMs && fault === undefined)
    wrong('was begun with a file that is too old');
  if (fault?.code === 'roster_stale' && manifestAtMs - (job.source?.uploadedAtMs ?? 0) < staleAfterMs - clockSlackMs)
    wrong('calls a file stale that is not');
  if (fault?.code === 'roster_missing' && job.source?.etag !== '') wrong('misses a file that is there');
  if (fault?.code === 'roster_busy' && !others.some((other) => mayBlock(other, run, manifestAtMs, evidence)))
    wrong('was not begun, and nothing stood in its way');
}

/** A run that had not ended then, or one whose time came later. */
function mayBlock(other: Run, run: Run, atMs: number, { store }: Evidence): boolean {
  if (other.jobId > run.jobId) return true;
  const summaries = store.versions(reportKey(other.key, other.jobId, 'summary.json'));
  return statusOfJob(other, store) === 'held' || (summaries.at(-1)?.modifiedAtMs ?? 0) >= atMs - 30 * minute;
}

/** A file that has lost more than half of its rows since the last completed run is not believed. */
function checkRows(run: Run, others: readonly Run[], evidence: Evidence): void {
  const { store, record, firstWrittenAtMs } = evidence;
  const manifest = manifestOf(run, evidence);
  if (manifest.rows === undefined || run.dryRun) return;
  const before = others
    .filter((other) => other.jobId < run.jobId && !other.dryRun && statusOfJob(other, store) === 'completed')
    .sort((left, right) => (left.jobId < right.jobId ? 1 : -1))[0];
  const claimedBefore = firstWrittenAtMs.get(manifestKey(run.jobId)) ?? 0;
  const endedAtMs =
    before === undefined
      ? 0
      : (store.versions(reportKey(before.key, before.jobId, 'summary.json')).at(-1)?.modifiedAtMs ?? 0);
  if (endedAtMs > claimedBefore) return;
  const isTooFew = before !== undefined && run.roster.rows.length * 2 < before.roster.rows.length;
  if ((manifest.hold ?? []).some(({ code }) => code === 'too_few_rows') !== isTooFew)
    record.violated(
      'held_where_wanted',
      `${run.jobId} has ${run.roster.rows.length} rows after ${before?.roster.rows.length}, and is ${isTooFew ? 'not ' : ''}held for it.`,
    );
}

/** A run that is held makes way for the next one, and says so. */
function checkSuperseded(run: Run, others: readonly Run[], evidence: Evidence): void {
  const { store, record } = evidence;
  const wasFollowed = others.some((other) => other.jobId > run.jobId && manifestOf(other, evidence).rows !== undefined);
  if (wasFollowed && statusOfJob(run, store) === 'held')
    record.violated('makes_way', `${run.jobId} is still held, though a later run of its roster was begun.`);
  if (stopOf(run.jobId, store)?.code !== 'superseded') return;
  if (!isHeldFirst(run.jobId, store) || !others.some(({ jobId }) => jobId > run.jobId))
    record.violated('run_not_begun', `${run.jobId} was superseded, and was not held or is the last one.`);
}

/** The API sends an email for each key that it has not seen: to one person, not twice in two days. */
export function checkEmailsApart({ api, record }: Evidence): void {
  const last = new Map<string, number>();
  for (const { email, atMs } of api.resendings) {
    const before = last.get(email);
    if (before !== undefined && atMs - before < emailsApartMs)
      record.violated('emails_apart', `${email} was sent an invitation again ${atMs - before} ms after the last time.`);
    last.set(email, atMs);
  }
}

/** Nobody writes approvals but people, and no call is made for a job that is not known. */
export function checkNeverMeant(jobs: readonly SimulatedJob[], { store, record, api }: Evidence): void {
  const known = new Set<string>(jobs.map(({ jobId }) => jobId));
  for (const { jobId, email } of api.personCalls)
    if (!known.has(jobId)) record.violated('no_defect', `${email} is the business of no job, but of ${jobId}.`);
  for (const key of store.keys('jobs/')) {
    const jobId = key.split('/')[1] ?? '';
    if (!known.has(jobId)) record.violated('no_defect', `${key} belongs to no job.`);
    if (key === approvalKey(jobId as never) && !/"by":"(?:alice|mallory)"/u.test(store.text(key) ?? ''))
      record.violated('held_is_kept', `${key} was written by nobody.`);
  }
}
