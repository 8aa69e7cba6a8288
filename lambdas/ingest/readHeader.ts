/**
 * Finds the header of an upload and what its columns hold.
 */
import { type Columns, readColumns } from '../core/columns.ts';
import { WholeFileFault } from '../core/fault.ts';
import type { CsvRecord } from '../ports.ts';

/**
 * Takes the header off the records, and sees to it that there is a row below it.
 *
 * @throws WholeFileFault `empty_file`, `header_only`, or what `readColumns` throws.
 */
export async function readHeader(records: AsyncIterable<CsvRecord>): Promise<Columns> {
  let columns: Columns | undefined;
  for await (const { cells } of records) {
    if (columns !== undefined) return columns;
    columns = readColumns(cells);
  }
  if (columns === undefined) {
    throw new WholeFileFault(
      'empty_file',
      'The file is empty. It needs a header row with an email column, and a row for each person.',
    );
  }
  throw new WholeFileFault(
    'header_only',
    'The file has a header, but no rows below it. Add a row for each person and upload it again.',
  );
}
