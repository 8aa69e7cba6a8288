import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvFormat } from '../../../lambdas/adapters/csvFormat.ts';
import { encodeText } from '../../../lambdas/adapters/encodeText.ts';
import type { Encoding } from '../../../lambdas/core/encoding.ts';
import { WholeFileFault } from '../../../lambdas/core/fault.ts';
import { uploadLimits } from '../../../lambdas/core/limits.ts';
import { findReading, isRow, type Reading } from '../../../lambdas/core/reading.ts';
import type { TextRecord } from '../../../lambdas/core/recordReader.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const reading = (changes: Partial<Reading> = {}): Reading => ({
  encoding: 'utf-8',
  hasByteOrderMark: false,
  delimiter: ',',
  newline: '\n',
  headerRow: 1,
  firstRow: 2,
  width: 2,
  ...changes,
});

const inspect = (bytes: Uint8Array, size = 1000) => csvFormat.inspect(pieces(bytes, size));

async function read(bytes: Uint8Array, changes: Partial<Reading> = {}, size = 3): Promise<TextRecord[]> {
  return (await Array.fromAsync(csvFormat.read(pieces(bytes, size), reading(changes)))).flat();
}

const cellsOf = (records: readonly TextRecord[]) => records.map(({ cells }) => cells);

/** Looks at a file and reads it, as ingest does: gives the header and the rows. */
async function inspectAndRead(bytes: Uint8Array, size: number): Promise<(readonly string[])[]> {
  const found = findReading(await inspect(bytes, size), {});
  const records = await read(bytes, found.reading, size);
  return [found.header, ...cellsOf(records.filter((record) => isRow(record, found.reading)))];
}

async function faultOf(work: Promise<unknown>): Promise<WholeFileFault['fault']> {
  const error: unknown = await work.then(
    () => new Error('It was read.'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof WholeFileFault) return error.fault;
  throw error;
}

/** A source that tells whether it was closed. */
function watched(piece: Uint8Array, count = Number.POSITIVE_INFINITY) {
  const state = { isClosed: false };
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (let sent = 0; sent < count; sent += 1) yield piece;
    } finally {
      state.isClosed = true;
    }
  }
  return { state, source: source() };
}

describe('looking at a file', () => {
  test.each([
    ['UTF-8', Buffer.from('é,b\n'), 'utf-8', false],
    ['UTF-8 with a mark', Buffer.from('\ufeffé,b\n'), 'utf-8', true],
    ['UTF-16 LE', encodeText('\ufeffé,b\n', 'utf-16le'), 'utf-16le', true],
    ['UTF-16 BE', encodeText('\ufeffé,b\n', 'utf-16be'), 'utf-16be', true],
    ['Windows-1252', encodeText('é,b\n', 'windows-1252'), 'windows-1252', false],
    ['gzip of Windows-1252', gzipSync(encodeText('é,b\n', 'windows-1252')), 'windows-1252', false],
  ])('%s is told, with its text without the mark', async (_, bytes, encoding, hasByteOrderMark) => {
    for (const size of [1, 5, 1000])
      expect(await inspect(bytes, size)).toEqual({ encoding, hasByteOrderMark, sample: 'é,b\n', isWhole: true });
  });

  test('an empty file has an empty sample', async () => {
    expect(await inspect(Buffer.of())).toMatchObject({ sample: '', isWhole: true });
    expect(await inspect(gzipSync(''))).toMatchObject({ sample: '', isWhole: true });
  });

  test('the sample is the whole text up to its limit, and only the beginning past it', async () => {
    const whole = Buffer.alloc(uploadLimits.sampleBytes, 'a');
    expect(await inspect(whole, 65_536)).toMatchObject({ isWhole: true, sample: whole.toString() });
    const longer = await inspect(Buffer.concat([whole, Buffer.from('b')]), 65_535);
    expect(longer.isWhole).toBe(false);
    expect(longer.sample).toBe(whole.toString());
  });

  test.each([1, 2, 3])(
    'a character that the sample cuts apart is left out of it (%i of its 4 bytes are in)',
    async (inside) => {
      const text = `${'a'.repeat(uploadLimits.sampleBytes - inside)}😀\n`;
      const { sample, encoding } = await inspect(Buffer.from(text), 65_537);
      expect(encoding).toBe('utf-8');
      expect(sample).toBe('a'.repeat(uploadLimits.sampleBytes - inside));
    },
  );

  test('every byte counts, not only those of the sample', async () => {
    const text = `email\n${'a@b.example\n'.repeat(30_000)}Jürgen;Renée\n`;
    expect(await inspect(encodeText(text, 'windows-1252'), 65_536)).toMatchObject({
      encoding: 'windows-1252',
      isWhole: false,
    });
  });

  test('an encoding that cannot be made out is named as the problem, with what to do', async () => {
    expect(await faultOf(inspect(Buffer.from('J\x81rgen\n', 'latin1')))).toMatchObject({
      code: 'undecodable',
      message: expect.stringMatching(/not UTF-8, and 1 are not Windows-1252 either.*save|Save it as “CSV UTF-8”/su),
    });
  });
});

describe('a file that is not CSV', () => {
  test.each([
    ['PK\x03\x04\x14\x00', 'an Excel workbook (.xlsx) or a zip archive, not CSV. If it is a workbook: Open it'],
    ['PK\x05\x06\x00\x00', 'an empty zip archive'],
    ['%PDF-1.7', 'a PDF'],
    ['\xd0\xcf\x11\xe0\xa1\xb1', 'an old Excel workbook'],
  ])('%j is refused when it is looked at and when it is read', async (beginning, what) => {
    const bytes = Buffer.from(`${beginning}email\na@b.example\n`, 'latin1');
    const fault = { code: 'not_text', message: expect.stringContaining(`This file is ${what}`) };
    expect(await faultOf(inspect(bytes, 1))).toEqual(fault);
    expect(await faultOf(read(bytes))).toEqual(fault);
  });

  // Only what the compressed file looks like from outside is checked.
  test('is refused where it is compressed, too', async () => {
    const bytes = gzipSync(Buffer.from('PK\x03\x04\x14\x00 people', 'latin1'));
    expect(await faultOf(inspect(bytes))).toMatchObject({ code: 'not_text' });
  });

  // The stream was opened and is never read on or closed: with S3 it holds its socket.
  test('has its stream closed', async () => {
    const { state, source } = watched(Buffer.from('%PDF-1.7'));
    expect((await faultOf(csvFormat.inspect(source))).code).toBe('not_text');
    expect(state.isClosed).toBe(true);
  });
});

describe('a compressed file', () => {
  const text = `name,email\n${Array.from({ length: 5000 }, (_, index) => `P${index},p${index}@b.example\n`).join('')}`;
  const compressed = gzipSync(text);

  test.each([1000, 100_000])('is read as what it holds, in pieces of %i', async (size) => {
    const records = await read(compressed, {}, size);
    expect(records).toHaveLength(5001);
    expect(records.at(-1)).toEqual({ row: 5001, cells: ['P4999', 'p4999@b.example'], raw: 'P4999,p4999@b.example' });
  });

  test('in several parts is read to its end', async () => {
    const both = Buffer.concat([gzipSync('a,b\n1,2\n'), gzipSync('3,4\n')]);
    expect(cellsOf(await read(both))).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  test.each([
    ['cut off', compressed.subarray(0, compressed.length - 10)],
    ['cut off after two bytes', compressed.subarray(0, 2)],
    ['changed in the middle', compressed.map((byte, index) => (index === 5000 ? byte ^ 0xff : byte))],
    ['of another method', Buffer.from('\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x00', 'latin1')],
  ])('that is damaged (%s) is refused as that', async (_, bytes) => {
    const fault = { code: 'damaged_gzip', message: expect.stringContaining('damaged or cut off') };
    expect(await faultOf(inspect(bytes))).toEqual(fault);
    expect(await faultOf(read(bytes))).toEqual(fault);
  });

  test('whose source breaks off for another reason is not called damaged', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield compressed.subarray(0, 100);
      throw new Error('socket hang up');
    }
    await expect(csvFormat.inspect(source())).rejects.toThrow('socket hang up');
  });
});

describe('reading CSV', () => {
  test('gives the row number that a spreadsheet shows, the text of each record, and blank lines too', async () => {
    expect(await read(Buffer.from('a,b\n\n"x\ny","q""q"\n , \nz,é'))).toEqual([
      { row: 1, cells: ['a', 'b'], raw: 'a,b' },
      { row: 2, cells: [''], raw: '' },
      { row: 3, cells: ['x\ny', 'q"q'], raw: '"x\ny","q""q"' },
      { row: 4, cells: [' ', ' '], raw: ' , ' },
      { row: 5, cells: ['z', 'é'], raw: 'z,é' },
    ]);
  });

  test.each(['utf-8', 'utf-16le', 'utf-16be'] as const)('takes the mark of %s off', async (encoding) => {
    const [first] = await read(encodeText('\ufeffa,é\n', encoding), { encoding, hasByteOrderMark: true }, 1);
    expect(first).toEqual({ row: 1, cells: ['a', 'é'], raw: 'a,é' });
  });

  test.each(['a,b\n1,2\n', 'a,b\r\n1,2\r\n', 'a,b\r1,2\r', 'a,b\r\n1,2', 'a,b\r1,2\n'])(
    'takes every kind of line ending: %j',
    async (text) => {
      expect(cellsOf(await read(Buffer.from(text), {}, 1))).toEqual([
        ['a', 'b'],
        ['1', '2'],
      ]);
    },
  );

  test('keeps rows apart that have too few or too many cells', async () => {
    const records = await read(Buffer.from('a,b\n1\n1,2,3\n1,2\n'));
    expect(records.map(({ cells }) => cells.length)).toEqual([2, 1, 3, 2]);
  });

  test('marks the lines up to where a quote closes that should have closed before, and reads on below them', async () => {
    const records = await read(Buffer.from('a,b\n"1,2\n3,4\n5,"\n7,8\n'));
    expect(records.map(({ row, damage }) => [row, damage])).toEqual([
      [1, undefined],
      [2, 'unclosed_quote'],
      [3, 'unclosed_quote'],
      [4, 'unclosed_quote'],
      [5, undefined],
    ]);
  });

  test('shows a byte that the encoding does not have, and a character that is cut off at the end', async () => {
    const bytes = Buffer.concat([Buffer.from('a,'), Buffer.of(0xff), Buffer.from('\nb,é')]).subarray(0, -1);
    expect(cellsOf(await read(bytes))).toEqual([
      ['a', '\ufffd'],
      ['b', '\ufffd'],
    ]);
  });

  test.each([
    ['plain', Buffer.from('a,b\n'.repeat(10_000)), Number.POSITIVE_INFINITY],
    ['compressed', gzipSync('a,b\n'.repeat(10_000)), Number.POSITIVE_INFINITY],
  ])('closes the stream that it reads from when the reader stops early: %s', async (_, piece, count) => {
    const { state, source } = watched(piece, count);
    for await (const batch of csvFormat.read(source, reading())) if (batch.length > 0) break;
    await expect.poll(() => state.isClosed).toBe(true);
  });

  test('closes the stream when it has read all of it', async () => {
    const { state, source } = watched(Buffer.from('a,b\n'), 3);
    expect((await Array.fromAsync(csvFormat.read(source, reading()))).flat()).toHaveLength(3);
    expect(state.isClosed).toBe(true);
  });
});

const newlines = ['\n', '\r\n', '\r'] as const;
const delimiters = [',', ';', '\t', '|'] as const;

describe('writing CSV', () => {
  test.each(delimiters.flatMap((delimiter) => newlines.map((newline) => [delimiter, newline] as const)))(
    'with %j and %j is read back the same, but for formulas',
    async (delimiter, newline) => {
      const table = [
        ['a', 'b "q"', 'c,d;e\tf|g'],
        ['', ' x ', 'line\nbreak\r\nand\rmore'],
        ['=1+1', '+47', 'é'],
      ];
      const text = csvFormat.format(table, { delimiter, newline });
      expect(text.endsWith(newline)).toBe(true);
      const records = await read(Buffer.from(text), { delimiter, width: 3 });
      expect(cellsOf(records)).toEqual([...table.slice(0, 2), ["'=1+1", "'+47", 'é']]);
    },
  );

  test('encodes text as the upload was', () => {
    expect([...csvFormat.encode('é', 'utf-16be')]).toEqual([0x00, 0xe9]);
  });
});

/** Characters that an encoding can hold, in cells that try to be misread. */
const alphabets: Readonly<Record<Encoding, string>> = {
  'utf-8': 'aé😀李 ",;\t|\n\r\'=\u0000\u200b',
  'utf-16le': 'aé😀李 ",;\t|\n\r\'=\u200b',
  'utf-16be': 'aé😀李 ",;\t|\n\r\'=\u200b',
  // Without letters in a row that no language of Western Europe has.
  'windows-1252': 'aé ",;\t|\n\r\'=',
};

function sparse(cell: string): string {
  return cell.replace(/é{2,}/gu, 'é');
}

const encodings: readonly Encoding[] = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'];

const files = fc
  .record({
    encoding: fc.constantFrom(...encodings),
    delimiter: fc.constantFrom(...delimiters),
    newline: fc.constantFrom(...newlines),
    width: fc.integer({ min: 2, max: 5 }),
    isMarked: fc.boolean(),
    isCompressed: fc.boolean(),
    declaresDelimiter: fc.boolean(),
    quotesAll: fc.boolean(),
    size: fc.integer({ min: 1, max: 50 }),
  })
  .chain((file) => {
    const cell = fc.string({ unit: fc.constantFrom(...alphabets[file.encoding]), maxLength: 6 });
    const person = fc.array(cell, { minLength: file.width - 1, maxLength: file.width - 1 });
    const people = fc.array(
      person.map((cells) => ['ann@example.com', ...cells]),
      { minLength: 1, maxLength: 8 },
    );
    return people.map((rows) => ({ ...file, rows: rows.map((cells) => cells.map(sparse)) }));
  });

test('any table of strings, in any dialect and encoding, compressed or not, is inspected and read back the same', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (file) => {
      const { encoding, delimiter, newline, width, rows, quotesAll, size } = file;
      // Without quotes: a header in quotes can mislead the search for the delimiter.
      const header = ['email', 'a', 'b', 'c', 'd'].slice(0, width);
      const written = (cell: string) =>
        (quotesAll && !header.includes(cell)) || /["\r\n]/u.test(cell) || cell.includes(delimiter)
          ? `"${cell.replaceAll('"', '""')}"`
          : cell;
      const body = [header, ...rows].map((cells) => cells.map(written).join(delimiter) + newline).join('');
      const isMarked = encoding.startsWith('utf-16') || (file.isMarked && encoding === 'utf-8');
      const text = `${isMarked ? '\ufeff' : ''}${file.declaresDelimiter ? `sep=${delimiter}${newline}` : ''}${body}`;
      const plain = encodeText(text, encoding);
      const bytes = file.isCompressed ? gzipSync(plain) : plain;
      expect(await inspectAndRead(bytes, size)).toEqual([header, ...rows]);
    }),
    { numRuns: 1000 },
  );
});
