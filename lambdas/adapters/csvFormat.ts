/**
 * CSV: UTF-8 with or without a byte order mark, commas, quoted cells, any line ending.
 */
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import { WholeFileFault } from '../core/fault.ts';
import { uploadLimits } from '../core/limits.ts';
import type { Csv, CsvFormat, CsvRecord } from '../ports.ts';

const byteOrderMark = '\ufeff';

export const csvFormat: CsvFormat = {
  read: readCsv,
  format: (records, newline) =>
    stringify(
      records.map((cells) => [...cells]),
      // Every kind of line break in a cell is quoted, not only the one that ends our records.
      { record_delimiter: newline, escape_formulas: true, quoted_match: /[\r\n]/u },
    ),
};

async function readCsv(bytes: AsyncIterable<Uint8Array>): Promise<Csv> {
  const texts = decode(bytes);
  let beginning = '';
  // The first line ending tells all others that we write; it is within the first record.
  while (!/\n|\r[\s\S]/u.test(beginning) && beginning.length < uploadLimits.recordBytesMax) {
    const next = await texts.next();
    if (next.done === true) break;
    beginning += next.value;
  }
  const hasByteOrderMark = beginning.startsWith(byteOrderMark);
  const withoutMark = hasByteOrderMark ? beginning.slice(byteOrderMark.length) : beginning;
  return { newline: firstNewline(withoutMark), hasByteOrderMark, records: parseRecords(prepend(withoutMark, texts)) };
}

/** @throws WholeFileFault `not_utf8` */
async function* decode(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let bytesRead = 0;
  for await (const piece of bytes) {
    yield decodeOrFail(() => decoder.decode(piece, { stream: true }), bytesRead);
    bytesRead += piece.length;
  }
  yield decodeOrFail(() => decoder.decode(), bytesRead);
  return undefined;
}

function decodeOrFail(decodePiece: () => string, bytesRead: number): string {
  try {
    return decodePiece();
  } catch (cause) {
    const message =
      `The file is not UTF-8 text: after byte ${bytesRead} there are bytes that cannot be read. ` +
      'Save it as “CSV UTF-8” (in Excel: Save As, file type CSV UTF-8) and upload it again.';
    throw new WholeFileFault('not_utf8', message, { cause });
  }
}

function firstNewline(text: string): Csv['newline'] {
  const found = /\r\n|\n|\r/u.exec(text)?.[0];
  return found === '\r\n' || found === '\r' ? found : '\n';
}

async function* prepend(beginning: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield beginning;
  yield* rest;
}

/** csv-parse types its records as `any`. */
/** csv-parse leaves a part of the line ending on, or all of it. */
function withoutNewline(raw: string): string {
  const end = raw.endsWith('\r\n') ? 2 : raw.endsWith('\n') || raw.endsWith('\r') ? 1 : 0;
  return raw.slice(0, raw.length - end);
}

const positionSchema = z.object({ records: z.number() });
const parsedSchema = z.object({ record: z.array(z.string()), raw: z.string() });

async function* parseRecords(texts: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  const parser = parse({
    raw: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    // A record of another width than the header is that row's fault alone.
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: uploadLimits.recordBytesMax,
  });
  pipeline(Readable.from(texts), parser, () => undefined);
  let row = 0;
  try {
    for await (const parsed of parser) {
      const { record: cells, raw } = parsedSchema.parse(parsed);
      row += 1;
      if (cells.some((cell) => cell.trim() !== '')) yield { row, cells, raw: withoutNewline(raw) };
    }
  } catch (error) {
    throw error instanceof CsvError ? notCsv(error) : error;
  }
}

function notCsv(cause: CsvError): WholeFileFault {
  // The parser tells where it was; the records that it had ready when it failed may not have been given any more.
  const { records: row } = positionSchema.parse(cause);
  const after = row === 0 ? 'at its beginning' : `after row ${row}`;
  const found =
    cause.code === 'CSV_QUOTE_NOT_CLOSED' || cause.code === 'CSV_MAX_RECORD_SIZE'
      ? 'a double quote opens a cell and is never closed'
      : `it is not CSV (${cause.code})`;
  const next = 'Close the quote, or write a quote inside a cell as two quotes, and upload the file again.';
  return new WholeFileFault('not_csv', `The file cannot be read ${after}: ${found}. ${next}`, { cause });
}
