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
import type { Stop } from '../../lambdas/ledger/stop.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import type { DoitApiModel, PersonCall, User } from './doitApiModel.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { Record } from './record.ts';
import type { Roster, RosterRow } from './roster.ts';
import type { SimulatedRun } from './schedules.ts';

export interface SimulatedJob {
  readonly jobId: JobId;
  readonly key: string;
  readonly roster: Roster;
  readonly uploadedAtMs: number;
  /** Whether nobody is to be invited. */
  readonly dryRun: boolean;
  /** More invitations than this hold it. */
  readonly newPeopleMax?: number;
  /** Where it is a run of a roster. */
  readonly run?: Pick<SimulatedRun, 'name' | 'rules' | 'scheduledAtMs'>;
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
  /** By key. */
  readonly firstWrittenAtMs: ReadonlyMap<string, number>;
  /** When somebody first approved a job, by its id. */
  readonly approvedAtMs: ReadonlyMap<string, number>;
}

export interface ReportedRow {
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
const writtenOnce = /^jobs\/[^/]+\/(?:(?:job|directory|manifest|stop|open|end)\.json|drift\.jsonl|parts\/)/u;

/** Held at every write: what is final stays as it is. */
export function checkWrite(store: ObjectStoreModel, record: Record) {
  return (key: string, text: string, before: string | undefined): void => {
    if (before === undefined) return;
    if (writtenOnce.test(key)) record.violated('written_once', `${key} was written again.`);
    if (/\/chunks\//u.test(key)) checkChunk(key, parseChunk(before), parseChunk(text), record);
    if (key.startsWith('reports/')) checkReportWrite(key, text, before, store, record);
  };
}

/** The report of a held job makes way for the final one, and for nothing else. */
function checkReportWrite(key: string, text: string, before: string, store: ObjectStoreModel, record: Record): void {
  const summary = store.text(key.replace(/[^/]+$/u, 'summary.json'));
  if (summary === undefined) return;
  const isSummary = key.endsWith('/summary.json');
  const mayChange = isOfHeldJob(summary) && !(isSummary && isOfHeldJob(text));
  if (!mayChange && (isSummary || before !== text))
    record.violated('report_stays', `${key} was written after the summary was there.`);
}

function isOfHeldJob(summary: string): boolean {
  return (JSON.parse(summary) as Summary).state === 'held';
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
  const manifest = JSON.parse(store.text(manifestKey(job.jobId)) ?? '{}') as Partial<Manifest>;
  checkFiles(job, summary, job.run === undefined || manifest.fault !== undefined ? 3 : 4, evidence);
  const rows = reportedRows(read('results.csv') ?? '');
  checkRows(job, rows, summary, record);
  checkCounts(job, rows, summary, record);
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

function checkFiles(
  { key, jobId }: SimulatedJob,
  { files }: Summary,
  filesWanted: number,
  { store, record }: Evidence,
): void {
  for (const { name, sha256 } of files) {
    const text = store.text(reportKey(key, jobId, name as ReportFile)) ?? '';
    if (createHash('sha256').update(text).digest('hex') !== sha256)
      record.violated('report_whole', `${name} of ${jobId} is not the file that the summary names.`);
  }
  if (files.length !== filesWanted)
    record.violated('report_whole', `The summary of ${jobId} names ${files.length} files.`);
}

/** @param text `results.csv`, whose first columns are those of the upload. */
export function reportedRows(text: string): ReportedRow[] {
  const [header = [], ...records] = parse(text, { bom: true, relax_column_count: true }) as string[][];
  const cellsOfUpload = header.indexOf('invite_row');
  return records.map((record) => {
    const cell = (name: string) => record[header.indexOf(name)] ?? '';
    return {
      cells: record.slice(0, cellsOfUpload),
      row: Number(cell('invite_row')),
      status: cell('invite_status'),
      code: cell('invite_code'),
      userId: cell('invite_user_id'),
      attempts: Number(cell('invite_attempts')),
    };
  });
}

function checkRows(
  { jobId, roster }: SimulatedJob,
  rows: readonly ReportedRow[],
  summary: Summary,
  record: Record,
): void {
  const wanted = roster.rows.map(({ cells }, index) =>
    [index + 2, ...roster.header.map((_name, column) => cells[column] ?? '')].join('|'),
  );
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

/** Codes of rows about which somebody has decided, or has still to decide. */
const decided: readonly string[] = ['held', 'not_approved', 'superseded'];

/** What a second try could save comes in `retry.csv`, as it came in. */
function checkRetry({ jobId, roster }: SimulatedJob, rows: readonly ReportedRow[], text: string, record: Record): void {
  const isWorthIt = ({ status, code }: ReportedRow) =>
    (['failed', 'unknown', 'not_attempted'].includes(status) && !decided.includes(code)) || code === 'forbidden';
  const wanted = rows.filter(isWorthIt).map(({ cells }) => cells.join(','));
  if ([roster.header.join(','), ...wanted, ''].join('\n') !== text)
    record.violated('report_whole', `retry.csv of ${jobId} does not have the rows that a second try could save.`);
}

/** The report says what the parts say, row for row. */
function checkParts({ jobId }: SimulatedJob, rows: readonly ReportedRow[], { store, record }: Evidence): void {
  const outcomes = store
    .keys(partsPrefixOf(jobId))
    .flatMap((key) => (store.text(key) ?? '').split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as Outcome | { end: object })
    .filter((line): line is Outcome => !('end' in line))
    .concat(rows.filter(({ code }) => code === 'held').map(({ row }) => heldOutcome(row)))
    .sort((left, right) => left.row - right.row);
  const describe = ({ row, status, code }: { row: number; status: string; code: string }) => `${row} ${status} ${code}`;
  if (outcomes.map(describe).join('\n') !== rows.map(describe).join('\n'))
    record.violated('parts_are_report', `The parts of ${jobId} are not what its report says.`);
}

/** Of these there is no part: no worker has seen them. */
function heldOutcome(row: number): Outcome {
  return { row, status: 'not_attempted', code: 'held', attempts: 0 };
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
  const wrong =
    before === undefined ? wrongOf(job, email, reported, evidence) : wrongOfUser(job, before, reported, evidence);
  for (const [check, isWrong, found] of wrong) {
    if (isWrong)
      record.violated(check, `Row ${row} of ${job.jobId} (${email}) ${found}, and is reported as ${status}.`);
  }
}

type Wrong = readonly (readonly [check: string, isWrong: boolean, found: string])[];

function wrongOfUser(
  { jobId, run, dryRun }: SimulatedJob,
  before: User,
  { status, code }: ReportedRow,
  { api, hadFaults }: Evidence,
): Wrong {
  const { email, status: statusBefore } = before;
  const wanted: string[] = ['active', 'invited'].includes(statusBefore)
    ? [`already_${statusBefore}`]
    : ['already_exists'];
  const isOpen = ['invited', 'expired'].includes(statusBefore);
  // Another run may have sent it again before.
  if (isOpen) wanted.push('already_invited');
  const mayBeResent = isOpen && run?.rules.resendAfterMs !== undefined && !dryRun;
  // The person has accepted since, or was disabled: a look-up before the call has seen it, or the call was refused.
  const hasChanged = api.users.get(email)?.status !== statusBefore;
  if (mayBeResent && hasChanged && code === 'appeared_meanwhile') wanted.push('already_active', 'already_exists');
  if (mayBeResent && hasChanged && code === 'resend_refused') wanted.push('rejected');
  if (mayBeResent) wanted.push('resent', 'not_attempted', ...(hadFaults ? ['unknown', 'failed', 'rejected'] : []));
  const wasResent = api.resendings.some((resending) => resending.jobId === jobId && resending.email === email);
  return [
    ['oracle', !wanted.includes(status), `was ${statusBefore} before`],
    ['resent_exactly', wasResent && status !== 'resent' && status !== 'unknown', 'was sent an invitation again'],
    ['resent_exactly', !wasResent && status === 'resent', 'was sent nothing'],
    ['dry_run', code === 'would_resend' && !dryRun, 'is in a job that is no dry run'],
  ];
}

const endsWithoutFaults: readonly string[] = ['invited', 'not_attempted', 'would_invite', 'resent'];

function wrongOf(job: SimulatedJob, email: string, reported: ReportedRow, evidence: Evidence): Wrong {
  const { api, hadFaults } = evidence;
  const { row, status, code } = reported;
  const user = api.users.get(email);
  const isOurs = user?.createdBy === job.jobId;
  const wasThere = status.startsWith('already_');
  const isRefused = email.startsWith('refused');
  // Without any fault, too, two jobs may meet at one person; and a stop may come before the look-up that would tell.
  const isStopped = stopOf(job.jobId, evidence.store) !== undefined;
  const isCutShort = isStopped && (status === 'unknown' || status === 'rejected');
  const isLeftInDoubt = isCutShort || code === 'invited_by_one_of_several';
  const wasResent = api.resendings.some((resending) => resending.jobId === job.jobId && resending.email === email);
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
    ['resent_exactly', wasResent && status !== 'resent' && status !== 'unknown', 'was sent an invitation again'],
    ['resent_exactly', !wasResent && status === 'resent', 'was sent nothing'],
    ['dry_run', job.dryRun ? status !== 'would_invite' && !wasThere : status === 'would_invite', 'is'],
    [
      'no_faults_no_failures',
      !hadFaults && !endsWithoutFaults.includes(status) && !isLeftInDoubt && !wasThere && !isRefused,
      'met no fault',
    ],
  ];
}

function wrongDetails(job: SimulatedJob, email: string, reported: ReportedRow, { api }: Evidence): Wrong {
  const { status, userId, attempts } = reported;
  return [
    ['right_user', userId !== '' && userId !== api.users.get(email)?.id, `is reported as the user ${userId}`],
    ['right_user', status === 'invited' && userId === '', 'is reported without a user'],
    ['attempts', attempts > attemptsOf(job.jobId, email, api).length, `has ${attempts} attempts`],
  ];
}

function attemptsOf(jobId: JobId, email: string, api: DoitApiModel): PersonCall[] {
  return [...callsOf('invite', jobId, email, api), ...callsOf('resend', jobId, email, api)];
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

function settledAtMs(jobId: JobId, row: number, evidence: Evidence): number {
  const state = chunkOf(jobId, row, evidence)?.state;
  return state?.kind === 'settled' ? state.atMs : 0;
}

function callsOf(kind: PersonCall['kind'], jobId: JobId, email: string, { personCalls }: DoitApiModel): PersonCall[] {
  return personCalls.filter((call) => call.kind === kind && call.jobId === jobId && call.email === email);
}

/** Codes that other checks look into. */
const checkedElsewhere: ReadonlySet<string> = new Set([
  'created',
  'confirmed_by_look_up',
  'appeared_meanwhile',
  'look_up_refused',
  'resent',
  'would_resend',
  'would_invite',
]);

function checkSeveral({ jobCount }: Evidence, without: (what: string) => void): void {
  if (jobCount === 1) without('and there is one job');
}

/** Nobody is given up lightly: what a code says has happened, has happened. */
function checkCause(job: SimulatedJob, email: string, { row, status, code }: ReportedRow, evidence: Evidence): void {
  const { api, record, store } = evidence;
  const { jobId } = job;
  if (checkedElsewhere.has(code)) return;
  const without = (what: string) =>
    record.violated('given_up_with_cause', `Row ${row} of ${jobId} (${email}) is ${status}, ${code}, ${what}.`);
  const invitations = attemptsOf(jobId, email, api);
  const lookUps = callsOf('look_up', jobId, email, api);
  switch (code) {
    case 'resent_recently':
      if (!wasResentByAnother(jobId, email, evidence)) without('and nobody else did');
      return;
    case 'held':
      if (statusOfJob(job, store) !== 'held') without('and the job is not held');
      return;
    case 'user_gone':
      return checkGone(lookUps, without);
    case 'retries_exhausted':
    case 'look_up_failed':
      return checkTries(status, invitations, lookUps, without);
    case 'refused_by_api':
    case 'resend_refused':
    case 'forbidden':
      if (!invitations.some(({ httpStatus = 0 }) => isRefusal(httpStatus))) without('and was not refused');
      return;
    case 'api_down':
      return checkWaited(job, settledAtMs(jobId, row, evidence), `Row ${row}`, evidence);
    case 'worker_cut_off':
      if (disturbancesOf(jobId, row, evidence) < workerLimits.crashesWithoutProgressMax)
        without('and its worker was not cut off so often');
      return;
    case 'key_refused':
    case 'key_forbidden':
    case 'too_many_rejected':
    case 'cancelled':
    case 'not_approved':
    case 'superseded':
      if (stopOf(jobId, store)?.code !== code) without('and the job was not stopped for that');
      return;
    case 'invited_by_one_of_several':
      return checkSeveral(evidence, without);
    default:
      if (!status.startsWith('already_')) without('which nobody knows');
  }
}

/** What another job had begun to send need not have arrived, where something went wrong. */
function wasResentByAnother(jobId: JobId, email: string, { api, hadFaults }: Evidence): boolean {
  return hadFaults || api.resendings.some((other) => other.email === email && other.jobId !== jobId);
}

export function statusOfJob({ key, jobId }: SimulatedJob, store: ObjectStoreModel): Summary['state'] | undefined {
  const summary = store.text(reportKey(key, jobId, 'summary.json'));
  return summary === undefined ? undefined : (JSON.parse(summary) as Summary).state;
}

export function stopOf(jobId: JobId, store: ObjectStoreModel): Stop | undefined {
  const text = store.text(stopKey(jobId));
  return text === undefined ? undefined : (JSON.parse(text) as Stop);
}

function checkGone(lookUps: readonly PersonCall[], without: (what: string) => void): void {
  if (!lookUps.some(({ read }) => read?.found === false)) without('and no look-up found nobody');
}

function checkTries(
  status: string,
  invitations: readonly PersonCall[],
  lookUps: readonly PersonCall[],
  without: (what: string) => void,
): void {
  if (invitations.length + lookUps.length <= workerLimits.rowRetriesMax) without('after a few calls');
  // An invitation that is sent again is known to the API by its key.
  const isResend = invitations.some(({ kind }) => kind === 'resend');
  if (status === 'unknown' && !isResend && !isLookedUpAfter(invitations.at(-1), lookUps))
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
    if (kind !== 'invite') continue;
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
  for (const [index, job] of jobs.entries()) {
    const { jobId, uploadedAtMs } = job;
    if (mayTakeLonger(job, evidence)) continue;
    const reportedAtMs = reports[index] ?? 0;
    if (reportedAtMs - uploadedAtMs > undisturbedMs)
      record.violated(
        'no_faults_no_delay',
        `Job ${jobId} took ${reportedAtMs - uploadedAtMs} ms, and nothing held it up.`,
      );
    const isAlone = jobs.every(
      (other, at) =>
        other.jobId === jobId ||
        other.dryRun ||
        other.uploadedAtMs > reportedAtMs ||
        (reports[at] ?? 0) + 2000 < uploadedAtMs,
    );
    const isNeeded = ({ kind, email }: PersonCall) => kind !== 'look_up' || email.startsWith('refused');
    if (isAlone && !api.personCalls.filter((call) => call.jobId === jobId).every(isNeeded))
      record.violated('no_faults_no_look_ups', `Job ${jobId} was alone, and looked people up.`);
  }
}

/** Until somebody has decided; or because its upload has still to come. */
function mayTakeLonger({ jobId }: SimulatedJob, { store, approvedAtMs }: Evidence): boolean {
  return approvedAtMs.has(jobId) || stopOf(jobId, store) !== undefined || isHeldFirst(jobId, store);
}

export function isHeldFirst(jobId: JobId, store: ObjectStoreModel): boolean {
  const manifest = JSON.parse(store.text(manifestKey(jobId)) ?? '{}') as Partial<Manifest>;
  return manifest.hold !== undefined;
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

/**
 * No call starts later than this after a stop was written: what the command promises to whoever cancels. It holds for every
 * environment, also one whose store is slow or cannot be reached, and one that stood still in between.
 */
const stopHeededMs = 10_000;

export function checkStopIsKept(job: SimulatedJob, { store, api, record, firstWrittenAtMs }: Evidence): void {
  const stop = stopOf(job.jobId, store);
  if (stop === undefined) return;
  const stoppedAtMs = firstWrittenAtMs.get(stopKey(job.jobId)) ?? 0;
  for (const { jobId, email, invocationBeganAtMs, decidedAtMs } of api.personCalls) {
    if (jobId !== job.jobId) continue;
    if (invocationBeganAtMs > stoppedAtMs)
      record.violated(
        'stop_is_kept',
        `${jobId} called the API about ${email} from an invocation after it had stopped.`,
      );
    if (decidedAtMs > stoppedAtMs + stopHeededMs)
      record.violated('stop_is_kept', `${jobId} called about ${email} ${decidedAtMs - stoppedAtMs} ms after its stop.`);
  }
}
