/**
 * Reads the upload again beside its outcomes and writes `results.csv` and `retry.csv`, in constant memory. Where the upload
 * is gone by now, the outcomes alone account for every row.
 */
import { BrokenInvariant, type Fault, isCurable } from '../core/fault.ts';
import type { ReportFile } from '../core/keys.ts';
import { writeLimits } from '../core/limits.ts';
import { isWorthRetrying, noCounts, type Outcome, type Status } from '../core/outcome.ts';
import { isRow, type Reading } from '../core/reading.ts';
import type { TextRecord } from '../core/recordReader.ts';
import type { Job } from '../ledger/job.ts';
import { isCancel } from '../ledger/stop.ts';
import type { ReportFileEntry } from '../ledger/summary.ts';
import type { CsvFormat, ObjectStore } from '../ports.ts';
import { type ReportPlace, writeReportFile } from './reportFile.ts';
import { type ResultsTable, resultsTable } from './resultsTable.ts';

export interface Tables {
  readonly rows: number;
  readonly counts: Record<Status, number>;
  readonly files: readonly ReportFileEntry[];
  /** Rows of which somebody's decision is the reason for what became of them. */
  readonly decided: number;
  /** Ids of the users whose invitation was sent again. */
  readonly resentTo: readonly string[];
  /** The first rows that a person has to look at. */
  readonly attention: readonly Outcome[];
  /** The upload was replaced or deleted: its own columns are not in the tables. */
  readonly isUploadGone: boolean;
}

export interface Outcomes {
  /** Gives what became of a row; called for every row, in order. */
  readonly of: (row: number) => Promise<Outcome>;
  /** All that are known without the upload, in order. */
  readonly all: () => AsyncIterable<Outcome>;
  /** Told how many rows were reported, before anything of the tables can be seen. */
  readonly end: (rows: number) => Promise<void>;
}

const byteOrderMark = '\ufeff';

/**
 * @param reading How ingest read the upload; undefined where it could not, and then there is no row to report.
 * @param fault Why no row was handled, where that is so.
 * @throws BrokenInvariant where rows and outcomes do not go side by side.
 */
export async function writeTables(
  { source }: Pick<Job, 'source'>,
  place: ReportPlace,
  store: ObjectStore,
  csv: CsvFormat,
  reading: Reading | undefined,
  fault: Fault | undefined,
  outcomes: Outcomes,
): Promise<Tables> {
  const upload = reading === undefined ? undefined : await store.readBytes(source);
  const isUploadGone = reading !== undefined && upload === undefined;
  const tables = openTables(place, store, csv, reading, fault === undefined || isCurable(fault.code));
  try {
    if (isUploadGone) await fillFromOutcomes(tables, outcomes);
    else if (reading !== undefined && upload !== undefined)
      await fillTables(tables, csv.read(upload, reading), reading, outcomes);
    await outcomes.end(tables.rows());
    return { ...(await tables.close()), isUploadGone };
  } catch (error) {
    await tables.abort();
    throw error;
  }
}

async function fillTables(
  tables: ReturnType<typeof openTables>,
  batches: AsyncIterable<readonly TextRecord[]>,
  reading: Reading,
  outcomes: Outcomes,
): Promise<void> {
  for await (const batch of batches) {
    for (const record of batch) {
      if (record.row < reading.firstRow) tables.addHead(record);
      else if (isRow(record, reading)) tables.addRow(record, await outcomes.of(record.row));
    }
    await tables.flush();
  }
}

async function fillFromOutcomes(tables: ReturnType<typeof openTables>, outcomes: Outcomes): Promise<void> {
  tables.addHeader([]);
  let waiting = 0;
  for await (const outcome of outcomes.all()) {
    tables.addLine([], outcome);
    waiting = (waiting + 1) % writeLimits.linesAtOnce;
    if (waiting === 0) await tables.flush();
  }
}

function openTables(
  place: ReportPlace,
  store: ObjectStore,
  csv: CsvFormat,
  reading: Reading | undefined,
  mayRetry: boolean,
) {
  const { encoding, hasByteOrderMark, headerRow, ...dialect } = reading ?? unread;
  const open = (name: ReportFile, encode: (text: string) => string | Uint8Array) =>
    writeReportFile(store, place, name, 'text/csv; charset=utf-8', encode);
  const results = open('results.csv', (text) => text);
  // To be uploaded as it is, so it is written as the upload was.
  const retry = open('retry.csv', (text) => csv.encode(text, encoding));
  const counts = noCounts();
  const attention: Outcome[] = [];
  const resentTo: string[] = [];
  let decided = 0;
  let table: ResultsTable | undefined;
  let lines: (readonly string[])[] = [];

  // People open it: spreadsheets take a file for their own old encoding unless the mark says otherwise.
  results.add(byteOrderMark, 0);
  if (hasByteOrderMark) retry.add(byteOrderMark, 0);
  return {
    addHeader,
    addLine,
    rows: () => Object.values(counts).reduce((sum, count) => sum + count, 0),
    addHead: ({ row, cells, raw }: TextRecord) => {
      retry.add(raw + dialect.newline, 0);
      if (row === headerRow) addHeader(cells);
    },
    addRow: ({ cells, raw }: TextRecord, outcome: Outcome) => {
      addLine(cells, outcome);
      if (mayRetry && isWorthRetrying(outcome)) retry.add(raw + dialect.newline, 1);
    },
    flush: async () => {
      formatLines();
      await results.flush();
      await retry.flush();
    },
    close: async (): Promise<Omit<Tables, 'isUploadGone'>> => {
      formatLines();
      const files = [await results.close(), await retry.close()];
      return { rows: files[0]?.rows ?? 0, counts, files, decided, resentTo, attention };
    },
    abort: async () => {
      await Promise.all([results.abort(), retry.abort()]);
    },
  };

  function addHeader(cells: readonly string[]): void {
    table = resultsTable(cells);
    results.add(csv.format([table.header], dialect), 0);
  }

  function addLine(cells: readonly string[], outcome: Outcome): void {
    if (table === undefined) throw new BrokenInvariant('A row came before the header.');
    counts[outcome.status] += 1;
    if (isCancel(outcome)) decided += 1;
    if (outcome.status === 'resent' && outcome.userId !== undefined) resentTo.push(outcome.userId);
    if (attention.length < writeLimits.attentionRowsMax && isShown(outcome)) attention.push(outcome);
    lines.push(table.line(cells, outcome));
  }

  /** Together: one by one takes several times as long. */
  function formatLines(): void {
    if (lines.length > 0) results.add(csv.format(lines, dialect), lines.length);
    lines = [];
  }
}

/** What the empty files of a report look like where the upload could not be read. */
const unread = { encoding: 'utf-8', hasByteOrderMark: false, headerRow: 1, delimiter: ',', newline: '\n' } as const;

/** What ended early is told once for all rows, and what was there before needs no one to look. */
function isShown({ status, message }: Outcome): boolean {
  switch (status) {
    case 'invited':
      return message !== undefined;
    case 'not_attempted':
    case 'already_active':
    case 'already_invited':
    case 'already_exists':
      return false;
    default:
      return true;
  }
}
