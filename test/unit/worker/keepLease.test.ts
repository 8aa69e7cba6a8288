import { describe, expect, test } from 'vitest';
import { chunkKey, stopKey } from '../../../lambdas/core/keys.ts';
import { readChunk } from '../../../lambdas/ledger/chunk.ts';
import { noteBegun } from '../../../lambdas/ledger/overlap.ts';
import { sealedJson } from '../../../lambdas/ledger/record.ts';
import { type Stop, writeStop } from '../../../lambdas/ledger/stop.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { Halt } from '../../../lambdas/worker/halt.ts';
import { keepLease } from '../../../lambdas/worker/keepLease.ts';
import { OtherJobs } from '../../../lambdas/worker/otherJobs.ts';
import { StopWatch } from '../../../lambdas/worker/stopWatch.ts';
import { chunkOf, jobId, own } from '../../support/ownedChunk.ts';
import { invocation, newWorld, type World } from '../../support/world.ts';

const callTimeoutMs = 30_000;
const leaseMs = 45_000;

/** Keeps the lease for so long, then ends; `store` is what its reads and writes meet. */
async function keptFor(
  ms: number,
  world: World = newWorld(),
  store: Partial<ObjectStore> = {},
  remainingMs = () => 300_000,
) {
  const used: World = { ...world, store: { ...world.store, ...store } };
  const chunk = await own(used, chunkOf(1), leaseMs);
  const halt = new Halt();
  const ended = new AbortController();
  const startedAtMs = world.clock.now();
  const others = new OtherJobs(used.store, world.clock);
  const stopWatch = new StopWatch(used.store, world.clock);
  // As the worker does before it claims the chunk.
  await stopWatch.look(jobId).catch(() => undefined);
  const kept = keepLease(
    {
      ...used,
      chunk,
      others,
      stopWatch,
      invocation: invocation('a', remainingMs),
      halt,
      callTimeoutMs,
    },
    ended.signal,
  );
  await world.clock.sleep(ms);
  ended.abort();
  await kept;
  return { world, chunk, halt, startedAtMs };
}

describe('beside the calls of a chunk', () => {
  test('progress is saved and the lease renewed every five seconds', async () => {
    const { world, startedAtMs } = await keptFor(5500);
    const state = (await readChunk(world.store, jobId, 0))?.value.state;
    expect(state).toMatchObject({ leaseEndsAtMs: startedAtMs + 5000 + leaseMs });
    expect(world.log.lines).toEqual([]);
  });

  test('nothing is saved before', async () => {
    const { world, startedAtMs, halt } = await keptFor(4500);
    const state = (await readChunk(world.store, jobId, 0))?.value.state;
    expect(state).toMatchObject({ leaseEndsAtMs: startedAtMs + leaseMs });
    expect(halt.reason).toBeUndefined();
  });

  test('every five seconds cost what the price of a job says: a list and a write, priced alike, and a read', async () => {
    const world = newWorld();
    const { store } = world;
    const asked: string[] = [];
    const counted: Partial<ObjectStore> = {
      list: (prefix, after) => {
        asked.push(`list ${prefix}`);
        return store.list(prefix, after);
      },
      put: async (key, text, condition) => {
        asked.push(`write ${key}`);
        return await store.put(key, text, condition);
      },
      readText: async (key, bytesMax) => {
        asked.push(`read ${key}`);
        return await store.readText(key, bytesMax);
      },
    };
    await keptFor(10_500, world, counted);
    const claiming = [`write ${chunkKey(jobId, 0)}`, `read ${chunkKey(jobId, 0)}`, `write ${chunkKey(jobId, 0)}`];
    const each = [`read ${stopKey(jobId)}`, 'list begun/', `write ${chunkKey(jobId, 0)}`];
    expect(asked).toEqual([...claiming, `read ${stopKey(jobId)}`, ...each, ...each]);
  });

  test('it is seen within a second that the time is up, while all rows wait', async () => {
    const { halt } = await keptFor(1500, newWorld(), {}, () => callTimeoutMs + 4999);
    expect(halt.reason).toEqual({ kind: 'out_of_time' });
  });

  test('the time is not up as long as a call and what closes the chunk still fit', async () => {
    const { halt } = await keptFor(1500, newWorld(), {}, () => callTimeoutMs + 5000);
    expect(halt.reason).toBeUndefined();
  });

  test('nothing is halted any more once the calls have ended', async () => {
    const { halt } = await keptFor(500, newWorld(), {}, () => 0);
    expect(halt.reason).toBeUndefined();
  });

  test('a job that begins meanwhile is noted', async () => {
    const world = newWorld();
    await noteBegun(world.store, '20260131T070600Z-aaaaaaaaaaaa' as typeof jobId, world.clock.now());
    const { chunk } = await keptFor(5500, world);
    expect(chunk.overlaps).toBe(true);
    expect((await readChunk(world.store, jobId, 0))?.value.overlaps).toBe(true);
  });

  test('a list of jobs that cannot be read halts nothing, and the engineer reads of it', async () => {
    const list: ObjectStore['list'] = () => {
      throw new Error('The store is down.');
    };
    const { world, halt, chunk } = await keptFor(5500, newWorld(), { list });
    expect(halt.reason).toBeUndefined();
    expect(chunk.overlaps).toBe(false);
    expect(world.log.lines).toEqual([expect.stringContaining(`others_not_seen {"jobId":"${jobId}","chunk":0,`)]);
  });
});

describe('a save that', () => {
  /** Of everything but the claim. */
  function failingSaves(world: World, fail: () => void): Pick<ObjectStore, 'put'> {
    let puts = 0;
    return {
      put: async (key, text, condition) => {
        if (key === chunkKey(jobId, 0) && condition.kind === 'if_match') {
          puts += 1;
          if (puts > 1) fail();
        }
        return await world.store.put(key, text, condition);
      },
    };
  }

  test('finds the chunk in other hands halts it as lost', async () => {
    const world = newWorld();
    const { halt } = await keptFor(
      5500,
      world,
      failingSaves(world, () => world.store.upload(chunkKey(jobId, 0), sealedJson.write(chunkOf(1)))),
    );
    expect(halt.reason).toEqual({ kind: 'lost' });
  });

  test('fails halts nothing, and is tried again when the next one is due', async () => {
    const world = newWorld();
    let fails = 0;
    const { halt, chunk, startedAtMs } = await keptFor(
      10_500,
      world,
      failingSaves(world, () => {
        fails += 1;
        if (fails === 1) throw new Error('The store is down.');
      }),
    );
    expect(halt.reason).toBeUndefined();
    expect(fails).toBe(2);
    expect(chunk.leaseEndsAtMs).toBe(startedAtMs + 10_000 + leaseMs);
    expect(world.log.lines).toEqual([expect.stringContaining(`chunk_not_saved {"jobId":"${jobId}","chunk":0,`)]);
  });

  test('finds something else in the place of the chunk halts it as broken', async () => {
    const world = newWorld();
    const { halt } = await keptFor(
      5500,
      world,
      failingSaves(world, () => world.store.upload(chunkKey(jobId, 0), 'something else')),
    );
    expect(halt.reason).toMatchObject({ kind: 'broken', error: { name: 'BrokenInvariant' } });
  });
});

describe('a stop of the job', () => {
  const stop: Stop = { code: 'key_forbidden', message: 'No.', atMs: 1000 };

  test('by another worker halts the chunk with its reason', async () => {
    const world = newWorld();
    await writeStop(world.store, jobId, stop);
    const { halt } = await keptFor(5500, world);
    expect(halt.reason).toEqual({ kind: 'stopped', stop });
  });

  test('that cannot be understood halts the chunk as broken', async () => {
    const world = newWorld();
    await world.store.put(stopKey(jobId), '{"code":"else"}', { kind: 'always' });
    const { halt } = await keptFor(5500, world);
    expect(halt.reason).toMatchObject({ kind: 'broken', error: { name: 'BrokenInvariant' } });
  });

  test('that cannot be read is looked for again a second later, and the engineer reads of it', async () => {
    const world = newWorld();
    await world.store.put(stopKey(jobId), JSON.stringify(stop), { kind: 'always' });
    let looks = 0;
    const { halt } = await keptFor(6500, world, {
      readText: async (key, bytesMax) => {
        if (key !== stopKey(jobId)) return await world.store.readText(key, bytesMax);
        looks += 1;
        if (looks === 2) throw new Error('The store is down.');
        return looks === 1 ? undefined : await world.store.readText(key, bytesMax);
      },
    });
    expect(looks).toBe(3);
    expect(halt.reason).toEqual({ kind: 'stopped', stop });
    expect(world.log.lines).toEqual([expect.stringContaining(`stop_not_read {"jobId":"${jobId}","chunk":0,`)]);
  });
});
