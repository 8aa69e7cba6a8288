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
  /** True when an outage has lasted so long that failing invitations are put down to their rows, while look-ups work. */
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
}

export function prolong(outage: Outage | undefined, nowMs: number): Outage {
  return { sinceMs: outage?.sinceMs ?? nowMs, pauses: (outage?.pauses ?? 0) + 1 };
}

/** How long to stay away: it doubles with every pause up to its limit. */
export function outageDelayMs(outage: Outage): number {
  return Math.min(outageLimits.delayMaxMs, outageLimits.firstDelayMs * 2 ** Math.min(outage.pauses - 1, 10));
}

/** @see Suspicion.blamesRows */
export function blamesRows(outage: Outage | undefined, nowMs: number): boolean {
  return outage !== undefined && nowMs - outage.sinceMs >= workerLimits.blameRowsAfterMs;
}

/** @param giveUpMs How long an outage may last before what is left is settled as failed. */
export function isGivenUp(outage: Outage | undefined, nowMs: number, giveUpMs: number): boolean {
  return outage !== undefined && nowMs - outage.sinceMs >= giveUpMs;
}
