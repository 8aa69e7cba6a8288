import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunkRowsFor } from '../../../lambdas/core/chunking.ts';
import { chunkLimits, uploadLimits } from '../../../lambdas/core/limits.ts';

const uploadBytes = fc.oneof(
  fc.integer({ min: 1, max: 500_000 }),
  fc.integer({ min: 1, max: uploadLimits.uploadBytesMax }),
);
const workers = fc.integer({ min: 1, max: 1000 });

describe('how many invitees a chunk holds', () => {
  test('an upload of any size makes at most 900 chunks, so that one list of a thousand keys shows them all', () => {
    fc.assert(
      fc.property(uploadBytes, workers, (bytes, workersAtOnce) => {
        const rowsMost = bytes / chunkLimits.rowBytesMin;
        expect(Math.ceil(rowsMost / chunkRowsFor(bytes, workersAtOnce))).toBeLessThanOrEqual(chunkLimits.chunksMax);
      }),
    );
  });

  test('it is a whole number of at least five', () => {
    fc.assert(
      fc.property(uploadBytes, workers, (bytes, workersAtOnce) => {
        const rows = chunkRowsFor(bytes, workersAtOnce);
        expect(rows).toBe(Math.floor(rows));
        expect(rows).toBeGreaterThanOrEqual(chunkLimits.chunkRowsMin);
      }),
    );
  });

  test.each([
    { what: 'an empty upload', bytes: 0, workersAtOnce: 2, rows: 5 },
    { what: 'a list of ten people', bytes: 600, workersAtOnce: 2, rows: 5 },
    { what: 'a department of 960 for two workers, in sixteen chunks', bytes: 57_600, workersAtOnce: 2, rows: 60 },
    { what: 'the same for eight workers, in sixty-four chunks', bytes: 57_600, workersAtOnce: 8, rows: 15 },
    { what: 'ten thousand people: no chunk is larger than it helps', bytes: 600_000, workersAtOnce: 2, rows: 100 },
    { what: 'the largest upload', bytes: uploadLimits.uploadBytesMax, workersAtOnce: 2, rows: 12_428 },
  ])('$what: $rows', ({ bytes, workersAtOnce, rows }) => {
    expect(chunkRowsFor(bytes, workersAtOnce)).toBe(rows);
  });
});
