import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uploadLimits } from '../../../lambdas/core/limits.ts';
import { RecordReader, type RecordShape, type TextRecord } from '../../../lambdas/core/recordReader.ts';

/** @param size Characters of each piece that the reader is given. */
function read(text: string, shape: Partial<RecordShape> = {}, size = 5): TextRecord[] {
  const reader = new RecordReader({ delimiter: ',', ...shape });
  const records: TextRecord[] = [];
  for (let start = 0; start < text.length; start += size) records.push(...reader.push(text.slice(start, start + size)));
  return [...records, ...reader.end()];
}

function cellsOf(records: readonly TextRecord[]): (readonly string[])[] {
  return records.map(({ cells }) => cells);
}

/** Rows, with a star where they are damaged. */
function sketch(records: readonly TextRecord[]): string[] {
  return records.map(({ row, cells, damage }) => `${row}${damage === undefined ? '' : '*'} ${cells.join('|')}`);
}

describe('sound text', () => {
  test.each([1, 2, 3, 7, 1000])('is read the same in pieces of %i', (size) => {
    const text = 'a,b\r\n1,"x, ""y""\r\nz"\n\n,\r"",""\r\n5" pipe, "q" \nlast,one';
    expect(read(text, {}, size).map(({ row, cells, raw }) => [row, cells, raw])).toEqual([
      [1, ['a', 'b'], 'a,b'],
      [2, ['1', 'x, "y"\r\nz'], '1,"x, ""y""\r\nz"'],
      [3, [''], ''],
      [4, ['', ''], ','],
      [5, ['', ''], '"",""'],
      [6, ['5" pipe', ' "q" '], '5" pipe, "q" '],
      [7, ['last', 'one'], 'last,one'],
    ]);
  });

  test('of nothing has no records', () => {
    expect(read('')).toEqual([]);
    expect(read('\n')).toHaveLength(1);
  });
});

describe('damaged text', () => {
  test('an unclosed quote costs its own line only', () => {
    expect(sketch(read('a,b\n1,2\n"3,4\n5,6\n7,8\n', { width: 2 }))).toEqual([
      '1 a|b',
      '2 1|2',
      '3* "3|4',
      '4 5|6',
      '5 7|8',
    ]);
  });

  test('an unclosed quote costs its own line only, where everything else is quoted', () => {
    const text = '"a","b"\n"1","2\n"3","4"\n"5","6"\n';
    expect(sketch(read(text, { width: 2 }))).toEqual(['1 a|b', '2* "1"|"2', '3 3|4', '4 5|6']);
  });

  test('an unclosed quote that a later quote happens to close costs the lines up to there: they may be one cell', () => {
    const text = 'a,b\n"1,2\n3,4\n5,"6"\n7,8\n';
    expect(sketch(read(text, { width: 2 }))).toEqual(['1 a|b', '2* "1|2', '3 3|4', '4 5|6', '5 7|8']);
    const closes = 'a,b\n"1,2\n3,4\n5,"\n7,8\n';
    expect(sketch(read(closes, { width: 2 }))).toEqual(['1 a|b', '2* "1|2', '3* 3|4', '4* 5|"', '5 7|8']);
  });

  test('a stray quote behind a quoted cell costs its own line only', () => {
    expect(sketch(read('a,b\n"1"x,2\n3,4\n', { width: 2 }))).toEqual(['1 a|b', '2* "1"x|2', '3 3|4']);
  });

  test('the quote is not looked for without end', () => {
    const text = `a,b\n"1,2\n${'3,4\n'.repeat(uploadLimits.recordCharactersMax / 4)}5,6\n`;
    const records = read(text, { width: 2 }, 10_000);
    expect(records.filter(({ damage }) => damage !== undefined).map(({ row }) => row)).toEqual([2]);
    expect(records.at(-1)?.cells).toEqual(['5', '6']);
  });

  test.each(['\n', '\r\n', '\r'])(
    'a line that is too long costs itself only, and not the memory for it: %j',
    (newline) => {
      const long = 'x'.repeat(uploadLimits.lineCharactersMax * 4);
      const records = read(`a,b${newline}1,${long}${newline}3,4${newline}`, { width: 2 }, 65_536);
      expect(records.map(({ row, damage }) => [row, damage])).toEqual([
        [1, undefined],
        [2, 'line_too_long'],
        [3, undefined],
      ]);
      expect(records[1]?.raw.length).toBe(uploadLimits.longLineKeptCharacters);
      expect(records[2]?.cells).toEqual(['3', '4']);
    },
  );
});

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ' ', '"', ',', ';', '\t', '|', '\n', '\r', "'", '='),
  maxLength: 6,
});
const table = fc
  .integer({ min: 1, max: 5 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }));

function written(rows: readonly (readonly string[])[], delimiter: string, newline: string): string {
  const quoted = (text: string) =>
    /["\r\n]/u.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  return rows.map((row) => row.map(quoted).join(delimiter) + newline).join('');
}

describe('any table', () => {
  test('written in any dialect is read back the same, in pieces of any size', () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.integer({ min: 1, max: 20 }),
        (rows, delimiter, newline, size) => {
          const shape = { delimiter, width: rows[0]?.length ?? 1 };
          expect(cellsOf(read(written(rows, delimiter, newline), shape, size))).toEqual(rows);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('of plain cells loses only the lines that any damage touches, and counts every line', () => {
    const plain = fc.array(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '@', '.', ' '), minLength: 1, maxLength: 5 }), {
        minLength: 3,
        maxLength: 3,
      }),
      { minLength: 2, maxLength: 15 },
    );
    fc.assert(
      fc.property(
        plain,
        fc.nat(),
        fc.constantFrom('"', '""', 'x"', '"\u0000'),
        fc.boolean(),
        (rows, where, damage, areQuoted) => {
          const lines = rows.map((row) => row.map((text) => (areQuoted ? `"${text}"` : text)).join(','));
          const damagedLine = where % lines.length;
          const line = lines[damagedLine] ?? '';
          const at = where % (line.length + 1);
          const text = lines
            .map((each, index) => (index === damagedLine ? each.slice(0, at) + damage + each.slice(at) : each))
            .join('\n');
          const records = read(`${text}\n`, { width: 3 });
          expect(records).toHaveLength(rows.length);
          for (const [index, { cells }] of records.entries())
            if (index !== damagedLine) expect(cells).toEqual(rows[index]);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('what a record is', () => {
  const tokens = ['"', '""', ',', ';', '\n', '\r', '\r\n', 'a', 'a@a.co', '",', ',"', '\n"', '"\n', ' '];

  test('does not depend on the pieces in which the text comes, however damaged it is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...tokens), { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 2, 3),
        (found, size, width) => {
          const text = found.join('');
          expect(read(text, { width }, size)).toEqual(read(text, { width }, 10_000));
        },
      ),
      { numRuns: 20_000 },
    );
  });

  test.each([-2, -1, 0, 1, 2, 5000])('does not depend on them at the limits either: %i characters off', (off) => {
    const { recordCharactersMax, lineCharactersMax } = uploadLimits;
    const cell = `a@a.co,"${'x\n'.repeat(recordCharactersMax)}`.slice(0, recordCharactersMax - 1 + off);
    const line = `a@a.co,${'y'.repeat(lineCharactersMax)}`.slice(0, lineCharactersMax + off);
    for (const text of [
      `email,note\n${cell}"\nb@b.co,x\n`,
      `email,note\r\n${line}\r\nb@b.co,x\r\n`,
      `email,note\r${line}\rb@b.co,x\r`,
    ]) {
      const whole = sketch(read(text, { width: 2 }, text.length));
      for (const size of [1009, 16_384, 65_536, lineCharactersMax + 12, text.length - 1]) {
        expect(sketch(read(text, { width: 2 }, size))).toEqual(whole);
      }
      expect(whole.at(-1)).toMatch(/b@b\.co\|x$/u);
    }
  });

  test.each([
    [
      'a quote opened in one line and another in the next',
      'email,first,note\na@a.co,A,"oops\nb@a.co,B,"\nc@a.co,C,x\n',
    ],
    ['quotes opened in the first column', 'note,email,first\n"oops,a@a.co,A\n",b@a.co,B\nx,c@a.co,C\n'],
    ['a stray line between', 'first,email,note\nA,a@a.co,"oops\nb@a.co is hers\nC,c@a.co,"\nD,d@a.co,x\n'],
  ])('never hides a person behind a quote that another one closes: %s', (_name, text) => {
    const records = read(text, { width: 3 }, 1000);
    expect(records).toHaveLength(text.trimEnd().split('\n').length);
    expect(records.slice(1).filter(({ damage }) => damage !== undefined).length).toBeGreaterThan(0);
  });

  test('leaves a cell with line breaks alone, though its record has an address', () => {
    const text = 'name,note,email\nAnn,"one\ntwo, three",ann@a.co\nBo,"x, y\nz",bo@a.co\n';
    expect(cellsOf(read(text, { width: 3 }, 1000))).toEqual([
      ['name', 'note', 'email'],
      ['Ann', 'one\ntwo, three', 'ann@a.co'],
      ['Bo', 'x, y\nz', 'bo@a.co'],
    ]);
  });
});

describe('any one byte of a table of people', () => {
  test('may be damaged, and every record that the damage does not touch still comes through', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '.', '-'), minLength: 1, maxLength: 6 });
    const people = fc.array(fc.tuple(name, name), { minLength: 2, maxLength: 12 });
    const byte = fc.oneof(fc.constantFrom(34, 44, 10, 13, 0, 59), fc.integer({ min: 1, max: 127 }));
    fc.assert(
      fc.property(
        people,
        fc.nat(),
        byte,
        fc.boolean(),
        fc.constantFrom('\n', '\r\n'),
        (rows, where, code, areQuoted, newline) => {
          const table = rows.map(([first, note], index) => [`p${index}@a.co`, first, note]);
          const lines = table.map((cells) => cells.map((cell) => (areQuoted ? `"${cell}"` : cell)).join(','));
          const text = lines.join(newline) + newline;
          const at = where % text.length;
          const damaged = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
          const ends = lines.map((_, index) => lines.slice(0, index + 1).join(newline).length + newline.length);
          const touched = ends.findIndex((end) => at < end);
          // A line ending that is damaged joins two lines.
          const joins = at >= (ends[touched] ?? 0) - newline.length;
          const found = new Set(read(damaged, { width: 3 }).map(({ cells }) => cells.join('\u0001')));
          for (const [index, cells] of table.entries()) {
            if (index === touched || (joins && index === touched + 1)) continue;
            expect(found.has(cells.join('\u0001')), `row ${index + 1} of ${JSON.stringify(damaged)}`).toBe(true);
          }
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
