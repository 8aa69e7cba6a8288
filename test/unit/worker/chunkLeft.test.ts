import { describe, expect, test } from 'vitest';
import type { InviteAnswer } from '../../../lambdas/core/answers.ts';
import { BrokenInvariant } from '../../../lambdas/core/fault.ts';
import { chunkKey, chunkPartKey } from '../../../lambdas/core/keys.ts';
import type { RowProgress } from '../../../lambdas/core/rowProgress.ts';
import { createChunk, readChunk } from '../../../lambdas/ledger/chunk.ts';
import { chunkMessage } from '../../../lambdas/ledger/messages.ts';
import { readPart } from '../../../lambdas/ledger/part.ts';
import { writeStop } from '../../../lambdas/ledger/stop.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { type WorkerSettings, work } from '../../../lambdas/worker/work.ts';
import { chunkOf, emailOf, jobId } from '../../support/ownedChunk.ts';
import { connect, invocation, newWorld, noMetrics, type World } from '../../support/world.ts';

const hour = 60 * 60_000;

const settings: WorkerSettings = {
  concurrency: 3,
  callTimeoutMs: 30_000,
  retryDelayMinMs: 0,
  retryDelayMaxMs: 0,
  outageDelayMs: 30_000,
  giveUpMs: 6 * hour,
  rejectedShareMax: 0.5,
};
const leaseMs = 45_000;

const serverError: InviteAnswer = {
  kind: 'in_doubt',
  doubt: { reason: 'server_error', httpStatus: 500, detail: 'status 500', mayBeOurs: true, mayStillHappen: false },
};

function worker(world: World, changes: Partial<WorkerSettings> = {}) {
  return work({ ...settings, ...changes }, { ...world, connectApi: connect(world.api), metrics: noMetrics });
}

async function outcomes(world: World) {
  return await Array.fromAsync(readPart(world.store, chunkPartKey(jobId, 0), () => undefined));
}

describe('a defect in the middle of a chunk', () => {
  test('is thrown with its cause, and what was known by then is saved', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(2));
    const defect = new Error('a defect');
    world.api.onInvite = ({ email }) => {
      if (email === emailOf(3)) throw defect;
      return undefined;
    };
    const error: unknown = await worker(world, { concurrency: 1 })(chunkMessage(jobId, 0), invocation('a')).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(BrokenInvariant);
    expect(error).toMatchObject({ message: expect.stringContaining('its progress was saved'), cause: defect });
    const chunk = (await readChunk(world.store, jobId, 0))?.value;
    expect(chunk?.rows[0]?.outcome).toMatchObject({ status: 'invited' });
    expect(chunk?.rows[1]?.outcome).toBeUndefined();
    // Its owner does not give it back: the next one looks everybody up who is open.
    expect(chunk?.state).toMatchObject({ kind: 'running' });
    expect(world.store.texts().has(chunkPartKey(jobId, 0))).toBe(false);
  });
});

describe('after an outage', () => {
  const outage = { sinceMs: 1000, pauses: 1, waitedMs: 30_000 };

  test('one call goes first, alone, and when it is answered as many at once as before', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(7, { outage }));
    world.api.latencyMs = 1000;
    const sentAtMs: number[] = [];
    const startedAtMs = world.clock.now();
    const { invite } = world.api;
    world.api.invite = async (invitee) => {
      sentAtMs.push(world.clock.now() - startedAtMs);
      return await invite(invitee);
    };
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect(sentAtMs).toEqual([0, 1000, 1000, 1000, 2000, 2000, 2000]);
  });

  test('the next chunk of the same process begins with one call, too', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(20));
    await createChunk(world.store, jobId, chunkOf(20, { chunk: 1 }));
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    world.api.onFind = () => ({ kind: 'unavailable', detail: 'status 503' });
    const handle = worker(world);
    expect(await handle(chunkMessage(jobId, 0), invocation('a'))).toMatchObject({ kind: 'later' });
    const before = world.api.calls.length;
    expect(before).toBeGreaterThan(1);
    expect(await handle(chunkMessage(jobId, 1), invocation('b'))).toMatchObject({ kind: 'later' });
    expect(world.api.calls).toHaveLength(before + 1);
  });

  test('a few open rows that always fail are blamed, however many of the chunk are settled', async () => {
    const world = newWorld();
    const chunk = chunkOf(20, { outage: { ...outage, pauses: 2 } });
    const rows = chunk.rows.map((row): RowProgress => {
      const outcome = { row: row.row, status: 'invited', code: 'created', attempts: 1 } as const;
      return row.row < 20 ? { ...row, attempts: 1, outcome } : row;
    });
    await createChunk(world.store, jobId, { ...chunk, rows });
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).slice(-2)).toMatchObject([
      { status: 'failed', code: 'retries_exhausted' },
      { status: 'failed', code: 'retries_exhausted' },
    ]);
  });

  test('that was waited out for too long, the rows say for how many hours', async () => {
    const world = newWorld();
    const waited = { sinceMs: 1000, pauses: 1, waitedMs: 6.2 * hour - 30_000 };
    await createChunk(world.store, jobId, chunkOf(20, { outage: waited }));
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect((await outcomes(world)).at(-1)).toMatchObject({
      status: 'failed',
      code: 'api_down',
      message: 'The API could not be used for 6.2 hours.',
    });
  });
});

describe('a chunk', () => {
  test('that another worker claims at the same moment is left for as long as a lease', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(2));
    const put: ObjectStore['put'] = async (key, text, condition) =>
      condition.kind === 'if_match' ? { kind: 'condition_failed' } : await world.store.put(key, text, condition);
    const raced = { ...world, store: { ...world.store, put } };
    const verdict = await worker(raced)(chunkMessage(jobId, 0), invocation('a'));
    expect(verdict).toEqual({ kind: 'later', delayMs: leaseMs });
    expect(world.api.calls).toEqual([]);
  });

  test('of a job that has stopped is settled at once, also where the job is not alone', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(2, { overlaps: true, snapshotAtMs: world.clock.now() }));
    await writeStop(world.store, jobId, { code: 'key_refused', message: 'No.', atMs: 1000 });
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('a'))).toEqual({ kind: 'done' });
    expect((await outcomes(world)).map(({ status }) => status)).toEqual(['not_attempted', 'not_attempted']);
  });

  test('whose part is written needs nothing else to be done', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(1));
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    world.store.remove(chunkKey(jobId, 0));
    expect(await worker(world)(chunkMessage(jobId, 0), invocation('b'))).toEqual({ kind: 'done' });
  });

  test('that is called settled with an open row is not reported as it is', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(1, { state: { kind: 'settled', atMs: 1000 } }));
    await expect(worker(world)(chunkMessage(jobId, 0), invocation('a'))).rejects.toThrow(
      `Row 2 of job ${jobId} is in a settled chunk without an outcome.`,
    );
    expect(world.store.texts().has(chunkPartKey(jobId, 0))).toBe(false);
  });

  test('leaves a line for the engineer when it is settled, and when it is left', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(2));
    const short = invocation('a', () => (world.api.calls.length < 1 ? 60_000 : 0));
    await worker(world, { concurrency: 1 })(chunkMessage(jobId, 0), short);
    await worker(world)(chunkMessage(jobId, 0), invocation('b'));
    expect(world.log.lines).toEqual([
      `chunk_left {"jobId":"${jobId}","chunk":0,"outcomes":1,"rows":2,"delayMs":1000}`,
      `chunk_settled {"jobId":"${jobId}","chunk":0,"rows":2}`,
    ]);
  });

  test('leaves a line for the engineer when it stops the job', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(1));
    world.api.onInvite = () => ({
      answer: { kind: 'key_refused', httpStatus: 401, message: 'bad key.' },
      effect: false,
    });
    await worker(world)(chunkMessage(jobId, 0), invocation('a'));
    expect(world.log.lines[0]).toBe(`job_stopped {"jobId":"${jobId}","chunk":0,"code":"key_refused"}`);
  });
});
