/**
 * Whoever is on call looks a code up: what ends or holds a whole job has its place in the guides.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultCodes } from '../../lambdas/core/fault.ts';
import { holdCodes } from '../../lambdas/core/hold.ts';
import { stopSchema } from '../../lambdas/ledger/stop.ts';

const guides = ['operating.md', 'csv.md'].map((name) =>
  readFileSync(join(import.meta.dirname, '..', '..', 'docs', name), 'utf8'),
);

test.each([
  ['ends a job before it begins', faultCodes],
  ['holds a job', holdCodes],
  ['stops a job', stopSchema.shape.code.options],
])('every code of what %s is explained', (_what, codes) => {
  expect(codes.length).toBeGreaterThan(2);
  expect(codes.filter((code) => !guides.some((guide) => guide.includes(`\`${code}\``)))).toEqual([]);
});
