import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobIdOf, parseJobId, type Upload } from '../../../lambdas/core/jobId.ts';

const upload = (changes: Partial<Upload> = {}): Upload => ({
  bucket: 'people',
  key: 'incoming/acme.csv',
  version: 'v1',
  uploadedAtMs: Date.UTC(2026, 0, 31, 7, 5, 0, 999),
  ...changes,
});

const anyUpload = fc.record({
  bucket: fc.string(),
  key: fc.string(),
  version: fc.string(),
  uploadedAtMs: fc.integer({ min: 0, max: Date.UTC(9999, 0) }),
});

describe('the id of a job', () => {
  test('shows when the file was uploaded', () => {
    expect(jobIdOf(upload())).toMatch(/^20260131T070500Z-[0-9a-f]{12}$/u);
  });

  test('is the same for an event that comes twice', () => {
    expect(jobIdOf(upload())).toBe(jobIdOf(upload()));
  });

  test('does not change from one release to the next, so that a running job is continued', () => {
    expect(jobIdOf(upload())).toBe('20260131T070500Z-d08682d3f8fc');
  });

  test.each([
    ['another bucket', upload({ bucket: 'others' })],
    ['another key', upload({ key: 'incoming/acme2.csv' })],
    ['another version', upload({ version: 'v2' })],
    ['another time', upload({ uploadedAtMs: Date.UTC(2026, 0, 31, 7, 5, 1) })],
    ['the same letters cut elsewhere', upload({ bucket: 'peopl', key: 'eincoming/acme.csv' })],
  ])('differs for %s', (_, other) => {
    expect(jobIdOf(other)).not.toBe(jobIdOf(upload()));
  });

  test('sorts by the time of the upload, to the second', () => {
    fc.assert(
      fc.property(anyUpload, anyUpload, (one, other) => {
        const [earlier, later] = one.uploadedAtMs <= other.uploadedAtMs ? [one, other] : [other, one];
        expect(jobIdOf(earlier).slice(0, 16) <= jobIdOf(later).slice(0, 16)).toBe(true);
      }),
    );
  });

  test('is known as one when it is read back', () => {
    fc.assert(
      fc.property(anyUpload, (any) => {
        expect(parseJobId(jobIdOf(any))).toBe(jobIdOf(any));
      }),
    );
  });
});

test.each([
  '',
  'job',
  '20260131T070500Z',
  '20260131T070500Z-0F3A9C51B2DE',
  ' 20260131T070500Z-0f3a9c51b2de',
  '20260131T070500Z-0f3a9c51b2de\n',
  '20260131T070500Z-0f3a9c51b2de/../x',
])('%j is no job id', (text) => {
  expect(parseJobId(text)).toBeUndefined();
});
