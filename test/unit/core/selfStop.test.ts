import { expect, test } from 'vitest';
import { selfStopLimits } from '../../../lambdas/core/limits.ts';
import { type LastRows, showsWrongJob, withRow } from '../../../lambdas/core/selfStop.ts';

function rows(rejected: number, others: number): LastRows {
  return [...new Array<boolean>(rejected).fill(true), ...new Array<boolean>(others).fill(false)];
}

test.each([
  [49, 0, false],
  [25, 25, false],
  [26, 24, true],
  [50, 0, true],
])('%i rejected rows and %i others show that all of the job is wrong: %s', (rejected, others, expected) => {
  expect(showsWrongJob(rows(rejected, others))).toBe(expected);
});

test('only the last rows count', () => {
  const before = rows(0, 1000).reduce<LastRows>((last, isRejected) => withRow(last, isRejected), []);
  expect(before).toHaveLength(selfStopLimits.lastRows);
  const after = rows(26, 0).reduce<LastRows>((last, isRejected) => withRow(last, isRejected), before);
  expect(showsWrongJob(after)).toBe(true);
  expect(showsWrongJob(withRow(before, true))).toBe(false);
});
