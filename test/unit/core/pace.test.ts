import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accepted, isPlaceValid, newPace, type Pace, reserveStart, slowedDown } from '../../../lambdas/core/pace.ts';

const second = 1000;
const minute = 60 * second;

/** A pace that has just been slowed at time 0, after `calls` accepted calls in the last minute. */
function slowedPace(calls: number): Pace {
  let pace = newPace(-minute);
  for (let call = 0; call < calls; call += 1) pace = accepted(pace, -minute + (call * minute) / calls);
  return slowedDown(pace, -1, 0);
}

const holdMs = (pace: Pace, nowMs: number): number => reserveStart(pace, nowMs).place.startAtMs - nowMs;

/** Takes `count` places at once and gives when each call may start. */
function starts(pace: Pace, nowMs: number, count: number): readonly number[] {
  const startsAtMs: number[] = [];
  for (let current = pace; startsAtMs.length < count; ) {
    const reserved = reserveStart(current, nowMs);
    startsAtMs.push(reserved.place.startAtMs);
    current = reserved.pace;
  }
  return startsAtMs;
}

describe('before the API has said 429', () => {
  test('every call may start at once', () => {
    expect(starts(newPace(500), 500, 100)).toEqual(Array.from({ length: 100 }, () => 500));
  });

  test('accepted calls change nothing about that', () => {
    expect(accepted(newPace(0), 100).ratePerSecond).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('when the API says 429', () => {
  test.each([
    { asked: 'nothing', retryAfterMs: undefined, keptMs: 2 * second },
    { asked: 'zero', retryAfterMs: 0, keptMs: 2 * second },
    { asked: 'a time in the past', retryAfterMs: -5 * second, keptMs: 2 * second },
    { asked: 'one second', retryAfterMs: 1 * second, keptMs: 2 * second },
    { asked: 'seven seconds', retryAfterMs: 7 * second, keptMs: 7 * second },
    { asked: 'a minute', retryAfterMs: minute, keptMs: minute },
    { asked: 'an hour', retryAfterMs: 60 * minute, keptMs: minute },
  ])('asking for $asked, no call starts for $keptMs ms', ({ retryAfterMs, keptMs }) => {
    const pace = slowedDown(newPace(0), 10, 100, retryAfterMs);
    expect(holdMs(pace, 100)).toBe(keptMs);
  });

  test('several times in a row, the wait doubles from two seconds up to a minute', () => {
    let pace = newPace(0);
    let nowMs = 0;
    const waitsMs = Array.from({ length: 7 }, () => {
      pace = slowedDown(pace, nowMs, nowMs);
      const waitMs = holdMs(pace, nowMs);
      nowMs += waitMs;
      return waitMs;
    });
    expect(waitsMs.map((ms) => ms / second)).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });

  test('after an accepted call, the wait is two seconds again', () => {
    const twice = slowedDown(slowedDown(newPace(0), 0, 0), 2000, 2050);
    expect(holdMs(twice, 2050)).toBe(4 * second);
    expect(holdMs(slowedDown(accepted(twice, 6100), 6200, 6250), 6250)).toBe(2 * second);
  });

  test('to many calls that started before it was first heard, it counts once', () => {
    const once = slowedDown(newPace(0), 40, 100, 9 * second);
    for (const startedAtMs of [0, 50, 99, 100]) expect(slowedDown(once, startedAtMs, 130, 60 * second)).toBe(once);
  });

  test('to a call that started after it was heard, it counts again', () => {
    const once = slowedDown(newPace(0), 40, 100);
    expect(slowedDown(once, 101, 150)).toMatchObject({ slowDownsInARow: 2, slowedAtMs: 150 });
  });

  test('the pace falls below what was accepted', () => {
    const { ratePerSecond, ceilingPerSecond } = slowedPace(600);
    expect(ceilingPerSecond).toBeCloseTo(10, 0);
    expect(ratePerSecond).toBeCloseTo(0.85 * ceilingPerSecond, 5);
  });

  test('after a while without calls, the pace falls below what was accepted since, not far below it', () => {
    let pace = newPace(-minute);
    for (let nowMs = -second; nowMs < 0; nowMs += 50) pace = accepted(pace, nowMs);
    expect(slowedDown(pace, -1, 0).ratePerSecond).toBeGreaterThan(10);
  });

  test('for a day on end, a call is still tried every ten seconds', () => {
    let pace = newPace(0);
    for (let nowMs = 0; nowMs < 24 * 60 * minute; nowMs += 10 * minute) pace = slowedDown(pace, nowMs, nowMs);
    expect(pace.ratePerSecond).toBe(0.1);
  });

  test('a longer wait that it asked for before is not cut short', () => {
    const asked = slowedDown(newPace(0), 0, 0, minute);
    const again = slowedDown(asked, 1000, 1050);
    expect(1050 + holdMs(again, 1050)).toBeGreaterThanOrEqual(minute);
  });
});

describe('the pace that was found', () => {
  test('never lets more calls start than it says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 2, maxLength: 100 }),
        (acceptedCalls, pausesMs) => {
          let pace = slowedPace(acceptedCalls);
          let nowMs = 0;
          const startsAtMs = pausesMs.map((pauseMs) => {
            nowMs += pauseMs;
            const reserved = reserveStart(pace, nowMs);
            pace = reserved.pace;
            return reserved.place.startAtMs;
          });
          for (const [index, startAtMs] of startsAtMs.entries()) {
            const earlier = startsAtMs.slice(0, index);
            for (const [earlierIndex, earlierMs] of earlier.entries()) {
              const seconds = (startAtMs - earlierMs) / second;
              // So many starts lie after the earlier one; a thousandth is for rounding.
              expect(index - earlierIndex).toBeLessThanOrEqual(seconds * pace.ratePerSecond + 0.001);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('no call starts before it asked for a place', () => {
    expect(reserveStart(slowedPace(60), 10 * minute).place.startAtMs).toBe(10 * minute);
  });

  test('rises with accepted calls: slowly near the last ceiling, faster away from it', () => {
    const pace = slowedPace(600);
    const growthAt = (share: number) => {
      const there = { ...pace, ratePerSecond: share * pace.ceilingPerSecond };
      return accepted(there, second).ratePerSecond - there.ratePerSecond;
    };
    expect(growthAt(1)).toBeGreaterThan(0);
    for (const share of [0.5, 1.5]) expect(growthAt(share)).toBeGreaterThan(5 * growthAt(1));
  });
});

interface Simulation {
  /** Calls that the API takes in a second; as many may come at once. */
  readonly limitPerSecond: number;
  readonly callMs: number;
  readonly callsAtOnce: number;
}

interface Event {
  readonly atMs: number;
  readonly happen: (nowMs: number) => void;
}

/**
 * Two minutes of calls, one after the other in each of the workers’ places, against an API with a token bucket. As the
 * worker does: take a place in the pace, sleep until then, call, and tell the pace what the answer was.
 *
 * @returns Of the second minute: accepted calls as a share of what the API would take, and the share of 429s.
 */
function simulate({ limitPerSecond, callMs, callsAtOnce }: Simulation) {
  const upcoming: Event[] = [];
  const answers: { readonly atMs: number; readonly isAccepted: boolean }[] = [];
  const takesCall = tokenBucket(limitPerSecond);
  let pace = newPace(0);

  const nextCall = (nowMs: number): void => {
    const reserved = reserveStart(pace, nowMs);
    pace = reserved.pace;
    const { place } = reserved;
    const start = (startedAtMs: number) => (isPlaceValid(pace, place) ? call(startedAtMs) : nextCall(startedAtMs));
    upcoming.push({ atMs: place.startAtMs, happen: start });
  };
  const call = (startedAtMs: number): void => {
    const isAccepted = takesCall(startedAtMs);
    answers.push({ atMs: startedAtMs, isAccepted });
    const happen = (nowMs: number): void => {
      pace = isAccepted ? accepted(pace, nowMs) : slowedDown(pace, startedAtMs, nowMs);
      nextCall(nowMs);
    };
    upcoming.push({ atMs: startedAtMs + callMs, happen });
  };

  for (let count = 0; count < callsAtOnce; count += 1) nextCall(0);
  for (let event = takeEarliest(upcoming); event.atMs < 2 * minute; event = takeEarliest(upcoming)) {
    event.happen(event.atMs);
  }
  const secondMinute = answers.filter(({ atMs }) => atMs >= minute);
  const acceptedCount = secondMinute.filter(({ isAccepted }) => isAccepted).length;
  return {
    acceptedShare: acceptedCount / (60 * limitPerSecond),
    slowedDownShare: 1 - acceptedCount / secondMinute.length,
  };
}

function tokenBucket(limitPerSecond: number): (nowMs: number) => boolean {
  let tokens = limitPerSecond;
  let filledAtMs = 0;
  return (nowMs) => {
    tokens = Math.min(limitPerSecond, tokens + ((nowMs - filledAtMs) * limitPerSecond) / second);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** Of events at the same time, the one that was planned first. */
function takeEarliest(upcoming: Event[]): Event {
  const earliestMs = Math.min(...upcoming.map(({ atMs }) => atMs));
  const index = upcoming.findIndex(({ atMs }) => atMs === earliestMs);
  const [event] = upcoming.splice(index, 1);
  if (event === undefined) throw new Error('The simulation has come to a standstill.');
  return event;
}

describe('against an API whose limit nobody knows', () => {
  const expectGoodPace = (limitPerSecond: number): void => {
    const { acceptedShare, slowedDownShare } = simulate({
      limitPerSecond,
      callMs: 50,
      callsAtOnce: Math.max(10, limitPerSecond / 10),
    });
    expect(acceptedShare).toBeGreaterThanOrEqual(0.75);
    expect(slowedDownShare).toBeLessThan(0.1);
  };

  test.each([1, 2, 5, 20, 100, 500])(
    'after a minute, at least 75 %% of %i calls a second are accepted, with fewer than 10 %% of 429s',
    (limitPerSecond) => expectGoodPace(limitPerSecond),
  );
});
