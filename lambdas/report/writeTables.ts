/**
 * Reads the upload again beside its outcomes and writes `results.csv` and `retry.csv`, in constant memory.
 */
import { BrokenInvariant, type Fault, isCurable, WholeFileFault } from '../core/fault.ts';
import { isWorthRetrying, noCounts, type Outcome, type Status } from '../core/outcome.ts';
import type { Job } from '../ledger/job.ts';
import type { ReportFileEntry } from '../ledger/summary.ts';
import type { Csv, CsvFormat, CsvRecord, ObjectStore } from '../ports.ts';
import { writeReportFile } from './reportFile.ts';
import { resultsTable } from './resultsTable.ts';

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
  const results = writeReportFile(store, job.source.key, job.jobId, 'results.csv', 'text/csv; charset=utf-8');
  const retry = writeReportFile(store, job.source.key, job.jobId, 'retry.csv', 'text/csv; charset=utf-8');
  const counts = noCounts();
  const attention: Outcome[] = [];
  let lines: (readonly string[])[] = [];
  try {
    const upload = await openUpload(job, store, csv, fault);
    const newline = upload?.newline ?? '\n';
    let table: ReturnType<typeof resultsTable> | undefined;
    for await (const { row, cells, raw } of readable(upload, fault)) {
      if (table === undefined) {
        table = resultsTable(cells);
        const mark = upload?.hasByteOrderMark === true ? byteOrderMark : '';
        await results.write(mark + csv.format([table.header], newline), 0);
        await retry.write(mark + raw + newline, 0);
        continue;
      }
      const outcome = await outcomeOf(row);
      counts[outcome.status] += 1;
      if (attention.length < attentionMax && outcome.status !== 'not_attempted' && isShown(outcome)) attention.push(outcome);
      lines.push(table.line(cells, outcome));
      if (lines.length >= recordsPerFormat) await writeLines(newline);
      if (isWorthRetrying(outcome.status) && (fault === undefined || isCurable(fault.code))) await retry.write(raw + newline, 1);
    }
    await writeLines(newline);
    const files = [await results.close(), await retry.close()];
    return { rows: files[0]?.rows ?? 0, counts, files, attention };
  } catch (error) {
    await Promise.all([results.abort(), retry.abort()]);
    throw error;
  }

  async function writeLines(newline: Csv['newline']): Promise<void> {
    const batch = lines;
    lines = [];
    if (batch.length > 0) await results.write(csv.format(batch, newline), batch.length);
  }
}

function isShown({ status, message }: Outcome): boolean {
  return status === 'invited' ? message !== undefined : !['already_active', 'already_invited', 'already_exists'].includes(status);
}

async function openUpload(job: Job, store: ObjectStore, csv: CsvFormat, fault: Fault | undefined): Promise<Csv | undefined> {
  const bytes = await store.readBytes(job.source);
  if (bytes !== undefined && fault?.code !== 'file_too_large') {
    try {
      return await csv.read(bytes);
    } catch (error) {
      if (fault !== undefined && error instanceof WholeFileFault) return undefined;
      throw error;
    }
  }
  if (fault !== undefined) return undefined;
  throw new BrokenInvariant(`The upload of job ${job.jobId} was replaced or deleted before its report was written.`);
}

/** After a fault of the whole upload, what can be read of it is reported, and its unreadable end is what the fault is about. */
async function* readable(upload: Csv | undefined, fault: Fault | undefined): AsyncGenerator<CsvRecord> {
  if (upload === undefined) return;
  try {
    yield* upload.records;
  } catch (error) {
    if (fault === undefined || !(error instanceof WholeFileFault)) throw error;
  }
}
