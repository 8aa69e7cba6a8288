/**
 * Reads and judges a file as ingest would, with a directory that nobody is in yet.
 */
import { describeColumns, type Mapping, readColumns } from '../lambdas/core/columns.ts';
import { domainKey } from '../lambdas/core/email.ts';
import { WholeFileFault } from '../lambdas/core/fault.ts';
import type { Invitee } from '../lambdas/core/invitee.ts';
import { type JudgeContext, type JudgeMemory, judgeRow, newMemory, warningsOf } from '../lambdas/core/judge.ts';
import { needsAttention, noCounts, type Outcome, type Status } from '../lambdas/core/outcome.ts';
import { findReading, headerOnly, isRow, type Reading } from '../lambdas/core/reading.ts';
import type { TextRecord } from '../lambdas/core/recordReader.ts';
import type { CsvFormat } from '../lambdas/ports.ts';

export interface CheckRules {
  readonly mapping: Mapping;
  readonly allowedDomains: readonly string[];
  readonly invitesGone: boolean;
  /** So many problems, and so many notices, are kept; the others are counted. */
  readonly listedMax: number;
}

export interface CheckResult {
  /** How the file is read. Absent where it cannot be. */
  readonly reading?: Reading;
  /** Which header was taken for what, and which were not taken. */
  readonly columns?: { readonly used: Readonly<Record<string, string>>; readonly ignored: readonly string[] };
  readonly rows: number;
  /** Rows that would be looked for in the directory, and invited where they are not in it. */
  readonly invitees: number;
  readonly counts: Readonly<Record<Status, number>>;
  readonly firstInvitees: readonly (Invitee & { readonly row: number })[];
  /** Rows that need attention, and those that are left out; the first ones in full. */
  readonly problems: { readonly count: number; readonly first: readonly Outcome[] };
  readonly notices: {
    readonly count: number;
    readonly first: readonly Pick<Outcome, 'row' | 'status' | 'column' | 'message'>[];
  };
  readonly warnings: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

const inviteesShown = 5;

/** @param open Gives the bytes of the file, from the beginning, each time. */
export async function checkUpload(
  open: () => AsyncIterable<Uint8Array>,
  csv: CsvFormat,
  rules: CheckRules,
): Promise<CheckResult> {
  const tally = newTally(rules.listedMax);
  try {
    const { reading, header } = findReading(await csv.inspect(open()), rules.mapping);
    tally.reading = reading;
    const columns = readColumns(header, rules.mapping);
    tally.columns = columns;
    const context: JudgeContext = {
      columns,
      users: new Map(),
      invitesGone: rules.invitesGone,
      isEncodingGuessed: reading.encoding === 'windows-1252',
      allowedDomains: new Set(rules.allowedDomains.map(domainKey)),
    };
    const memory = newMemory();
    for await (const batch of csv.read(open(), reading)) {
      for (const record of batch) if (isRow(record, reading)) judge(record, context, memory, tally);
    }
    tally.warnings = [...columns.warnings, ...warningsOf(memory)];
    if (tally.rows === 0) throw headerOnly();
  } catch (error) {
    if (!(error instanceof WholeFileFault)) throw error;
    return { ...resultOf(tally), error: error.fault };
  }
  return resultOf(tally);
}

type Columns = ReturnType<typeof readColumns>;

function newTally(listedMax: number) {
  return {
    listedMax,
    reading: undefined as Reading | undefined,
    columns: undefined as Columns | undefined,
    rows: 0,
    invitees: 0,
    counts: noCounts(),
    firstInvitees: [] as (Invitee & { row: number })[],
    problems: { count: 0, first: [] as Outcome[] },
    notices: { count: 0, first: [] as Pick<Outcome, 'row' | 'status' | 'column' | 'message'>[] },
    warnings: [] as readonly string[],
  };
}

type Tally = ReturnType<typeof newTally>;

function judge(record: TextRecord, context: JudgeContext, memory: JudgeMemory, tally: Tally): void {
  tally.rows += 1;
  const judgement = judgeRow(record, context, memory);
  if (judgement.kind === 'settled') {
    const { outcome } = judgement;
    tally.counts[outcome.status] += 1;
    note(needsAttention(outcome.status) ? tally.problems : tally.notices, outcome, tally.listedMax);
    return;
  }
  const { row, invitee, warning: message } = judgement.inviteeRow;
  tally.invitees += 1;
  if (tally.firstInvitees.length < inviteesShown) tally.firstInvitees.push({ row, ...invitee });
  if (message !== undefined) note(tally.notices, { row, status: 'would_invite', message }, tally.listedMax);
}

function note<T>(list: { count: number; first: T[] }, item: T, listedMax: number): void {
  list.count += 1;
  if (list.first.length < listedMax) list.first.push(item);
}

function resultOf({ reading, columns, listedMax: _listedMax, ...rest }: Tally): CheckResult {
  return {
    ...rest,
    ...(reading === undefined ? {} : { reading }),
    ...(columns === undefined ? {} : { columns: describeColumns(columns) }),
  };
}
