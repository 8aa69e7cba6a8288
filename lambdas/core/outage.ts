/**
 * When an API counts as down, and how long to stay away from it.
 */
import { outageLimits, workerLimits } from './limits.ts';

/** What has been seen of the API since its last definite answer to an invitation. */
export interface Health {
  /** Calls in a row that brought no definite answer, for reasons that are not a row's. */
  readonly failuresInARow: number;
  /** Rows whose invitation failed so; look-ups that work do not take them off. */
  readonly failingRows: ReadonlySet<number>;
  readonly failedLookUpsInARow: number;
  readonly slowDownsInARow: number;
}

export const healthy: Health = {
  failuresInARow: 0,
  failingRows: new Set(),
  failedLookUpsInARow: 0,
  slowDownsInARow: 0,
};

export type Sign =
  /** The API said yes or no to an invitation. */
  | { readonly kind: 'invite_answered' }
  /** A look-up worked. */
  | { readonly kind: 'look_up_answered' }
  | { readonly kind: 'invite_failed'; readonly row: number }
  | { readonly kind: 'look_up_failed' }
  | { readonly kind: 'slowed_down' };

export function observe(health: Health, sign: Sign): Health {
  switch (sign.kind) {
    case 'invite_answered':
      return healthy;
    case 'look_up_answered':
      return { ...health, failuresInARow: 0, failedLookUpsInARow: 0, slowDownsInARow: 0 };
    case 'invite_failed':
      return {
        ...health,
        failuresInARow: health.failuresInARow + 1,
        failingRows: new Set([...health.failingRows, sign.row]),
        slowDownsInARow: 0,
      };
    case 'look_up_failed':
      return {
        ...health,
        failuresInARow: health.failuresInARow + 1,
        failedLookUpsInARow: health.failedLookUpsInARow + 1,
        slowDownsInARow: 0,
      };
    case 'slowed_down':
      return { ...health, slowDownsInARow: health.slowDownsInARow + 1 };
    default:
      return sign satisfies never;
  }
}

export interface Suspicion {
  /** True after an outage: then the first failure says that it goes on. */
  readonly isProbing: boolean;
  /** True when failing invitations are put down to their rows, as long as look-ups work. */
  readonly blamesRows: boolean;
}

export function isDown(health: Health, { isProbing, blamesRows }: Suspicion): boolean {
  if (health.slowDownsInARow >= workerLimits.slowDownsInARowMax) return true;
  if (blamesRows) return health.failedLookUpsInARow > 0;
  return (
    health.failuresInARow >= (isProbing ? 1 : workerLimits.failuresInARowMax) ||
    health.failingRows.size >= (isProbing ? 1 : workerLimits.failingRowsMax)
  );
}

/** An outage as a chunk remembers it. */
export interface Outage {
  readonly sinceMs: number;
  /** How often the chunk stepped aside because of it. */
  readonly pauses: number;
  /** The pauses together. Time in which nobody tried, because the machine was off, says nothing of the API. */
  readonly waitedMs: number;
}

/** @param firstDelayMs The first pause; each further one is twice as long, up to the limit. */
export function prolong(outage: Outage | undefined, nowMs: number, firstDelayMs: number): Outage {
  const pauses = (outage?.pauses ?? 0) + 1;
  const lastDelayMs = outage === undefined ? 0 : outageDelayMs(outage.pauses, firstDelayMs);
  const sinceMs = outage?.sinceMs ?? nowMs;
  // Two messages for the same chunk pause at the same time, and the clocks of two machines differ.
  const waitedMs = Math.min((outage?.waitedMs ?? 0) + lastDelayMs, Math.max(0, nowMs - sinceMs));
  return { sinceMs, pauses, waitedMs };
}

/** How long to stay away after so many pauses, from 1. */
export function outageDelayMs(pauses: number, firstDelayMs: number): number {
  return Math.min(outageLimits.delayMaxMs, firstDelayMs * 2 ** Math.min(pauses - 1, 10));
}

/** How long the pauses before this one lasted together. */
export function waitedMsBefore(pauses: number, firstDelayMs: number): number {
  let waitedMs = 0;
  for (let pause = 1; pause < Math.min(pauses, 1000); pause += 1) waitedMs += outageDelayMs(pause, firstDelayMs);
  return waitedMs;
}

/**
 * Where look-ups work, and the invitations of just a few rows fail again and again, it is more likely the rows than the API.
 *
 * @see Suspicion.blamesRows
 */
export function blamesRows(outage: Outage | undefined, openRows: number): boolean {
  return (
    outage !== undefined && outage.pauses >= workerLimits.blameRowsAfterPauses && openRows < workerLimits.failingRowsMax
  );
}

/** @param giveUpMs How long an outage may be waited out before what is left is settled as failed. */
export function isGivenUp(outage: Outage, giveUpMs: number): boolean {
  return outage.waitedMs >= giveUpMs;
}
