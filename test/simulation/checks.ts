/**
 * What must hold of every simulated job, held against the ledger of the API model and the oracle of the input.
 */
import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
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
import type { Summary } from '../../lambdas/ledger/summary.ts';
import type { DoitApiModel, User } from './doitApiModel.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { Record } from './record.ts';
import type { Roster, RosterRow } from './roster.ts';

export interface SimulatedJob {
  readonly jobId: JobId;
  readonly key: string;
  readonly roster: Roster;
}

export interface Evidence {
  readonly store: ObjectStoreModel;
  readonly api: DoitApiModel;
  readonly record: Record;
  /** Chunks whose worker did not end in order: `job chunk`. */
  readonly disturbedChunks: ReadonlySet<string>;
  /** Users before anything began. */
  readonly usersBefore: ReadonlyMap<string, User>;
  readonly hadFaults: boolean;
}

interface ReportedRow {
  readonly cells: readonly string[];
  readonly row: number;
  readonly status: string;
  readonly code: string;
}

/** Objects that are written once and never again. */
const writtenOnce = /^jobs\/[^/]+\/(?:(?:job|directory|manifest|stop)\.json|parts\/)|\/summary\.json$/u;

/** Held at every write: what is final stays as it is. */
export function checkWrite(store: ObjectStoreModel, record: Record) {
  return (key: string, text: string, before: string | undefined): void => {
    if (before === undefined) return;
    if (writtenOnce.test(key)) record.violated('written_once', `${key} was written again.`);
    if (isSettled(key, before)) record.violated('settled_stays', `${key} was settled and was written again.`);
    const summaryKey = key.replace(/[^/]+$/u, 'summary.json');
    if (key.startsWith('reports/') && store.text(summaryKey) !== undefined && before !== text)
      record.violated('report_stays', `${key} changed after the summary was there.`);
  };
}

function isSettled(key: string, text: string): boolean {
  return /\/chunks\//u.test(key) && (JSON.parse(text) as { state: { kind: string } }).state.kind === 'settled';
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
  const manifest = JSON.parse(store.text(manifestKey(job.jobId)) ?? '{}') as { fault?: object };
  if (manifest.fault === undefined) checkParts(job, rows, evidence);
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
  return records.map(([email = '', firstName = '', row = '', status = '', code = '']) => ({
    cells: [email, firstName],
    row: Number(row),
    status,
    code,
  }));
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
function checkPerson(job: SimulatedJob, email: string, { row, status }: ReportedRow, evidence: Evidence): void {
  const { api, record, usersBefore, hadFaults } = evidence;
  const before = usersBefore.get(email);
  const user = api.users.get(email);
  const isOurs = user?.createdBy === job.jobId;
  const wasThere = status.startsWith('already_');
  const isRefused = email.startsWith('refused');
  const violated = (check: string, found: string) =>
    record.violated(check, `Row ${row} of ${job.jobId} (${email}) ${found}, and is reported as ${status}.`);
  if (before !== undefined) {
    const wanted = before.status === 'Disabled' ? 'already_exists' : `already_${before.status}`;
    if (status !== wanted) violated('oracle', `was ${before.status} before`);
    return;
  }
  const wrong: readonly (readonly [check: string, isWrong: boolean, found: string])[] = [
    ['invited_exactly', isOurs && status !== 'invited' && status !== 'unknown', 'was invited by this job'],
    ['invited_exactly', !isOurs && status === 'invited', 'was not invited by this job'],
    ['oracle', user === undefined && wasThere, 'is not in the directory'],
    ['oracle', status === 'duplicate' || status === 'invalid', 'is a person of its own'],
    [
      'unknown_has_a_cause',
      status === 'unknown' && !isAmbiguous(job.jobId, email, row, evidence),
      'met nothing ambiguous',
    ],
    ['no_faults_no_failures', !hadFaults && status !== 'invited' && !wasThere && !isRefused, 'met no fault'],
  ];
  for (const [check, isWrong, found] of wrong) if (isWrong) violated(check, found);
}

function isAmbiguous(jobId: JobId, email: string, row: number, { api, store, disturbedChunks }: Evidence): boolean {
  if (api.ambiguous.has(`${jobId} ${email}`)) return true;
  for (const key of store.keys(chunksPrefixOf(jobId))) {
    const { chunk, rows } = JSON.parse(store.text(key) ?? '{}') as { chunk: number; rows: readonly { row: number }[] };
    if (rows.some((candidate) => candidate.row === row)) return disturbedChunks.has(`${jobId} ${chunk}`);
  }
  return false;
}

/**
 * Nobody is invited who exists already, where a look-up could have told: the person was there when the call was decided, and
 * the job had not looked just before and found nobody.
 */
export function checkSecondInvitations({ api, record }: Evidence): void {
  for (const { jobId, email, decidedAtMs } of api.inviteCalls) {
    const user = api.users.get(email);
    if (user === undefined || user.createdAtMs >= decidedAtMs) continue;
    const hadJustLooked = api.lookUpCalls.some(
      (lookUp) =>
        lookUp.jobId === jobId &&
        lookUp.email === email &&
        !lookUp.found &&
        lookUp.arrivedAtMs <= decidedAtMs &&
        lookUp.arrivedAtMs >= decidedAtMs - workerLimits.lookUpHoldsMs,
    );
    if (!hadJustLooked)
      record.violated('no_second_invitation', `${jobId} invited ${email} at ${decidedAtMs}, who existed already.`);
  }
}

export function checkStopIsKept(job: SimulatedJob, { store, record }: Evidence): void {
  const stop = store.text(stopKey(job.jobId));
  const summary = store.text(reportKey(job.key, job.jobId, 'summary.json'));
  if (stop === undefined || summary === undefined) return;
  if ((JSON.parse(summary) as Summary).state !== 'failed')
    record.violated('stop_is_told', `Job ${job.jobId} stopped itself, and its report does not say so.`);
}
