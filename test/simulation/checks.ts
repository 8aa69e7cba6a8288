/**
 * What must hold of every simulated job, held against the ledger of the API model and the oracle of the input.
 */
import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import type { Chunk } from '../../lambdas/core/chunk.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import {
  chunksPrefixOf,
  manifestKey,
  partsPrefixOf,
  type ReportFile,
  reportKey,
  stopKey,
} from '../../lambdas/core/keys.ts';
import { workerLimits } from '../../lambdas/core/limits.ts';
import type { Outcome } from '../../lambdas/core/outcome.ts';
import type { Manifest } from '../../lambdas/ledger/manifest.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import type { DoitApiModel, PersonCall, User } from './doitApiModel.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { Record } from './record.ts';
import type { Roster, RosterRow } from './roster.ts';

export interface SimulatedJob {
  readonly jobId: JobId;
  readonly key: string;
  readonly roster: Roster;
  readonly uploadedAtMs: number;
}

export interface Evidence {
  readonly store: ObjectStoreModel;
  readonly api: DoitApiModel;
  readonly record: Record;
  /** How often the worker of a chunk did not end in order: by `job chunk`. */
  readonly disturbances: ReadonlyMap<string, number>;
  readonly giveUpMs: number;
  readonly jobCount: number;
  /** How long the API was down, all outages together. */
  readonly outageMs: number;
  /** Users before anything began. */
  readonly usersBefore: ReadonlyMap<string, User>;
  readonly hadFaults: boolean;
}

interface ReportedRow {
  readonly cells: readonly string[];
  readonly row: number;
  readonly status: string;
  readonly code: string;
  readonly userId: string;
  readonly attempts: number;
}

/** A job of forty rows that nothing holds up. */
const undisturbedMs = 10 * 60_000;

/** Of each chunk, and of ingest: with pauses of 15 minutes four an hour, and twice as many where messages came twice. */
const callsInLongOutage = { first: 12, inAnHour: 12 } as const;
/** Answers 429 about one person. */
const slowDownsMax = 40;

/** Objects that are written once and never again. */
const writtenOnce = /^jobs\/[^/]+\/(?:(?:job|directory|manifest|stop)\.json|parts\/)|\/summary\.json$/u;

/** Held at every write: what is final stays as it is. */
export function checkWrite(store: ObjectStoreModel, record: Record) {
  return (key: string, text: string, before: string | undefined): void => {
    if (before === undefined) return;
    if (writtenOnce.test(key)) record.violated('written_once', `${key} was written again.`);
    if (/\/chunks\//u.test(key)) checkChunk(key, parseChunk(before), parseChunk(text), record);
    const summaryKey = key.replace(/[^/]+$/u, 'summary.json');
    if (key.startsWith('reports/') && store.text(summaryKey) !== undefined && before !== text)
      record.violated('report_stays', `${key} changed after the summary was there.`);
  };
}

type StoredChunk = Pick<Chunk, 'chunk' | 'state' | 'rows' | 'token'>;

function parseChunk(text: string): StoredChunk {
  return JSON.parse(text) as StoredChunk;
}

/** A chunk only goes forward: what a row has come to stays, and no attempt is forgotten. */
function checkChunk(key: string, before: StoredChunk, after: StoredChunk, record: Record): void {
  if (before.state.kind === 'settled') record.violated('settled_stays', `${key} was settled and was written again.`);
  if (before.token === after.token) record.violated('own_token', `${key} was written twice with the same token.`);
  for (const [index, { row, outcome, attempts }] of before.rows.entries()) {
    const now = after.rows[index];
    if (outcome !== undefined && JSON.stringify(now?.outcome) !== JSON.stringify(outcome))
      record.violated('outcome_stays', `Row ${row} in ${key} was ${outcome.status}, and its outcome was changed.`);
    if ((now?.attempts ?? 0) < attempts) record.violated('outcome_stays', `Row ${row} in ${key} lost an attempt.`);
  }
}

export function checkJob(job: SimulatedJob, evidence: Evidence): void {
  const { store, record } = evidence;
  const read = (file: ReportFile) => store.text(reportKey(job.key, job.jobId, file));
  const summaryText = read('summary.json');
  if (summaryText === undefined) return record.violated('liveness', `Job ${job.jobId} has no report.`);
  const summary = JSON.parse(summaryText) as Summary;
  checkFiles(job, summary, evidence);
  const rows = reportedRows(read('results.csv') ?? '');
  checkRows(job, rows, summary, record);
  checkCounts(job, rows, summary, record);
  const manifest = JSON.parse(store.text(manifestKey(job.jobId)) ?? '{}') as Partial<Manifest>;
  if (manifest.fault === undefined) {
    checkParts(job, rows, evidence);
    checkRetry(job, rows, read('retry.csv') ?? '', record);
  } else if (manifest.fault.code === 'api_unreachable') {
    checkWaited(job, Number(manifest.endedAtMs), 'The job', evidence);
  }
  for (const [index, row] of rows.entries()) {
    const input = job.roster.rows[index];
    if (input === undefined) continue;
    if (manifest.fault === undefined) checkOutcome(job, input, row, evidence);
    else if (row.status !== 'not_attempted')
      record.violated('oracle', `Row ${row.row}: ${row.status} in a failed job.`);
  }
}

function checkFiles({ key, jobId }: SimulatedJob, { files }: Summary, { store, record }: Evidence): void {
  for (const { name, sha256 } of files) {
    const text = store.text(reportKey(key, jobId, name as ReportFile)) ?? '';
    if (createHash('sha256').update(text).digest('hex') !== sha256)
      record.violated('report_whole', `${name} of ${jobId} is not the file that the summary names.`);
  }
  if (files.length !== 3) record.violated('report_whole', `The summary of ${jobId} names ${files.length} files.`);
}

function reportedRows(text: string): ReportedRow[] {
  const [, ...records] = parse(text, { bom: true, relax_column_count: true }) as string[][];
  return records.map(
    ([
      email = '',
      firstName = '',
      row = '',
      status = '',
      code = '',
      _column,
      _message,
      userId = '',
      _status,
      attempts = '',
    ]) => ({
      cells: [email, firstName],
      row: Number(row),
      status,
      code,
      userId,
      attempts: Number(attempts),
    }),
  );
}

function checkRows(
  { jobId, roster }: SimulatedJob,
  rows: readonly ReportedRow[],
  summary: Summary,
  record: Record,
): void {
  const wanted = roster.rows.map(({ cells }, index) => [index + 2, ...cells].join('|'));
  const found = rows.map(({ row, cells }) => [row, ...cells].join('|'));
  if (wanted.join('\n') !== found.join('\n'))
    record.violated('rows_once', `The report of ${jobId} has ${found.length} rows, the upload ${wanted.length}.`);
  if (summary.rows !== wanted.length) record.violated('rows_once', `The summary of ${jobId} counts ${summary.rows}.`);
}

function checkCounts({ jobId }: SimulatedJob, rows: readonly ReportedRow[], { counts }: Summary, record: Record): void {
  for (const [status, count] of Object.entries(counts)) {
    const found = rows.filter((row) => row.status === status).length;
    if (found !== count)
      record.violated('report_whole', `The summary of ${jobId} counts ${count} ${status}, not ${found}.`);
  }
}

/** What a second try could save comes in `retry.csv`, as it came in. */
function checkRetry({ jobId }: SimulatedJob, rows: readonly ReportedRow[], text: string, record: Record): void {
  const isWorthIt = ({ status, code }: ReportedRow) =>
    ['failed', 'unknown', 'not_attempted'].includes(status) || code === 'forbidden';
  const wanted = rows.filter(isWorthIt).map(({ cells }) => cells.join(','));
  if (['Email,First name', ...wanted, ''].join('\n') !== text)
    record.violated('report_whole', `retry.csv of ${jobId} does not have the rows that a second try could save.`);
}

/** The report says what the parts say, row for row. */
function checkParts({ jobId }: SimulatedJob, rows: readonly ReportedRow[], { store, record }: Evidence): void {
  const outcomes = store
    .keys(partsPrefixOf(jobId))
    .flatMap((key) => (store.text(key) ?? '').split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as Outcome | { end: object })
    .filter((line): line is Outcome => !('end' in line))
    .sort((left, right) => left.row - right.row);
  const describe = ({ row, status, code }: { row: number; status: string; code: string }) => `${row} ${status} ${code}`;
  if (outcomes.map(describe).join('\n') !== rows.map(describe).join('\n'))
    record.violated('parts_are_report', `The parts of ${jobId} are not what its report says.`);
}

function checkOutcome(job: SimulatedJob, { expected }: RosterRow, row: ReportedRow, evidence: Evidence): void {
  const { record } = evidence;
  const { status } = row;
  if (expected.kind !== 'person') {
    if (status !== expected.kind)
      record.violated('oracle', `Row ${row.row} of ${job.jobId} is ${expected.kind}, and reported as ${status}.`);
    return;
  }
  checkPerson(job, expected.email, row, evidence);
}

/** What may be said of a person, given what really took effect. */
function checkPerson(job: SimulatedJob, email: string, reported: ReportedRow, evidence: Evidence): void {
  const { record, usersBefore } = evidence;
  const { row, status } = reported;
  checkCause(job, email, reported, evidence);
  const before = usersBefore.get(email);
  const wrong = before === undefined ? wrongOf(job, email, reported, evidence) : wrongOfUser(before, status);
  for (const [check, isWrong, found] of wrong) {
    if (isWrong)
      record.violated(check, `Row ${row} of ${job.jobId} (${email}) ${found}, and is reported as ${status}.`);
  }
}

type Wrong = readonly (readonly [check: string, isWrong: boolean, found: string])[];

function wrongOfUser(before: User, status: string): Wrong {
  const wanted = before.status === 'Disabled' ? 'already_exists' : `already_${before.status}`;
  return [['oracle', status !== wanted, `was ${before.status} before`]];
}

function wrongOf(job: SimulatedJob, email: string, reported: ReportedRow, evidence: Evidence): Wrong {
  const { api, hadFaults } = evidence;
  const { row, status } = reported;
  const user = api.users.get(email);
  const isOurs = user?.createdBy === job.jobId;
  const wasThere = status.startsWith('already_');
  const isRefused = email.startsWith('refused');
  return [
    ['invited_exactly', isOurs && status !== 'invited' && status !== 'unknown', 'was invited by this job'],
    ['invited_exactly', !isOurs && status === 'invited', 'was not invited by this job'],
    ['oracle', user === undefined && wasThere, 'is not in the directory'],
    ['oracle', status === 'duplicate' || status === 'invalid', 'is a person of its own'],
    [
      'unknown_has_a_cause',
      status === 'unknown' && !isAmbiguous(job.jobId, email, row, evidence),
      'met nothing ambiguous',
    ],
    ...wrongDetails(job, email, reported, evidence),
    ['no_faults_no_failures', !hadFaults && status !== 'invited' && !wasThere && !isRefused, 'met no fault'],
  ];
}

function wrongDetails(job: SimulatedJob, email: string, reported: ReportedRow, { api }: Evidence): Wrong {
  const { status, userId, attempts } = reported;
  return [
    ['right_user', userId !== '' && userId !== api.users.get(email)?.id, `is reported as the user ${userId}`],
    ['right_user', status === 'invited' && userId === '', 'is reported without a user'],
    ['attempts', attempts > callsOf('invite', job.jobId, email, api).length, `has ${attempts} attempts`],
  ];
}

function isAmbiguous(jobId: JobId, email: string, row: number, evidence: Evidence): boolean {
  return evidence.api.ambiguous.has(`${jobId} ${email}`) || disturbancesOf(jobId, row, evidence) > 0;
}

function disturbancesOf(jobId: JobId, row: number, evidence: Evidence): number {
  return evidence.disturbances.get(`${jobId} ${chunkOf(jobId, row, evidence)?.chunk}`) ?? 0;
}

function chunkOf(jobId: JobId, row: number, { store }: Evidence): StoredChunk | undefined {
  return store
    .keys(chunksPrefixOf(jobId))
    .map((key) => parseChunk(store.text(key) ?? ''))
    .find(({ rows }) => rows.some((candidate) => candidate.row === row));
}

function callsOf(kind: PersonCall['kind'], jobId: JobId, email: string, { personCalls }: DoitApiModel): PersonCall[] {
  return personCalls.filter((call) => call.kind === kind && call.jobId === jobId && call.email === email);
}

/** Nobody is given up lightly: what a code says has happened, has happened. */
function checkCause(job: SimulatedJob, email: string, { row, status, code }: ReportedRow, evidence: Evidence): void {
  const { api, record, jobCount, store } = evidence;
  const { jobId } = job;
  const without = (what: string) =>
    record.violated('given_up_with_cause', `Row ${row} of ${jobId} (${email}) is ${status}, ${code}, ${what}.`);
  const invitations = callsOf('invite', jobId, email, api);
  const lookUps = callsOf('look_up', jobId, email, api);
  switch (code) {
    case 'created':
    case 'confirmed_by_look_up':
    case 'appeared_meanwhile':
    case 'look_up_refused':
      return;
    case 'retries_exhausted':
    case 'look_up_failed':
      return checkTries(status, invitations, lookUps, without);
    case 'refused_by_api':
    case 'forbidden':
      if (!invitations.some(({ httpStatus = 0 }) => isRefusal(httpStatus))) without('and was not refused');
      return;
    case 'api_down': {
      const state = chunkOf(jobId, row, evidence)?.state;
      return checkWaited(job, state?.kind === 'settled' ? state.atMs : 0, `Row ${row}`, evidence);
    }
    case 'worker_cut_off':
      if (disturbancesOf(jobId, row, evidence) < workerLimits.crashesWithoutProgressMax)
        without('and its worker was not cut off so often');
      return;
    case 'key_refused':
    case 'key_forbidden':
      if (store.text(stopKey(jobId)) === undefined) without('and the job has not stopped');
      return;
    case 'invited_by_one_of_several':
      if (jobCount === 1) without('and there is one job');
      return;
    default:
      if (!status.startsWith('already_')) without('which nobody knows');
  }
}

function checkTries(
  status: string,
  invitations: readonly PersonCall[],
  lookUps: readonly PersonCall[],
  without: (what: string) => void,
): void {
  if (invitations.length + lookUps.length <= workerLimits.rowRetriesMax) without('after a few calls');
  if (status === 'unknown' && !isLookedUpAfter(invitations.at(-1), lookUps))
    without('and was not looked up after the last attempt');
}

function isLookedUpAfter(last: PersonCall | undefined, lookUps: readonly PersonCall[]): boolean {
  return lookUps.some(({ decidedAtMs }) => decidedAtMs > (last?.decidedAtMs ?? 0));
}

/** 408 and 409 say nothing definite. */
function isRefusal(httpStatus: number): boolean {
  return httpStatus >= 400 && httpStatus < 500 && ![401, 408, 409, 429].includes(httpStatus);
}

function checkWaited(
  { jobId, uploadedAtMs }: SimulatedJob,
  atMs: number,
  what: string,
  { record, giveUpMs }: Evidence,
) {
  if (atMs - uploadedAtMs < giveUpMs)
    record.violated(
      'given_up_with_cause',
      `${what} of ${jobId} was given up ${atMs - uploadedAtMs} ms after the upload, before the give-up time of ${giveUpMs}.`,
    );
}

/**
 * Nobody is invited who exists already, where a look-up could have told: the person was there when the call was decided, and
 * the job had not looked just before and found nobody. Nor is anybody invited again by a job that did not look after its
 * last attempt, whether or not that one took effect.
 */
export function checkSecondInvitations({ api, record }: Evidence): void {
  for (const { kind, jobId, email, decidedAtMs } of api.personCalls) {
    if (kind === 'look_up') continue;
    const earlier = api.personCalls.filter(
      (call) => call.jobId === jobId && call.email === email && call.decidedAtMs < decidedAtMs,
    );
    const seenLast = earlier.filter(({ read }) => read !== undefined && read.atMs <= decidedAtMs).at(-1)?.read;
    const seenAtMs = seenLast?.found === false ? seenLast.atMs : Number.NEGATIVE_INFINITY;
    const user = api.users.get(email);
    const wasThere = user !== undefined && user.createdAtMs < decidedAtMs;
    if (wasThere && seenAtMs < decidedAtMs - workerLimits.lookUpHoldsMs)
      record.violated('no_second_invitation', `${jobId} invited ${email} at ${decidedAtMs}, who existed already.`);
    const attempt = earlier.findLast((call) => call.kind === 'invite' && mayHaveTakenEffect(call));
    if (attempt !== undefined && seenAtMs < attempt.decidedAtMs)
      record.violated('no_second_invitation', `${jobId} invited ${email} again at ${decidedAtMs} without a look.`);
  }
}

function mayHaveTakenEffect({ httpStatus }: PersonCall): boolean {
  return httpStatus !== 429 && httpStatus !== 401;
}

/** With nothing in its way, a job is done soon, makes no call more than it needs, and has nothing to complain about. */
export function checkUndisturbed(jobs: readonly SimulatedJob[], evidence: Evidence): void {
  const { api, record, store } = evidence;
  for (const error of record.errors) record.violated('no_faults_no_errors', error);
  const reports = jobs.map(({ key, jobId }) => store.info(reportKey(key, jobId, 'summary.json'))?.modifiedAtMs ?? 0);
  for (const [index, { jobId, uploadedAtMs }] of jobs.entries()) {
    const reportedAtMs = reports[index] ?? 0;
    if (reportedAtMs - uploadedAtMs > undisturbedMs)
      record.violated(
        'no_faults_no_delay',
        `Job ${jobId} took ${reportedAtMs - uploadedAtMs} ms, and nothing held it up.`,
      );
    const isAlone = jobs.every(
      (other, at) =>
        other.jobId === jobId || other.uploadedAtMs > reportedAtMs || (reports[at] ?? 0) + 2000 < uploadedAtMs,
    );
    const isNeeded = ({ kind, email }: PersonCall) => kind === 'invite' || email.startsWith('refused');
    if (isAlone && !api.personCalls.filter((call) => call.jobId === jobId).every(isNeeded))
      record.violated('no_faults_no_look_ups', `Job ${jobId} was alone, and looked people up.`);
  }
}

/** An API that is down, or says that it is too much, is not hammered. */
export function checkPatience({ jobId }: SimulatedJob, { api, store, record, outageMs }: Evidence): void {
  const units = store.keys(chunksPrefixOf(jobId)).length + 1;
  const calls = api.callsWhileLongDown.get(jobId) ?? 0;
  const callsMax = units * (callsInLongOutage.first + (callsInLongOutage.inAnHour * outageMs) / 3_600_000);
  if (calls > callsMax) record.violated('no_hammering', `${jobId} made ${calls} calls while the API was long down.`);
  const slowDowns = new Map<string, number>();
  for (const { email, httpStatus, jobId: caller } of api.personCalls)
    if (caller === jobId && httpStatus === 429) slowDowns.set(email, (slowDowns.get(email) ?? 0) + 1);
  for (const [email, count] of slowDowns)
    if (count > slowDownsMax)
      record.violated('no_hammering', `${jobId} was told ${count} times to slow down about ${email}.`);
}

/** No invitation leaves from an invocation that began after the job had stopped itself. */
export function checkStopIsKept(job: SimulatedJob, { store, api, record }: Evidence): void {
  const stop = store.text(stopKey(job.jobId));
  const summary = store.text(reportKey(job.key, job.jobId, 'summary.json'));
  if (stop === undefined || summary === undefined) return;
  if ((JSON.parse(summary) as Summary).state !== 'failed')
    record.violated('stop_is_told', `Job ${job.jobId} stopped itself, and its report does not say so.`);
  const stoppedAtMs = (store.info(stopKey(job.jobId))?.modifiedAtMs ?? 0) + 1000;
  for (const { jobId, email, invocationBeganAtMs } of api.personCalls)
    if (jobId === job.jobId && invocationBeganAtMs > stoppedAtMs)
      record.violated('stop_is_kept', `${jobId} called the API about ${email} after it had stopped.`);
}
