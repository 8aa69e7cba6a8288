import { expect, test } from 'vitest';
import { type FaultCode, faultCodes, isCurable, WholeFileFault } from '../../../lambdas/core/fault.ts';

test('a fault of a whole upload carries its code, its message and its cause', () => {
  const cause = new Error('the parser’s own words');
  const error = new WholeFileFault('damaged_gzip', 'The file cannot be read.', { cause });
  expect(error).toMatchObject({ name: 'WholeFileFault', message: 'The file cannot be read.', cause });
  expect(error.fault).toEqual({ code: 'damaged_gzip', message: 'The file cannot be read.' });
});

test('the rows are offered for another try only where the same file could do better unchanged', () => {
  const curable: readonly FaultCode[] = faultCodes.filter(isCurable);
  expect(curable).toEqual([
    'unknown_default_role',
    'unknown_default_organization',
    'key_refused',
    'key_forbidden',
    'api_request_refused',
    'api_unreachable',
    'cancelled',
  ]);
});
