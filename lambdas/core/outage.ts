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
  readonly slowDownsInARow: number;
}

export const healthy: Health = { failuresInARow: 0, failingRows: new Set(), slowDownsInARow: 0 };

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
      return { ...health, failuresInARow: 0, slowDownsInARow: 0 };
    case 'invite_failed':
      return {
        failuresInARow: health.failuresInARow + 1,
        failingRows: new Set([...health.failingRows, sign.row]),
        slowDownsInARow: 0,
      };
    case 'look_up_failed':
      return { ...health, failuresInARow: health.failuresInARow + 1, slowDownsInARow: 0 };
    case 'slowed_down':
      return { ...health, slowDownsInARow: health.slowDownsInARow + 1 };
    default:
      return sign satisfies never;
  }
}

/** @param isProbing True after an outage: then the first failure says that it goes on. */
export function isDown(health: Health, isProbing: boolean): boolean {
  const failuresMax = isProbing ? 1 : workerLimits.failuresInARowMax;
  return (
    health.failuresInARow >= failuresMax ||
    health.failingRows.size >= failuresMax ||
    health.slowDownsInARow >= workerLimits.slowDownsInARowMax
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

/** @param giveUpMs How long an outage may last before what is left is settled as failed. */
export function isGivenUp(outage: Outage | undefined, nowMs: number, giveUpMs: number): boolean {
  return outage !== undefined && nowMs - outage.sinceMs >= giveUpMs;
}
