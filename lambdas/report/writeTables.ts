/**
 * Reads the upload again beside its outcomes and writes `results.csv` and `retry.csv`, in constant memory.
 */
import { BrokenInvariant, type Fault, isCurable, WholeFileFault } from '../core/fault.ts';
import { isWorthRetrying, noCounts, type Outcome, type Status } from '../core/outcome.ts';
import type { Job } from '../ledger/job.ts';
import type { ReportFileEntry } from '../ledger/summary.ts';
import type { Csv, CsvFormat, CsvRecord, ObjectStore } from '../ports.ts';
import { writeReportFile } from './reportFile.ts';
import { type ResultsTable, resultsTable } from './resultsTable.ts';

export interface Tables {
  readonly rows: number;
  readonly counts: Record<Status, number>;
  readonly files: readonly ReportFileEntry[];
  /** The first rows that a person has to look at. */
  readonly attention: readonly Outcome[];
}

/** Gives what became of a row; called for every row, in order. */
export type OutcomeOf = (row: number) => Promise<Outcome>;

/** Rows that the report for people shows. */
const attentionMax = 200;
/** Records that are formatted together: one by one takes several times as long. */
const recordsPerFormat = 500;

const byteOrderMark = '\ufeff';

/**
 * @param fault Why no row was handled, where that is so: then reading may end early, at what cannot be read.
 * @throws BrokenInvariant where the upload is not there any more.
 */
export async function writeTables(
  job: Job,
  store: ObjectStore,
  csv: CsvFormat,
  fault: Fault | undefined,
  outcomeOf: OutcomeOf,
): Promise<Tables> {
  const upload = await openUpload(job, store, csv, fault);
  const tables = openTables(job, store, csv, upload, fault === undefined || isCurable(fault.code));
  try {
    let isHeader = true;
    for await (const record of readable(upload, fault)) {
      if (isHeader) await tables.addHeader(record);
      else await tables.addRow(record, await outcomeOf(record.row));
      isHeader = false;
    }
    return await tables.close();
  } catch (error) {
    await tables.abort();
    throw error;
  }
}

function openTables(job: Job, store: ObjectStore, csv: CsvFormat, upload: Csv | undefined, mayRetry: boolean) {
  const contentType = 'text/csv; charset=utf-8';
  const results = writeReportFile(store, job.source.key, job.jobId, 'results.csv', contentType);
  const retry = writeReportFile(store, job.source.key, job.jobId, 'retry.csv', contentType);
  const newline = upload?.newline ?? '\n';
  const mark = upload?.hasByteOrderMark === true ? byteOrderMark : '';
  const counts = noCounts();
  const attention: Outcome[] = [];
  let table: ResultsTable | undefined;
  let lines: (readonly string[])[] = [];

  return {
    addHeader: async ({ cells, raw }: CsvRecord) => {
      table = resultsTable(cells);
      await results.write(mark + csv.format([table.header], newline), 0);
      await retry.write(mark + raw + newline, 0);
    },
    addRow: async ({ cells, raw }: CsvRecord, outcome: Outcome) => {
      if (table === undefined) throw new BrokenInvariant('A row came before the header.');
      counts[outcome.status] += 1;
      if (attention.length < attentionMax && isShown(outcome)) attention.push(outcome);
      lines.push(table.line(cells, outcome));
      if (lines.length >= recordsPerFormat) await writeLines();
      if (mayRetry && isWorthRetrying(outcome.status)) await retry.write(raw + newline, 1);
    },
    close: async (): Promise<Tables> => {
      await writeLines();
      const files = [await results.close(), await retry.close()];
      return { rows: files[0]?.rows ?? 0, counts, files, attention };
    },
    abort: async () => {
      await Promise.all([results.abort(), retry.abort()]);
    },
  };

  async function writeLines(): Promise<void> {
    const batch = lines;
    lines = [];
    if (batch.length > 0) await results.write(csv.format(batch, newline), batch.length);
  }
}

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

async function openUpload(
  job: Job,
  store: ObjectStore,
  csv: CsvFormat,
  fault: Fault | undefined,
): Promise<Csv | undefined> {
  if (fault?.code === 'file_too_large') return undefined;
  const bytes = await store.readBytes(job.source);
  if (bytes === undefined) {
    if (fault !== undefined) return undefined;
    throw new BrokenInvariant(`The upload of job ${job.jobId} was replaced or deleted before its report was written.`);
  }
  try {
    return await csv.read(bytes);
  } catch (error) {
    if (fault !== undefined && error instanceof WholeFileFault) return undefined;
    throw error;
  }
}

/** After a fault of the whole upload, what can be read of it is reported; its unreadable end is what the fault is about. */
async function* readable(upload: Csv | undefined, fault: Fault | undefined): AsyncGenerator<CsvRecord> {
  if (upload === undefined) return;
  try {
    yield* upload.records;
  } catch (error) {
    if (fault === undefined || !(error instanceof WholeFileFault)) throw error;
  }
}
