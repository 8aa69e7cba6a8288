import { describe, expect, test } from 'vitest';
import { isGzip, otherKindOf, signatureBytes } from '../../../lambdas/core/fileKind.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('a file that is something else than text', () => {
  test.each([
    ['PK\x03\x04\x14\x00', 'an Excel workbook (.xlsx) or a zip archive', 'CSV UTF-8'],
    ['PK\x05\x06', 'an empty zip archive', 'Export it again'],
    ['\xd0\xcf\x11\xe0\xa1\xb1', 'an old Excel workbook (.xls)', 'CSV UTF-8'],
    ['%PDF-1.7', 'a PDF', 'Export the people as CSV'],
    ['{\\rtf1', 'a rich text document', 'Export the people as CSV'],
    ['SQLite format 3', 'an SQLite database', 'Export the people as CSV'],
    ['\x28\xb5\x2f\xfd', 'a Zstandard archive', 'Unpack it first'],
    ['BZh91AY', 'a bzip2 archive', 'Unpack it first'],
  ])('%j is %s, and it says what to do', (beginning, what, next) => {
    expect(otherKindOf(bytes(beginning))).toEqual({ what, next: expect.stringContaining(next) });
    expect(otherKindOf(bytes(beginning).subarray(0, signatureBytes))?.what).toBe(what);
  });

  test.each(['', 'P', 'PK', 'PKI,email', 'email,name', '\xef\xbb\xbfemail', '\xff\xfee\x00', '%email', 'SQL,x'])(
    '%j may be text',
    (beginning) => {
      expect(otherKindOf(bytes(beginning))).toBeUndefined();
    },
  );
});

test.each([
  ['\x1f\x8b\x08\x00', true],
  ['\x1f', false],
  ['', false],
  ['email', false],
])('%j is compressed with gzip: %s', (beginning, expected) => {
  expect(isGzip(bytes(beginning))).toBe(expected);
});
