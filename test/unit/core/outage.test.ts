import { describe, expect, test } from 'vitest';
import { outageLimits } from '../../../lambdas/core/limits.ts';
import {
  blamesRows,
  type Health,
  healthy,
  isDown,
  isGivenUp,
  observe,
  outageDelayMs,
  prolong,
  type Sign,
  waitedMsBefore,
} from '../../../lambdas/core/outage.ts';

const minute = 60_000;

const usual = { isProbing: false, blamesRows: false };
const probing = { isProbing: true, blamesRows: false };
const blaming = { isProbing: true, blamesRows: true };

const seen = (...signs: readonly Sign[]): Health => signs.reduce(observe, healthy);
const times = (count: number, sign: (index: number) => Sign): Sign[] =>
  Array.from({ length: count }, (_, index) => sign(index));

const inviteFailed = (row: number): Sign => ({ kind: 'invite_failed', row });
const lookUpFailed: Sign = { kind: 'look_up_failed' };
const lookedUp: Sign = { kind: 'look_up_answered' };
const answered: Sign = { kind: 'invite_answered' };
const slowedDown: Sign = { kind: 'slowed_down' };

describe('when the API counts as down', () => {
  test('after ten failures in a row, of whatever call', () => {
    const nine = times(9, (index) => (index % 2 === 0 ? lookUpFailed : inviteFailed(2)));
    expect(isDown(seen(...nine), usual)).toBe(false);
    expect(isDown(seen(...nine, lookUpFailed), usual)).toBe(true);
  });

  test('not while it answers invitations in between', () => {
    const signs = times(40, (index) => (index % 5 === 4 ? answered : inviteFailed(index)));
    expect(isDown(seen(...signs), usual)).toBe(false);
  });

  test('when the invitations of five rows fail, even though look-ups work all the time', () => {
    const rows = (count: number) => times(count, inviteFailed).flatMap((sign) => [sign, lookedUp]);
    expect(isDown(seen(...rows(4)), usual)).toBe(false);
    expect(isDown(seen(...rows(5)), usual)).toBe(true);
  });

  test('not because of one row that fails again and again, while look-ups work', () => {
    expect(isDown(seen(...times(50, (index) => (index % 2 === 0 ? inviteFailed(7) : lookedUp))), usual)).toBe(false);
  });

  test('after eight 429s in a row, because the chunk then only stands in the way', () => {
    expect(isDown(seen(...times(7, () => slowedDown)), usual)).toBe(false);
    expect(isDown(seen(...times(8, () => slowedDown)), usual)).toBe(true);
  });

  test.each([['an answered invitation', answered] as const, ['a look-up that worked', lookedUp] as const])(
    '%s ends a row of 429s',
    (_, sign) => {
      expect(isDown(seen(...times(7, () => slowedDown), sign, slowedDown), usual)).toBe(false);
    },
  );

  test('a 429 between failures does not hide that they are failures', () => {
    expect(isDown(seen(...times(4, inviteFailed), slowedDown, inviteFailed(9)), usual)).toBe(true);
  });

  test('after an outage the first failure says that it goes on', () => {
    expect(isDown(healthy, probing)).toBe(false);
    expect(isDown(seen(lookUpFailed), probing)).toBe(true);
    expect(isDown(seen(inviteFailed(2), lookedUp), probing)).toBe(true);
  });

  test('not because of failing invitations, once an outage of nothing but invitations has lasted too long', () => {
    const rows = times(20, inviteFailed).flatMap((sign) => [sign, lookedUp]);
    expect(isDown(seen(...rows), blaming)).toBe(false);
    expect(isDown(seen(...rows, lookUpFailed), blaming)).toBe(true);
  });

  test('a 429 after an outage is a sign of life, not of another outage', () => {
    expect(isDown(seen(slowedDown), probing)).toBe(false);
  });
});

describe('how long to stay away', () => {
  const half = minute / 2;

  test('the first time half a minute, then twice as long each time, up to a quarter of an hour', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 2000].map((pauses) => outageDelayMs(pauses, half) / minute);
    expect(delays).toEqual([0.5, 1, 2, 4, 8, 15, 15, 15]);
  });

  test('an outage keeps its beginning, and counts what was waited', () => {
    const first = prolong(undefined, 1000, half);
    expect(first).toEqual({ sinceMs: 1000, pauses: 1, waitedMs: 0 });
    const third = prolong(prolong(first, 1000 + minute, half), 1000 + 3 * minute, half);
    expect(third).toEqual({ sinceMs: 1000, pauses: 3, waitedMs: 1.5 * minute });
    expect(third.waitedMs).toBe(waitedMsBefore(3, half));
  });

  test('a night in which the machine was off is no outage of a night', () => {
    const first = prolong(undefined, 0, half);
    const nextMorning = prolong(first, 12 * 60 * minute, half);
    expect(isGivenUp(nextMorning, outageLimits.giveUpMs)).toBe(false);
  });

  test('after the give-up time of waiting the rest is given up', () => {
    let outage = prolong(undefined, 0, half);
    let nowMs = 0;
    while (outage.waitedMs < outageLimits.giveUpMs) {
      expect(isGivenUp(outage, outageLimits.giveUpMs)).toBe(false);
      nowMs += outageDelayMs(outage.pauses, half);
      outage = prolong(outage, nowMs, half);
    }
    expect(isGivenUp(outage, outageLimits.giveUpMs)).toBe(true);
    expect(outage.pauses).toBeLessThan(40);
  });

  test('a clock that is behind the one before it takes nothing off what was waited', () => {
    expect(prolong(prolong(undefined, 1000, half), 500, half).waitedMs).toBe(0);
  });

  test('two messages for the same chunk that wait at the same time do not wait twice as long', () => {
    let outage = prolong(undefined, 0, half);
    for (let pause = 0; pause < 60; pause += 1) outage = prolong(outage, pause * minute, half);
    expect(outage.waitedMs).toBe(59 * minute);
  });

  test('a few failing rows are to blame after two pauses, many never are', () => {
    const twice = prolong(prolong(undefined, 0, half), 0, half);
    expect(blamesRows(prolong(undefined, 0, half), 1)).toBe(false);
    expect(blamesRows(twice, 4)).toBe(true);
    expect(blamesRows(twice, 5)).toBe(false);
    expect(blamesRows(undefined, 1)).toBe(false);
  });
});
