/**
 * CSV files as people and systems really write them: bytes to records and back.
 */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import { EncodingSurvey } from '../core/encoding.ts';
import { WholeFileFault } from '../core/fault.ts';
import { isGzip, otherKindOf, signatureBytes } from '../core/fileKind.ts';
import { neutralize } from '../core/formula.ts';
import { uploadLimits } from '../core/limits.ts';
import type { Inspection, Reading } from '../core/reading.ts';
import { RecordReader, type TextRecord } from '../core/recordReader.ts';
import type { CsvFormat } from '../ports.ts';
import { encodeText } from './encodeText.ts';

export const csvFormat: CsvFormat = {
  inspect,
  read,
  format: (records, { delimiter, newline }) =>
    // Every kind of line break in a cell is quoted, not only the one that ends the records.
    stringify(
      records.map((cells) => cells.map(neutralize)),
      { delimiter, record_delimiter: newline, quoted_match: /[\r\n]/u },
    ),
  encode: encodeText,
};

/** Looks at every byte: what speaks for or against an encoding may stand at the very end. */
async function inspect(bytes: AsyncIterable<Uint8Array>): Promise<Inspection> {
  const survey = new EncodingSurvey();
  const kept: Uint8Array[] = [];
  let keptBytes = 0;
  let isWhole = true;
  for await (const piece of plainBytes(bytes)) {
    survey.add(piece);
    const rest = uploadLimits.sampleBytes - keptBytes;
    if (rest > 0) kept.push(piece.subarray(0, rest));
    isWhole &&= piece.length <= rest;
    keptBytes += Math.min(piece.length, rest);
  }
  const finding = survey.end();
  if (finding.kind === 'undecodable') throw undecodable(finding.reason);
  const { encoding, hasByteOrderMark } = finding;
  // A character that is cut apart at the end of the sample is left out of it.
  const sample = new TextDecoder(encoding).decode(Buffer.concat(kept), { stream: true });
  return { encoding, hasByteOrderMark, sample, isWhole };
}

async function* read(
  bytes: AsyncIterable<Uint8Array>,
  { encoding, delimiter, width }: Reading,
): AsyncGenerator<TextRecord[]> {
  const decoder = new TextDecoder(encoding);
  const reader = new RecordReader({ delimiter, width });
  for await (const piece of plainBytes(bytes)) yield reader.push(decoder.decode(piece, { stream: true }));
  yield reader.push(decoder.decode());
  yield reader.end();
}

/** @throws WholeFileFault `not_text`, `damaged_gzip` or `file_too_large` */
async function* plainBytes(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytesRead = 0;
  for await (const piece of unzipped(bytes)) {
    bytesRead += piece.length;
    if (bytesRead > uploadLimits.textBytesMax) throw tooLarge();
    yield piece;
  }
}

async function* unzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { beginning, all } = await peek(bytes);
  if (!isGzip(beginning)) return yield* textOnly(beginning, all);
  const source = Readable.from(all);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  try {
    const unpacked = await peek(source.pipe(gunzip));
    yield* textOnly(unpacked.beginning, unpacked.all);
  } catch (cause) {
    if (!isZlibError(cause)) throw cause;
    throw new WholeFileFault(
      'damaged_gzip',
      'The compressed file is damaged or cut off. Compress it again, or upload it as it is.',
      { cause },
    );
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function* textOnly(beginning: Uint8Array, all: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const other = otherKindOf(beginning);
  for await (const piece of all) {
    if (other !== undefined) throw new WholeFileFault('not_text', `This file is ${other.what}, not CSV. ${other.next}`);
    yield piece;
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** The first bytes, and all bytes again from the first one. */
async function peek(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly beginning: Uint8Array; readonly all: AsyncGenerator<Uint8Array> }> {
  const source = bytes[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < signatureBytes) {
    const next = await source.next();
    if (next.done === true) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  const beginning = Buffer.concat(pieces);
  return { beginning, all: resume(beginning, source) };
}

async function* resume(beginning: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield beginning;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}

function undecodable(reason: string): WholeFileFault {
  return new WholeFileFault(
    'undecodable',
    `The encoding of the file could not be made out: ${reason}. ` +
      'Save it as “CSV UTF-8” (in Excel: Save As, file type CSV UTF-8) and upload it again.',
  );
}

function tooLarge(): WholeFileFault {
  const limit = `${uploadLimits.textBytesMax / 1024 / 1024} MiB`;
  return new WholeFileFault(
    'file_too_large',
    `The file holds more than ${limit} of text. Split it and upload the pieces.`,
  );
}
