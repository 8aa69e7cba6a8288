import { describe, expect, test } from 'vitest';
import { csvFormat } from '../../../lambdas/adapters/csvFormat.ts';
import type { WholeFileFault } from '../../../lambdas/core/fault.ts';
import { uploadLimits } from '../../../lambdas/core/limits.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(text: string | Uint8Array, size = 3) {
  const csv = await csvFormat.read(pieces(Buffer.from(text), size));
  return { ...csv, records: await Array.fromAsync(csv.records) };
}

async function faultOf(text: string | Uint8Array): Promise<WholeFileFault['fault']> {
  return await read(text, 1000).then(
    () => Promise.reject(new Error('It was read.')),
    (error: WholeFileFault) => error.fault,
  );
}

describe('reading CSV', () => {
  test('gives the row number that a spreadsheet shows, and the text of each record', async () => {
    const { records } = await read('a,b\n\n"x\ny","q""q"\n , \nz,é\n');
    expect(records).toEqual([
      { row: 1, cells: ['a', 'b'], raw: 'a,b' },
      { row: 3, cells: ['x\ny', 'q"q'], raw: '"x\ny","q""q"' },
      { row: 5, cells: ['z', 'é'], raw: 'z,é' },
    ]);
  });

  test.each([
    ['\n', 'a,b\n1,2\n'],
    ['\r\n', 'a,b\r\n1,2\r\n'],
    ['\r', 'a,b\r1,2\r'],
    ['\r\n', 'a,b\r\n1,2\n'],
    ['\n', 'a,b'],
  ])('finds the line ending %j', async (newline, text) => {
    expect((await read(text)).newline).toBe(newline);
    expect((await read(text, 1)).records.map(({ cells }) => cells.length)).toEqual(text === 'a,b' ? [2] : [2, 2]);
  });

  test('takes a byte order mark off and remembers it', async () => {
    const { hasByteOrderMark, records } = await read('\ufeffa\n1\n', 1);
    expect(hasByteOrderMark).toBe(true);
    expect(records[0]?.cells).toEqual(['a']);
  });

  test('keeps rows apart that have too few or too many cells', async () => {
    const { records } = await read('a,b\n1\n1,2,3\n1,2\n');
    expect(records.map(({ cells }) => cells.length)).toEqual([2, 1, 3, 2]);
  });

  test('reads on behind a stray quote', async () => {
    const { records } = await read('a,b\n5" pipe,x\n1,2\n');
    expect(records.map(({ cells }) => cells)).toEqual([
      ['a', 'b'],
      ['5" pipe', 'x'],
      ['1', '2'],
    ]);
  });

  test.each([
    ['Latin-1', Buffer.from('name,email\nJos\u00e9,a@acme.example\n', 'latin1')],
    ['UTF-16', Buffer.from('\ufeffname,email\nAda,a@acme.example\n', 'utf16le')],
    ['a character that is cut off at the end', Buffer.from('name\né').subarray(0, -1)],
  ])('says what to do with text that is not UTF-8: %s', async (_name, bytes) => {
    expect(await faultOf(bytes)).toMatchObject({ code: 'not_utf8', message: expect.stringContaining('CSV UTF-8') });
  });

  test('says after which row a quote was opened that is never closed', async () => {
    expect(await faultOf('a,b\n1,2\n"3,4\n5,6\n')).toMatchObject({
      code: 'not_csv',
      message: expect.stringContaining('after row 2'),
    });
  });

  test('reads no record past its limit', async () => {
    const endless = `a,b\n"${'x'.repeat(uploadLimits.recordBytesMax + 10)}",2\n`;
    expect(await faultOf(endless)).toMatchObject({ code: 'not_csv' });
  });

  test('closes the stream that it reads from when the reader stops early', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('a,b\n'.repeat(10_000));
      } finally {
        isClosed = true;
      }
    }
    const { records } = await csvFormat.read(source());
    for await (const { row } of records) if (row === 2) break;
    await expect.poll(() => isClosed).toBe(true);
  });
});

describe('writing CSV', () => {
  test('is read back the same, but for formulas', async () => {
    const table = [
      ['a', 'b "q"', 'c,d'],
      ['', ' x ', 'line\nbreak'],
      ['=1+1', '+47', 'é'],
    ];
    const { records } = await read(csvFormat.format(table, '\r\n'));
    expect(records.map(({ cells }) => cells)).toEqual([...table.slice(0, 2), ["'=1+1", "'+47", 'é']]);
  });
});
