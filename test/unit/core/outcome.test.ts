import { expect, test } from 'vitest';
import { isWorthRetrying, needsAttention, noCounts, statuses } from '../../../lambdas/core/outcome.ts';

test('a person has to look at what did not end well', () => {
  expect(statuses.filter(needsAttention)).toEqual(['invalid', 'rejected', 'failed', 'unknown', 'not_attempted']);
});

test('the same rows, uploaded again, could save what failed, is unknown or was not attempted', () => {
  const worthIt = statuses.filter((status) => isWorthRetrying({ status, code: 'any' }));
  expect(worthIt).toEqual(['failed', 'unknown', 'not_attempted']);
  // The key may get the right to invite.
  expect(isWorthRetrying({ status: 'rejected', code: 'forbidden' })).toBe(true);
});

test('counting starts at none of every status, anew each time', () => {
  const counts = noCounts();
  expect(Object.entries(counts)).toEqual(statuses.map((status) => [status, 0]));
  counts.invited += 1;
  expect(noCounts().invited).toBe(0);
});
