/**
 * A chunk: consecutive invitees that one worker invocation handles. Its states:
 *
 *   waiting ──claim──▶ running(owner, lease) ──▶ settled
 *      ▲                  │        ▲
 *      └─────pause────────┘        └── another worker, once the lease has ended
 *
 * Every change is a conditional write of the whole object, so two workers can never both believe that they own it.
 */
import type { ApiCalls } from './apiCalls.ts';
import { overlapLimits, workerLimits } from './limits.ts';
import type { Outage } from './outage.ts';
import { type GivingUp, giveUp, lookUpFirst, putInDoubtByCrash, type RowProgress } from './rowProgress.ts';

export type ChunkState =
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'running';
      readonly owner: string;
      readonly leaseEndsAtMs: number;
      /** Outcomes that the chunk had when it was claimed: more than that is progress. */
      readonly outcomesAtClaim: number;
    }
  | { readonly kind: 'settled'; readonly atMs: number };

export interface Chunk {
  readonly jobId: string;
  /** From 0. */
  readonly chunk: number;
  /** Of the writer of this very version, so that it knows its own write again. */
  readonly token: string;
  readonly state: ChunkState;
  readonly rows: readonly RowProgress[];
  /** When the directory snapshot was taken by which the rows were judged. */
  readonly snapshotAtMs: number;
  /** Whether another job may have invited some of these people since the snapshot, or may do so now. */
  readonly overlaps: boolean;
  readonly crashesWithoutProgress: number;
  readonly outage?: Outage;
  readonly apiCalls: ApiCalls;
}

export interface Claimant {
  readonly owner: string;
  readonly nowMs: number;
  readonly leaseMs: number;
}

export type Claim =
  | { readonly kind: 'already_settled' }
  | { readonly kind: 'owned_by_another'; readonly leaseEndsAtMs: number }
  | { readonly kind: 'claimed'; readonly chunk: Chunk };

/**
 * What a worker may do with a chunk. After an owner that vanished, every open row is in doubt: its call may have been
 * under way.
 */
export function claim(chunk: Chunk, claimant: Claimant): Claim {
  const { state } = chunk;
  switch (state.kind) {
    case 'settled':
      return { kind: 'already_settled' };
    case 'waiting':
      return { kind: 'claimed', chunk: run(refreshed(chunk, claimant.nowMs), claimant) };
    case 'running': {
      if (state.leaseEndsAtMs > claimant.nowMs) return { kind: 'owned_by_another', leaseEndsAtMs: state.leaseEndsAtMs };
      const hasProgress = outcomeCount(chunk) > state.outcomesAtClaim;
      const inDoubt: Chunk = {
        ...chunk,
        rows: chunk.rows.map((row) => putInDoubtByCrash(row, claimant.nowMs)),
        crashesWithoutProgress: hasProgress ? 0 : chunk.crashesWithoutProgress + 1,
      };
      return { kind: 'claimed', chunk: run(inDoubt, claimant) };
    }
    default:
      return state satisfies never;
  }
}

/** Whether the chunk itself brings its workers down. */
export function isPoison(chunk: Chunk): boolean {
  return chunk.crashesWithoutProgress >= workerLimits.crashesWithoutProgressMax;
}

export function pause(chunk: Chunk): Chunk {
  return { ...chunk, state: { kind: 'waiting' }, crashesWithoutProgress: 0 };
}

export function settleChunk(chunk: Chunk, nowMs: number): Chunk {
  return { ...chunk, state: { kind: 'settled', atMs: nowMs }, crashesWithoutProgress: 0 };
}

export function giveUpRest(chunk: Chunk, reason: GivingUp): Chunk {
  return { ...chunk, rows: chunk.rows.map((row) => giveUp(row, reason)) };
}

export function isWhole(chunk: Chunk): boolean {
  return outcomeCount(chunk) === chunk.rows.length;
}

export function outcomeCount(chunk: Chunk): number {
  return chunk.rows.reduce((count, row) => count + (row.outcome === undefined ? 0 : 1), 0);
}

/** A job that finds others at work lets so much time pass that their workers have seen it. */
export function quietForMs({ overlaps, snapshotAtMs }: Chunk, nowMs: number): number {
  return overlaps ? Math.max(0, snapshotAtMs + overlapLimits.quietMs - nowMs) : 0;
}

/** Long after the snapshot, somebody else may have invited a person. */
function refreshed(chunk: Chunk, nowMs: number): Chunk {
  if (nowMs - chunk.snapshotAtMs <= workerLimits.snapshotFreshMs) return chunk;
  return { ...chunk, rows: chunk.rows.map(lookUpFirst) };
}

function run(chunk: Chunk, { owner, nowMs, leaseMs }: Claimant): Chunk {
  const state = {
    kind: 'running',
    owner,
    leaseEndsAtMs: nowMs + leaseMs,
    outcomesAtClaim: outcomeCount(chunk),
  } as const;
  return { ...chunk, state };
}
