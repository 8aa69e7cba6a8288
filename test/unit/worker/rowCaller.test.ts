import { describe, expect, test } from 'vitest';
import type { InviteAnswer, LookUpAnswer } from '../../../lambdas/core/answers.ts';
import type { Chunk } from '../../../lambdas/core/chunk.ts';
import { resentKey } from '../../../lambdas/core/keys.ts';
import { overlapLimits, workerLimits } from '../../../lambdas/core/limits.ts';
import type { Suspicion } from '../../../lambdas/core/outage.ts';
import { ApiWeather } from '../../../lambdas/worker/apiWeather.ts';
import { Halt, Halted } from '../../../lambdas/worker/halt.ts';
import { JobSigns } from '../../../lambdas/worker/jobSigns.ts';
import { OtherJobs } from '../../../lambdas/worker/otherJobs.ts';
import { RowCaller, SlowedDown, TryAgain } from '../../../lambdas/worker/rowCaller.ts';
import { chunkOf, emailOf, jobId, own } from '../../support/ownedChunk.ts';
import { invocation, newWorld, type World } from '../../support/world.ts';

const callTimeoutMs = 30_000;
const minute = 60_000;

const slowDown: InviteAnswer & LookUpAnswer = { kind: 'slow_down' };
const keyRefused: InviteAnswer & LookUpAnswer = { kind: 'key_refused', httpStatus: 401, message: 'bad key.' };
const forbidden: InviteAnswer = { kind: 'refused', httpStatus: 403, message: 'not allowed.' };
const badRole: InviteAnswer = { kind: 'refused', httpStatus: 400, message: 'no such role.' };
const serverError: InviteAnswer = {
  kind: 'in_doubt',
  doubt: { reason: 'server_error', httpStatus: 500, detail: 'status 500', mayBeOurs: true, mayStillHappen: false },
};
const unavailable: LookUpAnswer = { kind: 'unavailable', detail: 'status 503' };
const notFound: LookUpAnswer = { kind: 'not_found' };
const found: LookUpAnswer = { kind: 'found', userId: 'user-1', userStatus: 'active' };
const lookUpRefused: LookUpAnswer = { kind: 'refused', httpStatus: 403, message: 'not allowed.' };

interface Given {
  readonly chunk?: Partial<Chunk>;
  readonly leaseMs?: number;
  readonly remainingMs?: () => number;
  readonly suspicion?: Partial<Suspicion>;
  /** Whether the job was just seen not to be stopped. */
  readonly isSeen?: boolean;
}

async function callerIn(world: World, given: Given = {}) {
  const { chunk: changes, leaseMs = 60 * minute, remainingMs, suspicion, isSeen = true } = given;
  const { clock, api } = world;
  const chunk = await own(world, chunkOf(30, changes), leaseMs);
  const weather = new ApiWeather(clock.now());
  const others = new OtherJobs(world.store, clock);
  await others.look(jobId, chunk.chunk);
  const halt = new Halt();
  const recoveries: number[] = [];
  const onRecovery = () => recoveries.push(clock.now());
  const parts = {
    chunk,
    others,
    stopWatch: { isSeen },
    api,
    store: world.store,
    clock,
    weather,
    signs: new JobSigns(),
    halt,
    callTimeoutMs,
    rejectedShareMax: 0.5,
    onRecovery,
  };
  const caller = new RowCaller(
    { ...parts, invocation: invocation('a', remainingMs) },
    { isProbing: false, blamesRows: false, ...suspicion },
  );
  return { caller, chunk, weather, halt, recoveries };
}

/** Where rows overlap with another job, no look at the others is needed however long a call waits. */
const overlapping: Given = { chunk: { overlaps: true } };

function waitIn(world: World, weather: ApiWeather): number {
  return weather.reserveStart(world.clock.now()).startAtMs - world.clock.now();
}

describe('a call that waits for its turn', () => {
  test('is no invitation where a look-up has become due meanwhile', async () => {
    const world = newWorld();
    const { caller, chunk, weather } = await callerIn(world, overlapping);
    chunk.setRow(0, { ...chunk.row(0), lookedUpAtMs: world.clock.now() - 1 });
    expect(caller.nextCall(0)).toBe('invite');
    weather.slowedDown(world.clock.now(), world.clock.now(), workerLimits.lookUpHoldsMs);
    await caller.invite(0);
    expect(world.api.calls).toEqual([]);
    expect(chunk.row(0).attempts).toBe(0);
    expect(caller.nextCall(0)).toBe('look_up');
  });

  test('waits on where another one is told to wait meanwhile', async () => {
    const world = newWorld();
    const { caller, weather } = await callerIn(world, overlapping);
    const startedAtMs = world.clock.now();
    let calledAtMs = 0;
    world.api.onFind = () => {
      calledAtMs = world.clock.now();
      return undefined;
    };
    weather.slowedDown(startedAtMs, startedAtMs, 2000);
    const called = caller.lookUp(0);
    weather.slowedDown(startedAtMs + 1, startedAtMs + 1, 20_000);
    await called;
    expect(calledAtMs).toBe(startedAtMs + 20_001);
  });

  test('does not start when the chunk was halted meanwhile', async () => {
    const world = newWorld();
    const { caller, weather, halt } = await callerIn(world, overlapping);
    weather.slowedDown(world.clock.now(), world.clock.now(), 20_000);
    const called = caller.lookUp(0);
    halt.set({ kind: 'out_of_time' });
    await expect(called).rejects.toThrow(Halted);
    expect(world.api.calls).toEqual([]);
  });

  test('does not start to wait where the time would not do for the wait and the call', async () => {
    const world = newWorld();
    const startedAtMs = world.clock.now();
    const { caller, weather, halt } = await callerIn(world, { ...overlapping, remainingMs: () => 54_999 });
    weather.slowedDown(startedAtMs, startedAtMs, 20_000);
    await expect(caller.lookUp(0)).rejects.toThrow(Halted);
    expect(halt.reason).toEqual({ kind: 'out_of_time' });
    expect(world.clock.now()).toBe(startedAtMs);
  });
});

describe('a call starts', () => {
  test('where the time is just enough for it and for what closes the chunk', async () => {
    const world = newWorld();
    const { caller } = await callerIn(world, { remainingMs: () => callTimeoutMs + workerLimits.closingMs });
    await caller.invite(0);
    expect(world.api.calls).toEqual([`invite_user ${emailOf(2)}`]);
  });

  test('where the lease is just as long as a call may take', async () => {
    const world = newWorld();
    const { caller } = await callerIn(world, { leaseMs: callTimeoutMs });
    await caller.invite(0);
    expect(world.api.calls).toEqual([`invite_user ${emailOf(2)}`]);
  });

  test('never where it could outlive the lease', async () => {
    const world = newWorld();
    const { caller, halt } = await callerIn(world, { leaseMs: callTimeoutMs - 1 });
    await expect(caller.invite(0)).rejects.toThrow(Halted);
    expect(halt.reason).toEqual({ kind: 'out_of_time' });
    expect(world.api.calls).toEqual([]);
  });

  test('never where the last look for a stop is too old', async () => {
    const world = newWorld();
    const { caller, halt } = await callerIn(world, { isSeen: false });
    await expect(caller.invite(0)).rejects.toThrow(Halted);
    expect(halt.reason).toEqual({ kind: 'out_of_time' });
    expect(world.api.calls).toEqual([]);
  });

  test('while the last look at the other jobs is recent, and no longer', async () => {
    const world = newWorld();
    const { caller, halt } = await callerIn(world);
    world.clock.advance(overlapLimits.seenMs);
    await caller.invite(0);
    world.clock.advance(1);
    await expect(caller.invite(1)).rejects.toThrow(Halted);
    expect(halt.reason).toEqual({ kind: 'out_of_time' });
    expect(world.api.calls).toEqual([`invite_user ${emailOf(2)}`]);
  });
});

describe('the wait after a 429', () => {
  /** A 429, then what is given, then another 429 long after. */
  async function waitAfter(between: { readonly invite: InviteAnswer } | { readonly find: LookUpAnswer }) {
    const world = newWorld();
    const { caller, weather } = await callerIn(world, overlapping);
    world.api.onFind = () => slowDown;
    await expect(caller.lookUp(0)).rejects.toThrow(SlowedDown);
    world.clock.advance(minute);
    if ('find' in between) {
      world.api.onFind = () => between.find;
      await caller.lookUp(1).catch(() => undefined);
    } else {
      const { chunk } = await callerAnswered(world, weather, between.invite);
      expect(chunk.row(1).attempts).toBe(1);
    }
    world.clock.advance(minute);
    world.api.onFind = () => slowDown;
    await expect(caller.lookUp(2)).rejects.toThrow(SlowedDown);
    return waitIn(world, weather);
  }

  /** Invites in a chunk of its own, with the pace of the other one. */
  async function callerAnswered(world: World, weather: ApiWeather, answer: InviteAnswer) {
    const { clock, api } = world;
    const chunk = await own(world, chunkOf(3, { chunk: 1 }), 60 * minute);
    const others = new OtherJobs(world.store, clock);
    await others.look(jobId, chunk.chunk);
    api.onInvite = () => ({ answer, effect: false });
    const parts = {
      chunk,
      others,
      stopWatch: { isSeen: true },
      api,
      store: world.store,
      clock,
      weather,
      signs: new JobSigns(),
      halt: new Halt(),
      callTimeoutMs,
      rejectedShareMax: 0.5,
      onRecovery: () => undefined,
    };
    const caller = new RowCaller({ ...parts, invocation: invocation('a') }, { isProbing: false, blamesRows: false });
    await caller.invite(1).catch(() => undefined);
    return { chunk };
  }

  test.each([
    ['a look-up that found somebody', { find: found }],
    ['a look-up that found nobody', { find: notFound }],
    ['a look-up that was refused', { find: lookUpRefused }],
    ['an invitation', { invite: { kind: 'invited', httpStatus: 201, userId: 'user-1' } as const }],
    ['a refused invitation', { invite: badRole }],
  ])('is a short one again after %s: the API had taken a call', async (_name, between) => {
    expect(await waitAfter(between)).toBe(2000);
  });

  test.each([
    ['a look-up without an answer', { find: unavailable }, 4000],
    ['an invitation without a clear answer', { invite: serverError }, 4000],
    ['another 429', { find: slowDown }, 8000],
  ])('grows where nothing but %s came between', async (_name, between, waitMs) => {
    expect(await waitAfter(between)).toBe(waitMs);
  });
});

describe('a 429', () => {
  test('to a look-up is not taken for an API that is down, not even in a probe', async () => {
    const world = newWorld();
    world.api.onFind = () => slowDown;
    const { caller, halt } = await callerIn(world, { suspicion: { isProbing: true } });
    await expect(caller.lookUp(0)).rejects.toThrow(SlowedDown);
    expect(halt.reason).toBeUndefined();
  });

  test('to an invitation leaves the row open', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: slowDown, effect: false });
    const { caller, chunk } = await callerIn(world);
    await expect(caller.invite(0)).rejects.toThrow(SlowedDown);
    expect(chunk.row(0)).toMatchObject({ attempts: 1, lastHttpStatus: 429 });
    expect(chunk.row(0).outcome).toBeUndefined();
  });
});

describe('a key that is no longer accepted', () => {
  test.each(['invite', 'lookUp'] as const)('stops the job at once, seen by %s', async (call) => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: keyRefused, effect: false });
    world.api.onFind = () => keyRefused;
    const { caller, chunk, halt } = await callerIn(world);
    await expect(caller[call](0)).rejects.toThrow(Halted);
    expect(halt.reason).toMatchObject({
      kind: 'stopped',
      stop: { code: 'key_refused', message: expect.stringContaining('bad key.'), atMs: world.clock.now() },
    });
    expect(chunk.row(0).outcome).toBeUndefined();
  });
});

describe('answers 403', () => {
  async function answeredInARow(answers: readonly InviteAnswer[]) {
    const world = newWorld();
    const { caller, halt } = await callerIn(world);
    for (const [index, answer] of answers.entries()) {
      world.api.onInvite = () => ({ answer, effect: false });
      await caller.invite(index);
    }
    return halt.reason;
  }

  const nine = Array<InviteAnswer>(workerLimits.forbiddenInARowMax - 1).fill(forbidden);

  test('stop the job when ten came in a row', async () => {
    expect(await answeredInARow(nine)).toBeUndefined();
    expect(await answeredInARow([...nine, forbidden])).toMatchObject({
      kind: 'stopped',
      stop: { code: 'key_forbidden', message: expect.stringContaining('403 to 10 invitations in a row: not allowed.') },
    });
  });

  test.each([
    ['a refusal for another reason', badRole],
    ['an invitation', { kind: 'invited', httpStatus: 201, userId: 'user-1' } as const],
  ])('are counted from the beginning after %s', async (_name, answer) => {
    expect(await answeredInARow([...nine, answer, ...nine])).toBeUndefined();
  });
});

describe('failures in a row', () => {
  test('have begun anew after a look-up that was answered with a no', async () => {
    const world = newWorld();
    const { caller, halt } = await callerIn(world);
    const lookUp = async (index: number, answer: LookUpAnswer) => {
      world.api.onFind = () => answer;
      return await caller.lookUp(index);
    };
    for (let failure = 1; failure < workerLimits.failuresInARowMax; failure += 1)
      await expect(lookUp(0, unavailable)).rejects.toThrow(TryAgain);
    await lookUp(1, lookUpRefused);
    await expect(lookUp(0, unavailable)).rejects.toThrow(TryAgain);
    expect(halt.reason).toBeUndefined();
  });

  test('halt the chunk, and the process remembers that the API was down', async () => {
    const world = newWorld();
    const { caller, halt, weather } = await callerIn(world);
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    for (let row = 0; row < workerLimits.failingRowsMax; row += 1) {
      expect(weather.wasDown).toBe(false);
      await expect(caller.invite(row)).rejects.toThrow(TryAgain);
    }
    expect(halt.reason).toEqual({ kind: 'api_down' });
    expect(weather.wasDown).toBe(true);
  });
});

describe('the first definite answer to an invitation', () => {
  const outage = { sinceMs: 1000, pauses: 2, waitedMs: 90_000 };
  const probing: Given = { chunk: { outage }, suspicion: { isProbing: true } };

  test('ends an outage, once', async () => {
    const world = newWorld();
    const { caller, chunk, weather, recoveries } = await callerIn(world, probing);
    weather.wasDown = true;
    await caller.invite(0);
    expect(weather.wasDown).toBe(false);
    expect(chunk.chunk.outage).toBeUndefined();
    await caller.invite(1);
    expect(recoveries).toHaveLength(1);
  });

  test('is a no, too', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: badRole, effect: false });
    const { caller, chunk, recoveries } = await callerIn(world, probing);
    await caller.invite(0);
    expect(recoveries).toHaveLength(1);
    expect(chunk.chunk.outage).toBeUndefined();
  });

  test('ends none where there was none', async () => {
    const { caller, recoveries } = await callerIn(newWorld());
    await caller.invite(0);
    expect(recoveries).toEqual([]);
  });

  test('lets a single failure after it pass, which before it would say that the outage goes on', async () => {
    const world = newWorld();
    const { caller, halt } = await callerIn(world, probing);
    await caller.invite(0);
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    await expect(caller.invite(1)).rejects.toThrow(TryAgain);
    expect(halt.reason).toBeUndefined();
  });

  test('is waited for by halting at the first failure', async () => {
    const world = newWorld();
    const { caller, halt } = await callerIn(world, probing);
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    await expect(caller.invite(0)).rejects.toThrow(TryAgain);
    expect(halt.reason).toEqual({ kind: 'api_down' });
  });

  test('is not what a look-up brings', async () => {
    const world = newWorld();
    const { caller, chunk, recoveries } = await callerIn(world, probing);
    await caller.lookUp(0);
    expect(recoveries).toEqual([]);
    expect(chunk.chunk.outage).toEqual(outage);
  });
});

test('an invitation that there was no time to send again is not noted as sent', async () => {
  const world = newWorld();
  const rows = [{ row: 2, invitee: { email: 'open@acme.example' }, attempts: 0, resendTo: 'user-1' }];
  const { caller } = await callerIn(world, { chunk: { rows }, leaseMs: minute });
  const { put } = world.store;
  const slowPut: typeof put = async (...given) => {
    world.clock.advance(minute);
    return await put(...given);
  };
  Object.assign(world.store, { put: slowPut });
  await expect(caller.resend(0)).rejects.toThrow(Halted);
  expect(world.api.calls).toEqual([]);
  expect(world.store.texts().get(resentKey('user-1'))).toContain('"atMs":0');
});
