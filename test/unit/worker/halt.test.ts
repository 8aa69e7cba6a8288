import { describe, expect, test } from 'vitest';
import { Halt, Halted, type HaltReason } from '../../../lambdas/worker/halt.ts';

const outOfTime: HaltReason = { kind: 'out_of_time' };
const apiDown: HaltReason = { kind: 'api_down' };
const stopped: HaltReason = { kind: 'stopped', stop: { code: 'key_refused', message: 'No.', atMs: 1 } };
const lost: HaltReason = { kind: 'lost' };
const broken: HaltReason = { kind: 'broken', error: new Error('a defect') };

function afterBoth(first: HaltReason, second: HaltReason): HaltReason | undefined {
  const halt = new Halt();
  halt.set(first);
  halt.set(second);
  return halt.reason;
}

describe('the reason for which a chunk is halted', () => {
  test.each([outOfTime, apiDown, stopped])('is $kind where that came first, and another one followed', (first) => {
    for (const second of [outOfTime, apiDown, stopped]) expect(afterBoth(first, second)).toBe(first);
  });

  test.each([outOfTime, apiDown, stopped, broken])(
    'is that the chunk is lost, also where $kind came first',
    (first) => {
      expect(afterBoth(first, lost)).toBe(lost);
    },
  );

  test.each([outOfTime, apiDown, stopped])('is a defect, also where $kind came first', (first) => {
    expect(afterBoth(first, broken)).toBe(broken);
  });

  test.each([outOfTime, apiDown, stopped, broken])('stays that the chunk is lost when $kind follows', (second) => {
    expect(afterBoth(lost, second)).toBe(lost);
  });

  test.each([outOfTime, apiDown, stopped])('stays a defect when $kind follows', (second) => {
    expect(afterBoth(broken, second)).toBe(broken);
  });
});

test('a chunk that is halted wakes up what waits, which a chunk at work does not', () => {
  const halt = new Halt();
  expect(halt.signal.aborted).toBe(false);
  expect(halt.reason).toBeUndefined();
  const woken: unknown[] = [];
  halt.signal.addEventListener('abort', () => woken.push(halt.signal.reason));
  halt.set(outOfTime);
  expect(woken).toEqual([expect.any(Halted)]);
});
