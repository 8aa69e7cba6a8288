import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Chunk,
  type Claimant,
  claim,
  giveUpRest,
  isPoison,
  isWhole,
  outcomeCount,
  pause,
  quietForMs,
  settleChunk,
} from '../../../lambdas/core/chunk.ts';
import { overlapLimits, workerLimits } from '../../../lambdas/core/limits.ts';
import { nextCall, type RowProgress } from '../../../lambdas/core/rowProgress.ts';

const leaseMs = 45_000;

const row = (number: number, changes: Partial<RowProgress> = {}): RowProgress => ({
  row: number,
  invitee: { email: `person${number}@example.com` },
  attempts: 0,
  ...changes,
});

const invited = (number: number): RowProgress =>
  row(number, { attempts: 1, outcome: { row: number, status: 'invited', code: 'created', attempts: 1 } });

const chunk = (changes: Partial<Chunk> = {}): Chunk => ({
  jobId: '20260131T070500Z-0f3a9c51b2de',
  chunk: 0,
  token: 'token-1',
  state: { kind: 'waiting' },
  rows: [row(2), row(3), row(4)],
  snapshotAtMs: 0,
  overlaps: false,
  crashesWithoutProgress: 0,
  apiCalls: {},
  ...changes,
});

const running = (changes: Partial<Chunk> = {}, outcomesAtClaim = 0): Chunk =>
  chunk({ state: { kind: 'running', owner: 'ann', leaseEndsAtMs: 1000, outcomesAtClaim }, ...changes });

const bob = (nowMs: number): Claimant => ({ owner: 'bob', nowMs, leaseMs });

function claimed(from: Chunk, claimant: Claimant): Chunk {
  const result = claim(from, claimant);
  if (result.kind !== 'claimed') throw new Error(`The claim ended as ${result.kind}.`);
  return result.chunk;
}

describe('a job that found others at work', () => {
  test('waits until they all know of it, and one that runs alone does not', () => {
    const { quietMs } = overlapLimits;
    expect(quietForMs(chunk({ overlaps: true, snapshotAtMs: 1000 }), 3000)).toBe(quietMs - 2000);
    expect(quietForMs(chunk({ overlaps: true, snapshotAtMs: 1000 }), 1000 + quietMs)).toBe(0);
    expect(quietForMs(chunk({ overlaps: true, snapshotAtMs: 1000 }), 2000 + quietMs)).toBe(0);
    expect(quietForMs(chunk({ overlaps: false, snapshotAtMs: 1000 }), 3000)).toBe(0);
  });

  test('waits for longer than another’s last look may be old', () => {
    expect(overlapLimits.quietMs).toBeGreaterThan(overlapLimits.seenMs);
    expect(overlapLimits.seenMs).toBeGreaterThan(workerLimits.saveEveryMs + workerLimits.tickMs);
  });
});

describe('claiming a chunk', () => {
  test('a waiting chunk becomes the claimant’s, for the length of a lease', () => {
    expect(claimed(chunk(), bob(5000)).state).toEqual({
      kind: 'running',
      owner: 'bob',
      leaseEndsAtMs: 5000 + leaseMs,
      outcomesAtClaim: 0,
    });
  });

  test('a waiting chunk was left in order, so none of its rows is in doubt', () => {
    expect(claimed(chunk(), bob(5000)).rows).toEqual(chunk().rows);
  });

  test('a chunk whose owner’s lease still runs is left alone until then', () => {
    expect(claim(running(), bob(999))).toEqual({ kind: 'owned_by_another', leaseEndsAtMs: 1000 });
  });

  test('a settled chunk is not worked on again', () => {
    expect(claim(chunk({ state: { kind: 'settled', atMs: 1 } }), bob(5000))).toEqual({ kind: 'already_settled' });
  });

  test('after an owner that vanished, every open row is looked up before anything is sent', () => {
    const rows = claimed(running({ rows: [invited(2), row(3), row(4)] }), bob(1000)).rows;
    expect(rows.map((each) => nextCall(each, { nowMs: 1000, overlaps: false }))).toEqual([
      'none',
      'look_up',
      'look_up',
    ]);
    expect(rows[0]).toEqual(invited(2));
  });

  test('a chunk remembers how many outcomes it had when it was claimed', () => {
    const { state } = claimed(running({ rows: [invited(2), invited(3), row(4)] }, 1), bob(1000));
    expect(state).toMatchObject({ outcomesAtClaim: 2 });
  });

  test('the API calls and the outage of earlier owners are kept', () => {
    const before = running({ apiCalls: { find_user: { '200': 3 } }, outage: { sinceMs: 1, pauses: 2, waitedMs: 3 } });
    expect(claimed(before, bob(1000))).toMatchObject({ apiCalls: before.apiCalls, outage: before.outage });
  });

  test('two workers who save by compare-and-swap never both hold a live lease', () => {
    const worker = fc.constantFrom('ann', 'bob', 'eve');
    const step = fc.record({
      worker,
      act: fc.constantFrom('read', 'write_claim', 'renew', 'pause', 'settle', 'wait'),
      ms: fc.integer({ min: 0, max: 30_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const workers = new Workers(chunk());
        for (const { worker: owner, act, ms } of steps) {
          workers.act(owner, act, ms);
          expect(workers.liveOwners().length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Workers with one clock, and a store that replaces a chunk only where nobody has changed it since it was read. */
class Workers {
  #stored: Chunk;
  #version = 0;
  #nowMs = 0;
  readonly #read = new Map<string, { readonly chunk: Chunk; readonly version: number }>();
  readonly #owned = new Map<string, { readonly chunk: Chunk; readonly version: number }>();

  constructor(stored: Chunk) {
    this.#stored = stored;
  }

  act(owner: string, act: 'read' | 'write_claim' | 'renew' | 'pause' | 'settle' | 'wait', ms: number): void {
    switch (act) {
      case 'wait':
        this.#nowMs += ms;
        return;
      case 'read':
        this.#read.set(owner, { chunk: this.#stored, version: this.#version });
        return;
      case 'write_claim':
        return this.#writeClaim(owner);
      case 'renew':
        return this.#replaceOwn(owner, ({ state, ...rest }) =>
          state.kind === 'running' ? { ...rest, state: { ...state, leaseEndsAtMs: this.#nowMs + leaseMs } } : undefined,
        );
      case 'pause':
        return this.#replaceOwn(owner, pause);
      case 'settle':
        return this.#replaceOwn(owner, (own) => settleChunk(own, this.#nowMs));
    }
  }

  /** Who believes to own the chunk, with a lease that has not ended. */
  liveOwners(): string[] {
    return [...this.#owned].flatMap(
      ([
        owner,
        {
          chunk: { state },
        },
      ]) => (state.kind === 'running' && state.leaseEndsAtMs > this.#nowMs ? [owner] : []),
    );
  }

  #writeClaim(owner: string): void {
    const read = this.#read.get(owner);
    if (read === undefined) return;
    const result = claim(read.chunk, { owner, nowMs: this.#nowMs, leaseMs });
    if (result.kind === 'claimed' && this.#put(result.chunk, read.version)) {
      this.#owned.set(owner, { chunk: result.chunk, version: this.#version });
    }
  }

  #replaceOwn(owner: string, change: (own: Chunk) => Chunk | undefined): void {
    const own = this.#owned.get(owner);
    const next = own === undefined ? undefined : change(own.chunk);
    if (own === undefined || next === undefined) return;
    if (this.#put(next, own.version)) this.#owned.set(owner, { chunk: next, version: this.#version });
    else this.#owned.delete(owner);
  }

  #put(next: Chunk, version: number): boolean {
    if (version !== this.#version) return false;
    this.#stored = next;
    this.#version += 1;
    return true;
  }
}

describe('a chunk that brings its workers down', () => {
  const crashAgain = (from: Chunk): Chunk => {
    const { state } = from;
    return claimed(from, bob(state.kind === 'running' ? state.leaseEndsAtMs : 0));
  };

  test('is given up after the fifth crash without a new outcome, and not before', () => {
    let current = claimed(chunk(), bob(0));
    for (let crashes = 1; crashes <= workerLimits.crashesWithoutProgressMax; crashes += 1) {
      expect(isPoison(current)).toBe(false);
      current = crashAgain(current);
    }
    expect(isPoison(current)).toBe(true);
  });

  test('a crash after new outcomes starts the count again', () => {
    const almost = claimed(chunk({ crashesWithoutProgress: 4 }), bob(0));
    const next = crashAgain({ ...almost, rows: [invited(2), row(3), row(4)] });
    expect(next.crashesWithoutProgress).toBe(0);
  });

  test('outcomes of an earlier owner are not progress of the one who crashed', () => {
    expect(claimed(running({ rows: [invited(2), row(3), row(4)] }, 1), bob(1000)).crashesWithoutProgress).toBe(1);
  });

  test('an orderly pause is not a crash: it starts the count again', () => {
    const paused = pause(running({ crashesWithoutProgress: 4 }));
    expect(paused).toMatchObject({ state: { kind: 'waiting' }, crashesWithoutProgress: 0 });
    expect(claimed(paused, bob(0)).crashesWithoutProgress).toBe(0);
  });
});

describe('ending a chunk', () => {
  test('a chunk is whole once every row has an outcome', () => {
    expect(isWhole(chunk({ rows: [invited(2), row(3)] }))).toBe(false);
    expect(isWhole(chunk({ rows: [invited(2), invited(3)] }))).toBe(true);
    expect(outcomeCount(chunk({ rows: [invited(2), row(3)] }))).toBe(1);
  });

  test('giving up settles the open rows and leaves the others as they are', () => {
    const given = giveUpRest(chunk({ rows: [invited(2), row(3), row(4, { attempts: 2 })] }), {
      status: 'not_attempted',
      code: 'key_refused',
      message: 'The key was refused.',
    });
    expect(isWhole(given)).toBe(true);
    expect(given.rows.map(({ outcome }) => outcome?.status)).toEqual(['invited', 'not_attempted', 'not_attempted']);
  });

  test('giving up after a crash never calls a row failed, because its call may have been under way', () => {
    const given = giveUpRest(claimed(running(), bob(1000)), { status: 'failed', code: 'worker_cut_off', message: '' });
    expect(given.rows.map(({ outcome }) => outcome?.status)).toEqual(['unknown', 'unknown', 'unknown']);
  });

  test('a settled chunk says when, and forgets its crashes', () => {
    expect(settleChunk(running({ crashesWithoutProgress: 3 }), 77)).toMatchObject({
      state: { kind: 'settled', atMs: 77 },
      snapshotAtMs: 0,
      crashesWithoutProgress: 0,
    });
  });
});
