import { expect, test } from 'vitest';
import { selfStopLimits } from '../../../lambdas/core/limits.ts';
import {
  isSuspicious,
  type LastRows,
  showsWrongJob,
  withRow,
  wrongJobMessage,
} from '../../../lambdas/core/selfStop.ts';

function rows(rejected: number, others: number): LastRows {
  return [...new Array<boolean>(rejected).fill(true), ...new Array<boolean>(others).fill(false)];
}

const { rejectedShareMax } = selfStopLimits;

test.each([
  [rejectedShareMax, 49, 0, false],
  [rejectedShareMax, 25, 25, false],
  [rejectedShareMax, 26, 24, true],
  [rejectedShareMax, 50, 0, true],
  [0.01, 0, 50, false],
  [0.01, 1, 49, true],
  // As a product of fractions in base two, this is a little less than 29.
  [0.58, 29, 21, false],
  [0.58, 30, 20, true],
  [0.99, 49, 1, false],
  [0.99, 50, 0, true],
  [1, 50, 0, false],
])(
  'where more than %d is too much, %i rejected rows and %i others show a wrong job: %s',
  (share, rejected, others, expected) => {
    expect(showsWrongJob(rows(rejected, others), share)).toBe(expected);
  },
);

test.each([
  [rejectedShareMax, 1, 1, false],
  [rejectedShareMax, 2, 1, true],
  [0.8, 4, 1, false],
  [0.8, 5, 1, true],
  [1, 49, 0, false],
  [rejectedShareMax, 50, 0, false],
])(
  'where more than %d is too much, %i rejected rows and %i others are worth a look at the others’: %s',
  (share, rejected, others, expected) => {
    expect(isSuspicious(rows(rejected, others), share)).toBe(expected);
  },
);

test('the sentence says what was found and what stops a job', () => {
  expect(wrongJobMessage(rows(41, 9), 0.8)).toMatch(
    /^The API rejected 41 of the last 50 rows, and more than 80 % stop a job: something may be wrong with all of them\. Look at/u,
  );
});

test('only the last rows count', () => {
  const before = rows(0, 1000).reduce<LastRows>((last, isRejected) => withRow(last, isRejected), []);
  expect(before).toHaveLength(selfStopLimits.lastRows);
  const after = rows(26, 0).reduce<LastRows>((last, isRejected) => withRow(last, isRejected), before);
  expect(showsWrongJob(after, rejectedShareMax)).toBe(true);
  expect(showsWrongJob(withRow(before, true), rejectedShareMax)).toBe(false);
});
