/**
 * A job of six rows in three chunks, killed at every moment of its course.
 */
import { expect, test } from 'vitest';
import { type CrashRun, pairsOfCrashes, runWithCrashes, singleCrashes } from './exhaustiveCrashes.ts';

async function expectNoHarm(runs: AsyncIterable<CrashRun>): Promise<number> {
  let count = 0;
  for await (const { moments, result } of runs) {
    expect(result.violations, `killed at the moments ${moments.join(' and ')}`).toEqual([]);
    // Every look-up works here, so nobody is left in doubt.
    expect(result.statuses, `killed at the moments ${moments.join(' and ')}`).toEqual({ invited: 6 });
    expect(result.invited).toBe(6);
    count += 1;
  }
  return count;
}

test('a job that is killed before or after any one operation ends as if nothing had been', async () => {
  const { momentCount } = await runWithCrashes([]);
  expect(momentCount).toBeGreaterThan(100);
  expect(await expectNoHarm(singleCrashes())).toBe(momentCount);
});

test('so does one that is held first, and approved', async () => {
  const { momentCount, result } = await runWithCrashes([], 'held');
  expect(result.faults.limit_exceeded).toBe(1);
  expect(await expectNoHarm(singleCrashes('held'))).toBe(momentCount);
});

test('so does one that is killed twice, at any two moments', async () => {
  const pairs = await expectNoHarm(pairsOfCrashes());
  console.log(`Killed at ${pairs} pairs of moments.`);
  expect(pairs).toBeGreaterThan(10_000);
}, 240_000);
