/**
 * How an upload is read: found once, from the whole file, and kept so that the report reads it the same way.
 */
import { isEmailHeader, type Mapping } from './columns.ts';
import { type Delimiter, findDialect } from './dialect.ts';
import type { Encoding } from './encoding.ts';
import { WholeFileFault } from './fault.ts';
import { headerKey } from './headerName.ts';
import { uploadLimits } from './limits.ts';
import { RecordReader, type RecordShape, type TextRecord } from './recordReader.ts';

export type Newline = '\n' | '\r\n' | '\r';

export interface Reading {
  readonly encoding: Encoding;
  readonly hasByteOrderMark: boolean;
  readonly delimiter: Delimiter;
  readonly newline: Newline;
  /** The row that names the columns. Title lines may stand above it. */
  readonly headerRow: number;
  /** Rows from this one on are people: there may be a second line of headers, with labels. */
  readonly firstRow: number;
  /** Cells of the header. */
  readonly width: number;
}

/** What is known of a file when all its bytes have been looked at. */
export interface Inspection {
  readonly encoding: Encoding;
  readonly hasByteOrderMark: boolean;
  /** The beginning of its text, without the byte order mark. */
  readonly sample: string;
  /** Whether the sample is the whole text. */
  readonly isWhole: boolean;
}

/**
 * Finds the header, and how to read on from it. Where no record names an email column, it takes the best one for a header.
 *
 * @throws WholeFileFault `empty_file` or `header_only`
 */
export function findReading(
  inspection: Inspection,
  mapping: Mapping,
): { readonly reading: Reading; readonly header: readonly string[] } {
  const { encoding, hasByteOrderMark, sample, isWhole } = inspection;
  const { delimiter, skippedRecords } = findDialect(sample);
  const read = (width?: number) =>
    readSample(sample, isWhole, width === undefined ? { delimiter } : { delimiter, width }).slice(skippedRecords);
  const width = findHeader(read().filter(isNotBlank), mapping)?.cells.length;
  if (width === undefined) throw emptyFile();
  // Once more with the width: as the whole file will be read, so that the rows have the same numbers.
  const all = read(width);
  const records = all.filter(isNotBlank);
  const header = findHeader(records, mapping);
  if (header === undefined) throw emptyFile();
  const below = records.filter(({ row }) => row > header.row);
  const labels = below[0] !== undefined && isSecondHeader(below[0], header) ? below[0] : undefined;
  if (isWhole && below.length === (labels === undefined ? 0 : 1)) throw headerOnly();
  const reading: Reading = {
    encoding,
    hasByteOrderMark,
    delimiter,
    newline: newlineAfter(sample, all[0]?.raw ?? ''),
    headerRow: header.row,
    firstRow: (labels ?? header).row + 1,
    width: header.cells.length,
  };
  return { reading, header: header.cells };
}

/** Whether a record is a row: below the header, and not blank. */
export function isRow(record: TextRecord, { firstRow }: Pick<Reading, 'firstRow'>): boolean {
  return record.row >= firstRow && (record.damage !== undefined || isNotBlank(record));
}

function isNotBlank({ cells }: TextRecord): boolean {
  return cells.some((cell) => cell.trim() !== '');
}

function readSample(sample: string, isWhole: boolean, shape: RecordShape): TextRecord[] {
  const reader = new RecordReader(shape);
  const records = reader.push(sample);
  return isWhole ? [...records, ...reader.end()] : records;
}

/** The first record that names an email column and holds no address itself; else the first one, for the message. */
function findHeader(records: readonly TextRecord[], mapping: Mapping): TextRecord | undefined {
  const candidates = records.slice(0, uploadLimits.headerLookedForInRecords);
  const isHeader = ({ cells }: TextRecord) =>
    mapping.email === undefined
      ? cells.some(isEmailHeader)
      : cells.some((cell) => headerKey(cell) === headerKey(mapping.email ?? ''));
  return candidates.find((record) => isHeader(record) && !holdsAddress(record)) ?? widest(candidates);
}

/** Some systems write the columns' keys and, in the next line, their labels: of the email column, too. */
function isSecondHeader(record: TextRecord, header: TextRecord): boolean {
  if (record.cells.length !== header.cells.length || holdsAddress(record)) return false;
  return header.cells.some((name, index) => isEmailHeader(name) && isEmailHeader(record.cells[index] ?? ''));
}

function holdsAddress({ cells }: TextRecord): boolean {
  return cells.some((cell) => cell.includes('@'));
}

/** Title lines above a header are narrower than it. */
function widest(records: readonly TextRecord[]): TextRecord | undefined {
  return records.reduce<TextRecord | undefined>(
    (best, record) => (best === undefined || record.cells.length > best.cells.length ? record : best),
    undefined,
  );
}

/** The line ending of the first record: a line break within one of its cells may be of another kind. */
function newlineAfter(text: string, firstRecord: string): Newline {
  const found = /^(?:\r\n|\n|\r)/u.exec(text.slice(text.indexOf(firstRecord) + firstRecord.length))?.[0];
  return found === '\r\n' || found === '\r' ? found : '\n';
}

function emptyFile(): WholeFileFault {
  return new WholeFileFault(
    'empty_file',
    'The file is empty. It needs a header row with an email column, and a row for each person.',
  );
}

export function headerOnly(): WholeFileFault {
  return new WholeFileFault(
    'header_only',
    'The file has a header, but no rows below it. Add a row for each person and upload it again.',
  );
}
