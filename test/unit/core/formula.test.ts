import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { neutralize, restore } from '../../../lambdas/core/formula.ts';

describe('cells that a spreadsheet would run', () => {
  test.each([
    '=1+1',
    '+4712345',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\rx',
    '\tx',
    '\uff1d1+1',
    '\uff0b1',
    '\uff0d1',
    '\uff201',
    ' =1',
    '\u00a0=1',
    '\n=1',
    '"=1"',
    "'=1",
    ' " \' =1',
    '\u0000=1',
    '\u200b\u001b=1',
  ])('%j is made harmless, and comes back', (cell) => {
    expect(neutralize(cell)).toBe(`'${cell}`);
    expect(restore(neutralize(cell))).toBe(cell);
  });

  test.each(['', 'Ann', 'a=b', 'ann@example.com', "O'Brien", "'s-Hertogenbosch", '5 - 3', "'", '"Ann"', ' Ann'])(
    '%j stays as it is, both ways',
    (cell) => {
      expect(neutralize(cell)).toBe(cell);
      expect(restore(cell)).toBe(cell);
    },
  );
});

const unit = fc.constantFrom(...'=+-@\uff1d\uff0b\uff0d\uff20\'" \u00a0\t\r\na1');
const anyCell = fc.oneof(fc.string({ unit, maxLength: 8 }), fc.string({ unit: 'binary' }));

/** What `restore` takes for a neutralised cell, though nobody neutralised it. */
const isMistaken = (cell: string): boolean => /^'[\t\r]/u.test(cell);

describe('any cell', () => {
  test('survives the way through a report and back', () => {
    fc.assert(
      fc.property(anyCell, (cell) => {
        fc.pre(!isMistaken(cell));
        expect(restore(neutralize(cell))).toBe(cell);
      }),
      { numRuns: 3000 },
    );
  });

  test('in a report does not begin with what a spreadsheet runs', () => {
    fc.assert(
      fc.property(anyCell, (cell) => {
        expect(neutralize(cell)).not.toMatch(/^[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/u);
      }),
    );
  });

  // An apostrophe in front of a tab is not neutralised, but taken off on the way back.
  test.each(["'\tx", "'\rx", "'\t"])('%j survives the way through a report and back', (cell) => {
    expect(restore(neutralize(cell))).toBe(cell);
  });
});
