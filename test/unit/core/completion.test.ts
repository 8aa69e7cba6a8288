import { expect, test } from 'vitest';
import { isComplete } from '../../../lambdas/core/completion.ts';

test.each([
  { what: 'a part is missing', partsExpected: 3, partsFound: 2, complete: false },
  { what: 'all parts are there', partsExpected: 3, partsFound: 3, complete: true },
  { what: 'nothing was to be done', partsExpected: 0, partsFound: 0, complete: true },
])('a job is ready for its report: $complete, when $what', ({ partsExpected, partsFound, complete }) => {
  expect(isComplete({ partsExpected, partsFound })).toBe(complete);
});
