import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FirstRows } from '../../../lambdas/core/firstRows.ts';

describe('the first rows of addresses', () => {
  test('are remembered, also when there are many', () => {
    const rows = new FirstRows();
    for (let row = 2; row < 50_000; row += 1) expect(rows.firstRowOf(`person${row}@acme.example`, row)).toBeUndefined();
    for (let row = 2; row < 50_000; row += 1) expect(rows.firstRowOf(`person${row}@acme.example`, 60_000)).toBe(row);
  });

  test('never mix up people whose addresses are alike', () => {
    const rows = new FirstRows();
    let mixedUp = 0;
    // A hash that is weak anywhere shows it among so many neighbours.
    for (let number = 0; number < 1_000_000; number += 1) {
      if (rows.firstRowOf(`${number.toString(36)}@a.example`, number + 2) !== undefined) mixedUp += 1;
    }
    for (const keys of [
      ['', 'a', 'aa', '\u0000', '\u0000\u0000'],
      ['ab', 'ba'],
      ['é@a.example', 'e@a.example'],
    ]) {
      for (const key of keys) if (rows.firstRowOf(`another ${key}`, 5) !== undefined) mixedUp += 1;
    }
    expect(mixedUp).toBe(0);
  });

  test('are those that a list of all addresses would give', () => {
    const keys = fc.array(fc.string({ unit: fc.constantFrom(...'ab.@é😀'), maxLength: 4 }), { maxLength: 3000 });
    fc.assert(
      fc.property(keys, (all) => {
        const rows = new FirstRows();
        const expected = new Map<string, number>();
        for (const [index, key] of all.entries()) {
          expect(rows.firstRowOf(key, index + 2)).toBe(expected.get(key));
          if (!expected.has(key)) expected.set(key, index + 2);
        }
      }),
      { numRuns: 30 },
    );
  });
});
