import { describe, expect, test } from 'vitest';
import type { InviteAnswer } from '../../../lambdas/core/answers.ts';
import type { Chunk } from '../../../lambdas/core/chunk.ts';
import { type JobId, parseJobId } from '../../../lambdas/core/jobId.ts';
import { chunkKey, chunkPartKey, ingestPartKey, manifestKey, stopKey } from '../../../lambdas/core/keys.ts';
import { overlapLimits, workerLimits } from '../../../lambdas/core/limits.ts';
import type { Outcome } from '../../../lambdas/core/outcome.ts';
import { createChunk, readChunk } from '../../../lambdas/ledger/chunk.ts';
import { chunkMessage } from '../../../lambdas/ledger/messages.ts';
import { noteBegun } from '../../../lambdas/ledger/overlap.ts';
import { readPart, writePart } from '../../../lambdas/ledger/part.ts';
import { sealedJson } from '../../../lambdas/ledger/record.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { type WorkerSettings, work } from '../../../lambdas/worker/work.ts';
import { connect, invocation, newWorld, noMetrics, type World } from '../../support/world.ts';

const jobId = parseJobId('20260131T070500Z-0f3a9c51b2de') as JobId;
const minute = 60_000;

const settings: WorkerSettings = {
  concurrency: 3,
  callTimeoutMs: 30_000,
  retryDelayMinMs: 0,
  retryDelayMaxMs: 0,
  outageDelayMs: 30_000,
  giveUpMs: 6 * 60 * minute,
  rejectedShareMax: 0.5,
};

const noAnswer: InviteAnswer = {
  kind: 'in_doubt',
  doubt: { reason: 'no_answer', detail: 'no answer within 30 s', mayBeOurs: true, mayStillHappen: true },
};
const serverError: InviteAnswer = {
  kind: 'in_doubt',
  doubt: { reason: 'server_error', httpStatus: 500, detail: 'status 500', mayBeOurs: true, mayStillHappen: false },
};

function emailOf(row: number): string {
  return `person${row}@acme.example`;
}

function chunkOf(rowCount: number, changes: Partial<Chunk> = {}): Chunk {
  const rows = Array.from({ length: rowCount }, (_, index) => ({
    row: index + 2,
    invitee: { email: emailOf(index + 2) },
    attempts: 0,
  }));
  return {
    jobId,
    chunk: 0,
    token: 'new',
    state: { kind: 'waiting' },
    rows,
    snapshotAtMs: Date.UTC(2026, 0, 31, 7, 0),
    overlaps: false,
    crashesWithoutProgress: 0,
    apiCalls: {},
    ...changes,
  };
}

async function worldWith(chunk: Chunk): Promise<World> {
  const world = newWorld();
  await createChunk(world.store, jobId, chunk);
  return world;
}

function worker(world: World, changes: Partial<WorkerSettings> = {}) {
  return work({ ...settings, ...changes }, { ...world, connectApi: connect(world.api), metrics: noMetrics });
}

async function outcomes(world: World): Promise<Outcome[]> {
  return await Array.fromAsync(readPart(world.store, chunkPartKey(jobId, 0), () => undefined));
}

function posts(world: World): string[] {
  return world.api.calls.filter((call) => call.startsWith('invite_user'));
}

describe('a worker whose job is not alone', () => {
  const other = '20260131T070600Z-aaaaaaaaaaaa' as typeof jobId;

  test('waits in the first seconds, then looks everybody up first', async () => {
    const snapshotAtMs = newWorld().clock.now() - 2000;
    const world = await worldWith(chunkOf(3, { overlaps: true, snapshotAtMs }));
    const handle = worker(world);
    expect(await handle(chunkMessage(jobId, 0), invocation('a'))).toEqual({
      kind: 'later',
      delayMs: overlapLimits.quietMs - 2000,
    });
    expect(world.api.calls).toEqual([]);
    expect((await readChunk(world.store, jobId, 0))?.value.state).toEqual({ kind: 'waiting' });
    world.clock.advance(overlapLimits.quietMs);
    world.api.users.set(emailOf(3), { id: 'theirs', status: 'invited' });
    await handle(chunkMessage(jobId, 0), invocation('b'));
    expect((await outcomes(world)).map(({ status }) => status)).toEqual(['invited', 'already_invited', 'invited']);
    expect(posts(world)).toHaveLength(2);
  });

  test('sees a job that has begun since its snapshot', async () => {
    const world = await worldWith(chunkOf(1));
    await noteBegun(world.store, other, world.clock.now());
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(world.api.calls).toEqual([`find_user ${emailOf(2)}`, `invite_user ${emailOf(2)}`]);
    expect((await readChunk(world.store, jobId, 0))?.value.overlaps).toBe(true);
  });

  test('sees a job that begins while it works, and looks up who is left', async () => {
    const world = await worldWith(chunkOf(6));
    world.api.latencyMs = 4000;
    let isNoted = false;
    world.api.onInvite = () => {
      if (!isNoted) void noteBegun(world.store, other, world.clock.now());
      isNoted = true;
      return undefined;
    };
    await worker(world, { concurrency: 1 })(chunkMessage(jobId, 0), invocation('a'));
    const firstLookUp = world.api.calls.findIndex((call) => call.startsWith('find_user'));
    expect(firstLookUp).toBeGreaterThan(0);
    // From then on each invitation follows a look-up of the same person.
    const rest = world.api.calls.slice(firstLookUp);
    expect(rest.map((call) => call.split(' ')[0])).toEqual(
      rest.map((_, index) => (index % 2 === 0 ? 'find_user' : 'invite_user')),
    );
    expect(posts(world)).toHaveLength(6);
  });

  test('does not call its own what it finds after it has not seen for long who else is at work', async () => {
    const world = await worldWith(chunkOf(1));
    world.api.onInvite = () => ({ answer: noAnswer, effect: false });
    let lookUps = 0;
    world.api.onFind = () => {
      lookUps += 1;
      if (lookUps > 1) return undefined;
      // The look-up takes long, as does a save beside it; meanwhile another job begins, and invites the same person.
      void noteBegun(world.store, other, world.clock.now() + 1000);
      world.clock.advance(20_000);
      world.api.users.set(emailOf(2), { id: 'theirs', status: 'invited' });
      return { kind: 'found', userId: 'theirs', userStatus: 'invited' };
    };
    const handle = worker(world);
    expect((await handle(chunkMessage(jobId, 0), invocation('a'))).kind).toBe('later');
    await handle(chunkMessage(jobId, 0), invocation('b'));
    expect(await outcomes(world)).toMatchObject([{ status: 'unknown', code: 'invited_by_one_of_several' }]);
  });

  test('starts no call while it cannot see who else is at work', async () => {
    const world = await worldWith(chunkOf(30));
    world.api.latencyMs = 4000;
    const { list } = world.store;
    let isBlind = false;
    const store = {
      ...world.store,
      list: (prefix: string, after?: string) => {
        if (isBlind) throw new Error('The store failed.');
        return list(prefix, after);
      },
    };
    world.api.onInvite = () => {
      isBlind = true;
      return undefined;
    };
    const verdict = await work(
      { ...settings, concurrency: 1 },
      { ...world, store, connectApi: connect(world.api), metrics: noMetrics },
    )(chunkMessage(jobId, 0), invocation('a'));
    expect(verdict.kind).toBe('later');
    expect(posts(world).length).toBeLessThanOrEqual(overlapLimits.seenMs / world.api.latencyMs + 1);
    isBlind = false;
    await worker(world)(chunkMessage(jobId, 0), invocation('b'));
    expect((await outcomes(world)).every(({ status }) => status === 'invited')).toBe(true);
    expect(new Set(posts(world)).size).toBe(posts(world).length);
  });

  test('takes another invitation of somebody in doubt for its own only where it is alone', async () => {
    const world = await worldWith(chunkOf(1));
    await noteBegun(world.store, other, world.clock.now());
    world.api.onInvite = () => ({ answer: noAnswer, effect: true });
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(await outcomes(world)).toMatchObject([{ status: 'unknown', code: 'invited_by_one_of_several' }]);
  });
});

describe('a worker', () => {
  test('invites every row of a chunk once and writes its part', async () => {
    const world = await worldWith(chunkOf(7));
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).map(({ row, status, attempts }) => [row, status, attempts])).toEqual(
      [2, 3, 4, 5, 6, 7, 8].map((row) => [row, 'invited', 1]),
    );
    expect(posts(world)).toHaveLength(7);
    expect((await readChunk(world.store, jobId, 0))?.value.apiCalls).toEqual({ invite_user: { '201': 7 } });
  });

  test('does nothing more for a message that comes a second time', async () => {
    const world = await worldWith(chunkOf(3));
    const handle = worker(world);
    await handle(chunkMessage(jobId, 0), invocation('a'));
    const before = world.store.texts();
    expect(await handle(chunkMessage(jobId, 0), invocation('b'))).toEqual({ kind: 'done' });
    expect(posts(world)).toHaveLength(3);
    expect(world.store.texts()).toEqual(before);
  });

  test('asks for the report when its part was the last one, also when it was written before', async () => {
    const world = await worldWith(chunkOf(1));
    const ingestPart = writePart(world.store, ingestPartKey(jobId));
    await ingestPart.close({}, 0);
    const manifest = { rows: 1, chunks: 1, invitees: 1, warnings: [], apiCalls: {}, endedAtMs: 0 };
    await world.store.put(manifestKey(jobId), JSON.stringify(manifest), { kind: 'always' });
    const handle = worker(world);
    await handle(chunkMessage(jobId, 0), invocation('a'));
    expect(world.reportsQueue.bodies).toEqual([JSON.stringify({ jobId })]);
    await handle(chunkMessage(jobId, 0), invocation('b'));
    expect(world.reportsQueue.bodies).toHaveLength(2);
  });

  test('looks a person up before it sends a second time, and finds its own invitation', async () => {
    const world = await worldWith(chunkOf(1));
    world.api.onInvite = () => ({ answer: noAnswer, effect: true });
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(world.api.calls).toEqual([`invite_user ${emailOf(2)}`, `find_user ${emailOf(2)}`]);
    expect(await outcomes(world)).toMatchObject([{ status: 'invited', code: 'confirmed_by_look_up', attempts: 1 }]);
  });

  test('takes a 429 for no failed try, also after the last one', async () => {
    const world = await worldWith(chunkOf(1));
    let tries = 0;
    world.api.onInvite = () => {
      tries += 1;
      if (tries <= workerLimits.rowRetriesMax) return { answer: serverError, effect: false };
      return tries <= workerLimits.rowRetriesMax + 3 ? { answer: { kind: 'slow_down' }, effect: false } : undefined;
    };
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect(await outcomes(world)).toMatchObject([{ status: 'invited', attempts: workerLimits.rowRetriesMax + 4 }]);
  });

  test('sends again where the look-up found nobody', async () => {
    const world = await worldWith(chunkOf(1));
    let tries = 0;
    world.api.onInvite = () => {
      tries += 1;
      return tries === 1 ? { answer: serverError, effect: false } : undefined;
    };
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(await outcomes(world)).toMatchObject([{ status: 'invited', code: 'created', attempts: 2 }]);
    expect(world.api.calls[1]).toBe(`find_user ${emailOf(2)}`);
  });

  test('calls a row failed only where it is certain that nobody was invited', async () => {
    const world = await worldWith(chunkOf(3));
    world.api.onInvite = ({ email }) =>
      email === emailOf(4) ? undefined : { answer: email === emailOf(2) ? serverError : noAnswer, effect: false };
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect((await outcomes(world)).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['failed', 6],
      ['unknown', 6],
      ['invited', 1],
    ]);
  });

  test('does not call someone invited whom the API says it knew before', async () => {
    const world = await worldWith(chunkOf(1));
    const conflict = {
      reason: 'server_error',
      httpStatus: 409,
      detail: 'status 409',
      mayBeOurs: false,
      mayStillHappen: false,
    } as const;
    world.api.onInvite = () => {
      world.api.users.set(emailOf(2), { id: 'user-9', status: 'invited' });
      return { answer: { kind: 'in_doubt', doubt: conflict }, effect: false };
    };
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(await outcomes(world)).toMatchObject([{ status: 'already_invited', userId: 'user-9' }]);
  });

  test('does not wait for a look-up that is refused: the row is unknown', async () => {
    const world = await worldWith(chunkOf(1));
    world.api.onInvite = () => ({ answer: noAnswer, effect: true });
    world.api.onFind = () => ({ kind: 'refused', httpStatus: 403, message: 'no' });
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect(await outcomes(world)).toMatchObject([{ status: 'unknown', code: 'look_up_refused' }]);
  });

  test('reports a refusal with the words of the API, and a refusal of someone who is there already as such', async () => {
    const world = await worldWith(chunkOf(2));
    world.api.users.set(emailOf(3), { id: 'user-9', status: 'Active' });
    world.api.onInvite = () => ({ answer: { kind: 'refused', httpStatus: 400, message: 'no' }, effect: false });
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(await outcomes(world)).toMatchObject([
      { status: 'rejected', message: 'The API refused this row with status 400: no', httpStatus: 400 },
      { status: 'already_active', userId: 'user-9' },
    ]);
  });

  test('stops the whole job when the key is refused, and sends nothing for it any more', async () => {
    const world = await worldWith(chunkOf(20));
    world.api.onInvite = () =>
      posts(world).length > 5
        ? { answer: { kind: 'key_refused', httpStatus: 401, message: 'revoked' }, effect: false }
        : undefined;
    const handle = worker(world, { concurrency: 1 });
    expect(await handle(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    const statuses = (await outcomes(world)).map(({ status }) => status);
    expect(statuses).toEqual([...Array(5).fill('invited'), ...Array(15).fill('not_attempted')]);
    expect(world.store.texts().get(stopKey(jobId))).toContain('key_refused');

    await createChunk(world.store, jobId, chunkOf(2, { chunk: 1 }));
    const sent = posts(world).length;
    await handle(chunkMessage(jobId, 1), invocation('b'));
    expect(posts(world)).toHaveLength(sent);
  });

  test('counts 403s over small chunks, too', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: { kind: 'refused', httpStatus: 403, message: 'no' }, effect: false });
    const handle = worker(world);
    for (const chunk of [0, 1, 2, 3]) {
      await createChunk(world.store, jobId, chunkOf(5, { chunk }));
      await handle(chunkMessage(jobId, chunk), invocation(`a${chunk}`));
    }
    expect(posts(world).length).toBeLessThanOrEqual(12);
    expect(world.store.texts().get(stopKey(jobId))).toContain('key_forbidden');
  });

  test('stops the job after ten 403 in a row, and not for a single one', async () => {
    const forbidden: InviteAnswer = { kind: 'refused', httpStatus: 403, message: 'not allowed' };
    const all = await worldWith(chunkOf(30));
    all.api.onInvite = () => ({ answer: forbidden, effect: false });
    await worker(all, { concurrency: 1 })(chunkMessage(jobId, 0), invocation('a'));
    const statuses = (await outcomes(all)).map(({ status }) => status);
    expect(statuses).toEqual([...Array(10).fill('rejected'), ...Array(20).fill('not_attempted')]);

    const one = await worldWith(chunkOf(30));
    one.api.onInvite = ({ email }) => (email === emailOf(5) ? { answer: forbidden, effect: false } : undefined);
    await worker(one)(chunkMessage(jobId, 0), invocation('a'));
    expect((await outcomes(one)).filter(({ status }) => status === 'invited')).toHaveLength(29);
  });

  test('does not count a 429 as a failed try of the row', async () => {
    const world = await worldWith(chunkOf(1));
    world.api.onInvite = () =>
      posts(world).length <= 7 ? { answer: { kind: 'slow_down' }, effect: false } : undefined;
    await worker(world)(
      chunkMessage(jobId, 0),
      invocation('a', () => 10 * minute),
    );
    expect(await outcomes(world)).toMatchObject([{ status: 'invited', attempts: 8 }]);
  });

  test('slows down at 429, and blames no row for it', async () => {
    const world = await worldWith(chunkOf(10));
    let refusals = 0;
    world.api.onInvite = () => {
      refusals += 1;
      return refusals % 3 === 0 ? { answer: { kind: 'slow_down' }, effect: false } : undefined;
    };
    const startedAtMs = world.clock.now();
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect((await outcomes(world)).every(({ status }) => status === 'invited')).toBe(true);
    expect(world.clock.now() - startedAtMs).toBeGreaterThanOrEqual(2000);
  });
});

describe('a worker in an outage', () => {
  test('steps aside with growing pauses, calls less and less, and goes on when the API is back', async () => {
    const world = await worldWith(chunkOf(50));
    let isDown = true;
    world.api.onInvite = () => (isDown ? { answer: noAnswer, effect: false } : undefined);
    world.api.onFind = () => (isDown ? { kind: 'unavailable', detail: 'no answer' } : undefined);
    const handle = worker(world);
    const delays: number[] = [];
    const calls: number[] = [];
    for (let delivery = 0; delivery < 5; delivery += 1) {
      const before = world.api.calls.length;
      const verdict = await handle(chunkMessage(jobId, 0), invocation(`a${delivery}`));
      calls.push(world.api.calls.length - before);
      delays.push(verdict.kind === 'later' ? verdict.delayMs : 0);
      world.clock.advance(delays.at(-1) ?? 0);
    }
    expect(delays).toEqual([30_000, 60_000, 120_000, 240_000, 480_000]);
    expect(calls[0]).toBeLessThan(20);
    expect(calls.slice(1)).toEqual([1, 1, 1, 1]);

    isDown = false;
    expect(await handle(chunkMessage(jobId, 0), invocation('b'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).every(({ status }) => status === 'invited')).toBe(true);
    expect(world.api.users.size).toBe(50);
  });

  test('gives up after the give-up time: failed where nothing was sent, unknown where something was', async () => {
    const world = await worldWith(chunkOf(50));
    world.api.onInvite = () => ({ answer: noAnswer, effect: false });
    world.api.onFind = () => ({ kind: 'unavailable', detail: 'no answer' });
    const handle = worker(world);
    let deliveries = 0;
    for (; deliveries < 100; deliveries += 1) {
      const verdict = await handle(chunkMessage(jobId, 0), invocation(`a${deliveries}`));
      if (verdict.kind === 'done') break;
      world.clock.advance(verdict.delayMs);
    }
    const found = await outcomes(world);
    expect(new Set(found.map(({ status }) => status))).toEqual(new Set(['failed', 'unknown']));
    for (const { status, attempts } of found) expect(status).toBe(attempts > 0 ? 'unknown' : 'failed');
    expect(deliveries).toBeGreaterThan(20);
    expect(deliveries).toBeLessThan(40);
  });

  test('of nothing but invitations waits, too, and nobody is called failed for it', async () => {
    const world = await worldWith(chunkOf(50));
    let isDown = true;
    world.api.onInvite = () => (isDown ? { answer: serverError, effect: false } : undefined);
    const handle = worker(world, { concurrency: 5 });
    expect(await handle(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'later', delayMs: 30_000 });
    world.clock.advance(30_000);
    isDown = false;
    expect(await handle(chunkMessage(jobId, 0), invocation('b'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).every(({ status }) => status === 'invited')).toBe(true);
  });

  test('blames a row that always fails at once where others are answered', async () => {
    const world = await worldWith(chunkOf(2));
    world.api.onInvite = ({ email }) => (email === emailOf(2) ? { answer: serverError, effect: false } : undefined);
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect(await outcomes(world)).toMatchObject([
      { status: 'failed', code: 'retries_exhausted' },
      { status: 'invited' },
    ]);
  });

  async function deliverUntilDone(world: World): Promise<number> {
    const handle = worker(world);
    const startedAtMs = world.clock.now();
    for (let verdict = await handle(chunkMessage(jobId, 0), invocation('a')); verdict.kind === 'later'; ) {
      world.clock.advance(verdict.delayMs);
      verdict = await handle(chunkMessage(jobId, 0), invocation('a'));
    }
    return world.clock.now() - startedAtMs;
  }

  test('blames a few rows that always fail soon, where nothing else is left to be answered', async () => {
    const world = await worldWith(chunkOf(3));
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    expect(await deliverUntilDone(world)).toBeLessThan(3 * minute);
    const failed = ['failed', 'retries_exhausted'];
    expect((await outcomes(world)).map(({ status, code }) => [status, code])).toEqual([failed, failed, failed]);
  });

  test('of an hour costs nobody the invitation, though look-ups work all the time', async () => {
    const world = await worldWith(chunkOf(100));
    const backAtMs = world.clock.now() + 60 * minute;
    world.api.onInvite = () => (world.clock.now() < backAtMs ? { answer: serverError, effect: false } : undefined);
    await deliverUntilDone(world);
    expect((await outcomes(world)).every(({ status }) => status === 'invited')).toBe(true);
    expect(posts(world).length).toBeLessThan(130);
  });

  test('is not what one person makes whose look-up always fails', async () => {
    const world = await worldWith(chunkOf(100));
    world.api.onInvite = ({ email }) => (email === emailOf(2) ? { answer: noAnswer, effect: false } : undefined);
    world.api.onFind = (email) => (email === emailOf(2) ? { kind: 'unavailable', detail: 'status 500' } : undefined);
    expect(await deliverUntilDone(world)).toBeLessThan(3 * minute);
    const [first, ...others] = await outcomes(world);
    expect(first).toMatchObject({ status: 'unknown', code: 'look_up_failed' });
    expect(others.every(({ status }) => status === 'invited')).toBe(true);
  });

  test('is tried by the rows that were tried least, not by the one that always fails', async () => {
    const outage = { sinceMs: 0, pauses: 3, waitedMs: 90_000 };
    const chunk = chunkOf(10, { outage });
    const doubt = { reason: 'no_answer', detail: 'no answer', mayBeOurs: true, mayStillHappen: true } as const;
    const [first, ...others] = chunk.rows;
    const world = await worldWith({
      ...chunk,
      rows: [{ ...first, doubt, wasInDoubt: true, attempts: 6 } as (typeof others)[0], ...others],
    });
    world.api.onFind = (email) => (email === emailOf(2) ? { kind: 'unavailable', detail: 'status 500' } : undefined);
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).map(({ status }) => status)).toEqual(['unknown', ...Array(9).fill('invited')]);
  });

  test('is waited out by a row in doubt as long as nobody at all is answered', async () => {
    const world = await worldWith(chunkOf(1));
    world.api.onInvite = () => ({ answer: noAnswer, effect: true });
    world.api.onFind = () => ({ kind: 'unavailable', detail: 'status 503' });
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'later', delayMs: 30_000 });
    world.api.onFind = () => undefined;
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('b'))).toEqual({ kind: 'done' });
    expect(await outcomes(world)).toMatchObject([{ status: 'invited', code: 'confirmed_by_look_up' }]);
  });

  test('is not what a night makes in which the machine was off', async () => {
    const world = await worldWith(chunkOf(20));
    let isDown = true;
    world.api.onInvite = () => (isDown ? { answer: noAnswer, effect: false } : undefined);
    world.api.onFind = () => (isDown ? { kind: 'unavailable', detail: 'no answer' } : undefined);
    const handle = worker(world);
    await handle(chunkMessage(jobId, 0), invocation('a'));
    world.clock.advance(12 * 60 * minute);
    expect(await handle(chunkMessage(jobId, 0), invocation('b'))).toMatchObject({ kind: 'later' });
    isDown = false;
    expect(await handle(chunkMessage(jobId, 0), invocation('c'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).every(({ status }) => status === 'invited')).toBe(true);
  });
});

describe('a chunk that waited for days', () => {
  test('has its people looked up first: somebody may have invited them since', async () => {
    const world = await worldWith(chunkOf(2));
    world.api.users.set(emailOf(2), { id: 'user-9', status: 'invited' });
    world.clock.advance(4 * 24 * 60 * minute);
    await worker(world, { concurrency: 1 })(chunkMessage(jobId, 0), invocation('a'));
    expect(world.api.calls).toEqual([
      `find_user ${emailOf(2)}`,
      `find_user ${emailOf(3)}`,
      `invite_user ${emailOf(3)}`,
    ]);
    expect(await outcomes(world)).toMatchObject([
      { status: 'already_invited', userId: 'user-9' },
      { status: 'invited' },
    ]);
  });
});

describe('a chunk with an owner', () => {
  const leaseEndsAtMs = Date.UTC(2026, 0, 31, 7, 6);
  const running = { kind: 'running', owner: 'other', leaseEndsAtMs, outcomesAtClaim: 0 } as const;

  test('is left alone until the lease ends', async () => {
    const world = await worldWith(chunkOf(2, { state: running }));
    const verdict = await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(verdict).toEqual({ kind: 'later', delayMs: minute + 1000 });
    expect(world.api.calls).toEqual([]);
  });

  test('that vanished is taken over, and each open row is looked up before anything is sent', async () => {
    const world = await worldWith(chunkOf(2, { state: running }));
    world.api.users.set(emailOf(2), { id: 'user-1', status: 'invited' });
    world.clock.advance(minute);
    await worker(world, { concurrency: 1 })(chunkMessage(jobId, 0), invocation('a'));
    expect(world.api.calls).toEqual([
      `find_user ${emailOf(2)}`,
      `find_user ${emailOf(3)}`,
      `invite_user ${emailOf(3)}`,
    ]);
    expect((await outcomes(world)).map(({ status, code }) => [status, code])).toEqual([
      ['invited', 'confirmed_by_look_up'],
      ['invited', 'created'],
    ]);
  });

  test('that vanished is soon taken over from, also where one of many look-ups meets a 429', async () => {
    const world = await worldWith(chunkOf(100, { state: running }));
    for (let row = 2; row < 102; row += 1) world.api.users.set(emailOf(row), { id: `user-${row}`, status: 'invited' });
    let lookUps = 0;
    world.api.onFind = () => {
      lookUps += 1;
      return lookUps === 50 ? { kind: 'slow_down' } : undefined;
    };
    world.clock.advance(minute);
    const startedAtMs = world.clock.now();
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect(world.clock.now() - startedAtMs).toBeLessThan(10_000);
  });

  test('that takes it back under a working one makes that one stop without writing', async () => {
    const world = await worldWith(chunkOf(30));
    world.api.latencyMs = 2000;
    let takenAtMs = 0;
    world.api.onInvite = () => {
      if (posts(world).length !== 5) return undefined;
      const taken = chunkOf(30, { state: { ...running, leaseEndsAtMs: world.clock.now() + minute } });
      void world.store.put(chunkKey(jobId, 0), sealedJson.write(taken), { kind: 'always' });
      takenAtMs = world.clock.now();
      return undefined;
    };
    const verdict = await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    // It notices when it saves, which is every five seconds, and what is under way then takes two more.
    expect(world.clock.now() - takenAtMs).toBeLessThanOrEqual(8000);
    expect(verdict).toEqual({ kind: 'later', delayMs: 45_000 });
    expect((await readChunk(world.store, jobId, 0))?.value.state).toMatchObject({ owner: 'other' });
    expect(await world.store.head(chunkPartKey(jobId, 0))).toBeUndefined();
  });

  test('knows its own write again when the store says that the condition failed', async () => {
    const world = await worldWith(chunkOf(3));
    // What a client sees that has retried a write of its own that had succeeded.
    const store: ObjectStore = {
      ...world.store,
      put: async (key, text, condition) => {
        const result = await world.store.put(key, text, condition);
        return condition.kind === 'if_match' ? { kind: 'condition_failed' } : result;
      },
    };
    expect(
      await worker({ ...world, store: { ...world.store, ...store } })(chunkMessage(jobId, 0), invocation('a')),
    ).toEqual({
      kind: 'done',
    });
    expect((await outcomes(world)).map(({ status }) => status)).toEqual(['invited', 'invited', 'invited']);
  });

  test('starts no call that could outlive its lease, when the lease cannot be renewed', async () => {
    const world = await worldWith(chunkOf(100));
    let isBroken = false;
    const put: ObjectStore['put'] = async (key, text, condition) => {
      if (isBroken && key === chunkKey(jobId, 0)) throw new Error('The store is down.');
      return await world.store.put(key, text, condition);
    };
    const claimedAtMs = world.clock.now();
    const startedAtMs: number[] = [];
    world.api.onInvite = () => {
      isBroken = true;
      startedAtMs.push(world.clock.now());
      world.clock.advance(1000);
      return undefined;
    };
    const broken = { ...world, store: { ...world.store, put } };
    await expect(worker(broken, { concurrency: 1 })(chunkMessage(jobId, 0), invocation('a'))).rejects.toThrow(
      'The store is down.',
    );
    // The lease is 45 s, a call may take 30 s.
    expect(Math.max(...startedAtMs) - claimedAtMs).toBeLessThanOrEqual(15_000);
    expect(startedAtMs.length).toBeGreaterThan(5);
  });

  test('that brought down five workers without progress is given up as unknown', async () => {
    const world = await worldWith(chunkOf(2, { state: running, crashesWithoutProgress: 4 }));
    world.clock.advance(minute);
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(world.api.calls).toEqual([]);
    expect(await outcomes(world)).toMatchObject([{ status: 'unknown', code: 'worker_cut_off' }, { status: 'unknown' }]);
  });
});

describe('a worker whose time runs out', () => {
  test('starts no call that the time cannot finish, saves, and goes on in the next invocation', async () => {
    const world = await worldWith(chunkOf(10));
    const handle = worker(world, { concurrency: 1 });
    const short = invocation('a', () => (posts(world).length < 4 ? 60_000 : 34_999));
    expect(await handle(chunkMessage(jobId, 0), short)).toEqual({ kind: 'later', delayMs: 1000 });
    expect(posts(world)).toHaveLength(4);
    expect((await readChunk(world.store, jobId, 0))?.value.state).toEqual({ kind: 'waiting' });

    expect(await handle(chunkMessage(jobId, 0), invocation('b'))).toEqual({ kind: 'done' });
    expect(posts(world)).toHaveLength(10);
    // A pause is not a crash: nothing was in doubt, so nothing was looked up.
    expect(world.api.calls.filter((call) => call.startsWith('find_user'))).toEqual([]);
  });
});

describe('a message that is not ours', () => {
  test.each([
    '',
    'null',
    '{}',
    '{"jobId":"x","chunk":0}',
    `{"jobId":"${jobId}","chunk":-1}`,
    `{"jobId":"${jobId}","chunk":0,"more":1}`,
  ])('is refused: %s', async (body) => {
    const world = newWorld();
    await expect(worker(world)(body, invocation('a'))).rejects.toThrow();
    expect(world.store.texts().size).toBe(0);
  });

  test('is refused where its chunk does not exist', async () => {
    await expect(worker(newWorld())(chunkMessage(jobId, 3), invocation('a'))).rejects.toThrow('Chunk 3');
  });
});
