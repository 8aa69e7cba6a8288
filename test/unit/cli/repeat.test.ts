import { describe, expect, test } from 'vitest';
import { repeat } from '../../../cli/commands/repeatReconcile.ts';
import type { Clock } from '../../../lambdas/ports.ts';

const hour = 60 * 60_000;

/** Runs take the hours that are given; when they are used up, somebody presses Ctrl-C. */
async function runsOf(everyHours: number, durations: readonly number[], codes: readonly number[] = []) {
  let nowMs = 0;
  const stop = new AbortController();
  const clock: Clock = {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
  const begun: number[] = [];
  const said: string[] = [];
  const runOnce = async () => {
    begun.push(nowMs / hour);
    nowMs += (durations[begun.length - 1] ?? 0) * hour;
    if (begun.length === durations.length) stop.abort();
    return codes[begun.length - 1] ?? 0;
  };
  await repeat(everyHours * hour, runOnce, clock, stop.signal, { say: (line) => said.push(line) });
  return { begun, said };
}

describe('repeated runs', () => {
  test('begin at multiples of the time, counted from the beginning', async () => {
    const { begun, said } = await runsOf(4, [1, 0.5, 3.9, 0]);
    expect(begun).toEqual([0, 4, 8, 12]);
    expect(said).toHaveLength(3);
    expect(said[0]).toMatch(/^The next run is at 1 Jan 1970, .+\. Ctrl-C ends it\.$/u);
  });

  test('never overlap: a time that comes meanwhile is left out, and that is said', async () => {
    const { begun, said } = await runsOf(4, [9, 4.1, 4, 0]);
    expect(begun).toEqual([0, 12, 20, 24]);
    expect(said.filter((line) => line.includes('left out'))).toEqual([
      '2 runs were left out, because this one took so long.',
      '1 run was left out, because this one took so long.',
    ]);
  });

  test('go on after one that has failed, and after one that is held', async () => {
    const { begun, said } = await runsOf(1, [0, 0, 0], [1, 2, 0]);
    expect(begun).toEqual([0, 1, 2]);
    expect(said.filter((line) => line.includes('failed'))).toEqual([
      'This run has failed; the next one is tried all the same.',
    ]);
  });
});
