/**
 * How the sandbox misbehaves, where it was told to.
 */

import { createHash } from 'node:crypto';

export interface Faults {
  /** Every answer takes at least this long. */
  readonly latencyMs: number;
  /** Calls a second that are taken; the others get 429 without a Retry-After. 0: no limit. */
  readonly rateLimitPerSecond: number;
  /** Share of the calls, from 0 to 1, that get 503 and have no effect. */
  readonly errorBefore: number;
  /** Share of the invitations, first ones or repeated, that take effect and then get 500. */
  readonly errorAfter: number;
  /** Share of the calls that take effect and are never answered. */
  readonly hang: number;
  /** The same seed misbehaves the same way, as far as the calls come in the same order. */
  readonly seed?: number;
}

export const noFaults: Faults = { latencyMs: 0, rateLimitPerSecond: 0, errorBefore: 0, errorAfter: 0, hang: 0 };

export type Misbehaviour = 'none' | 'too_many' | 'error_before' | 'error_after' | 'hang';

/** @param random Gives a number from 0 to below 1. */
export function misbehaviourOf(faults: Faults, isWithinRate: boolean, random: () => number): Misbehaviour {
  if (!isWithinRate) return 'too_many';
  if (random() < faults.errorBefore) return 'error_before';
  if (random() < faults.hang) return 'hang';
  if (random() < faults.errorAfter) return 'error_after';
  return 'none';
}

/** Gives numbers from 0 to below 1; with a seed, always the same ones. */
export function randomNumbers(seed: number | undefined): () => number {
  if (seed === undefined) return Math.random;
  let count = 0;
  return () => {
    count += 1;
    return createHash('sha256').update(`${seed}/${count}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}

/** A bucket of one second's calls that fills up steadily. */
export function rateLimiter(perSecond: number): (nowMs: number) => boolean {
  let tokens = perSecond;
  let filledAtMs = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    if (perSecond === 0) return true;
    tokens = Math.min(perSecond, tokens + ((nowMs - filledAtMs) / 1000) * perSecond);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
