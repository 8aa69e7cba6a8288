/**
 * The pace of calls that the API accepts. It publishes no limit, so the pace is found by trying: unlimited until the
 * first 429; then below what was accepted, rising quickly towards the last known ceiling and slowly beyond it.
 */
import { apiLimits } from './limits.ts';

export interface Pace {
  /** Calls that may start in a second; Infinity until the API first says 429. */
  readonly ratePerSecond: number;
  /** The rate that was accepted when the API last said 429. */
  readonly ceilingPerSecond: number;
  /** No call starts before. */
  readonly nextStartAtMs: number;
  /** The end of the wait that a 429 asked for; a later one never brings it forward. */
  readonly heldUntilMs: number;
  /** A 429 to a call that started before says nothing new. */
  readonly slowedAtMs: number;
  /** 429s since the last accepted call. */
  readonly slowDownsInARow: number;
  /** An exponentially fading count of accepted calls, for the rate that was accepted. */
  readonly acceptedFading: number;
  readonly acceptedAtMs: number;
  /** How long calls have been made: the time between two of them, without long pauses. */
  readonly calledForMs: number;
}

const tuning = {
  /** How long an accepted call counts towards the accepted rate. */
  memoryMs: 20_000,
  /** More time than this between two accepted calls, at a pace that asks for less, is a pause. */
  pauseMs: 1000,
  /** After a 429: this share of the accepted rate. */
  decrease: 0.85,
  /** Growth of the rate in a second, far from the ceiling and near it. */
  growthFar: 0.1,
  growthNear: 0.005,
  doubtDoublesEveryMs: 10_000,
  /** "Near" is between these shares of the ceiling. */
  nearFrom: 0.92,
  nearTo: 1.3,
  ratePerSecondMin: 0.1,
} as const;

export function newPace(nowMs: number): Pace {
  return {
    ratePerSecond: Number.POSITIVE_INFINITY,
    ceilingPerSecond: Number.POSITIVE_INFINITY,
    nextStartAtMs: nowMs,
    heldUntilMs: nowMs,
    slowedAtMs: nowMs - 1,
    slowDownsInARow: 0,
    acceptedFading: 0,
    acceptedAtMs: nowMs,
    calledForMs: 0,
  };
}

/** When a call may start. */
export interface Place {
  readonly startAtMs: number;
  /** When the API had last said 429 as the place was taken. */
  readonly slowedAtMs: number;
}

/** Takes the next place. */
export function reserveStart(pace: Pace, nowMs: number): { readonly pace: Pace; readonly place: Place } {
  const startAtMs = Math.max(nowMs, pace.nextStartAtMs);
  const gapMs = Number.isFinite(pace.ratePerSecond) ? 1000 / pace.ratePerSecond : 0;
  const place = { startAtMs, slowedAtMs: pace.slowedAtMs };
  return { pace: { ...pace, nextStartAtMs: Math.max(pace.nextStartAtMs, startAtMs + gapMs) }, place };
}

/** A 429 voids the places that were taken before it: whoever holds one takes another. */
export function isPlaceValid(pace: Pace, place: Place): boolean {
  return place.slowedAtMs === pace.slowedAtMs;
}

/** The API took a call, whatever its answer to it was. */
export function accepted(pace: Pace, nowMs: number): Pace {
  const sinceMs = calledSinceMs(pace, nowMs);
  return {
    ...pace,
    slowDownsInARow: 0,
    acceptedFading: pace.acceptedFading * Math.exp(-sinceMs / tuning.memoryMs) + 1,
    acceptedAtMs: nowMs,
    calledForMs: pace.calledForMs + sinceMs,
    ratePerSecond: pace.ratePerSecond + growthPerCall(pace, nowMs),
  };
}

/**
 * The API said 429.
 *
 * @param startedAtMs When the call started: several calls at once get the same no, which counts once.
 * @param retryAfterMs The wait that the answer asked for, if any; it is kept between 2 s and 60 s.
 * @returns The new pace, or the old one where the answer said nothing new.
 */
export function slowedDown(pace: Pace, startedAtMs: number, nowMs: number, retryAfterMs?: number): Pace {
  if (startedAtMs <= pace.slowedAtMs) return pace;
  const acceptedRate = acceptedPerSecond(pace);
  const slowDownsInARow = pace.slowDownsInARow + 1;
  const doubled = apiLimits.retryAfterMinMs * 2 ** Math.min(slowDownsInARow - 1, 10);
  const holdMs = Math.min(apiLimits.retryAfterMaxMs, Math.max(apiLimits.retryAfterMinMs, retryAfterMs ?? doubled));
  const heldUntilMs = Math.max(pace.heldUntilMs, nowMs + holdMs);
  const rate = tuning.decrease * Math.min(pace.ratePerSecond, acceptedRate);
  return {
    ...pace,
    ratePerSecond: Math.max(tuning.ratePerSecondMin, rate),
    ceilingPerSecond: Math.max(tuning.ratePerSecondMin, Math.min(pace.ratePerSecond, acceptedRate)),
    nextStartAtMs: heldUntilMs,
    heldUntilMs,
    slowedAtMs: nowMs,
    slowDownsInARow,
  };
}

/** At `ratePerSecond` calls in a second, each adding this much, the rate grows by so large a share of itself. */
function growthPerCall({ ratePerSecond, ceilingPerSecond, slowedAtMs }: Pace, nowMs: number): number {
  if (!Number.isFinite(ratePerSecond)) return 0;
  const share = ratePerSecond / ceilingPerSecond;
  if (share < tuning.nearFrom || share > tuning.nearTo) return tuning.growthFar;
  // The longer no 429 comes, the less the ceiling is to be believed: it may have been measured on a few calls.
  const doublings = Math.min(10, (nowMs - slowedAtMs) / tuning.doubtDoublesEveryMs);
  return Math.min(tuning.growthFar, tuning.growthNear * 2 ** doublings);
}

/** As of the last accepted call. */
function acceptedPerSecond({ acceptedFading, calledForMs }: Pace): number {
  const weightMs = tuning.memoryMs * (1 - Math.exp(-Math.max(1000, calledForMs) / tuning.memoryMs));
  return (acceptedFading * 1000) / weightMs;
}

/** Time in which nobody called says nothing of what would have been accepted: only as much counts as the pace asks for. */
function calledSinceMs({ acceptedFading, acceptedAtMs, ratePerSecond }: Pace, nowMs: number): number {
  if (acceptedFading === 0) return 0;
  const gapMs = Number.isFinite(ratePerSecond) ? 1000 / ratePerSecond : 0;
  return Math.min(Math.max(0, nowMs - acceptedAtMs), Math.max(tuning.pauseMs, 2 * gapMs));
}
