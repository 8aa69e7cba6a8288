import { describe, expect, test } from 'vitest';
import { pause } from '../../../lambdas/core/chunk.ts';
import { BrokenInvariant } from '../../../lambdas/core/fault.ts';
import { createChunk, readChunk } from '../../../lambdas/ledger/chunk.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { OwnedChunk } from '../../../lambdas/worker/ownedChunk.ts';
import { chunkOf, jobId, own } from '../../support/ownedChunk.ts';
import { newWorld, type World } from '../../support/world.ts';

const outage = { sinceMs: 1000, pauses: 2, waitedMs: 90_000 };

async function stored(world: World) {
  return (await readChunk(world.store, jobId, 0))?.value;
}

describe('a chunk that a worker owns', () => {
  test('is not owned by the one who claims it by an old version', async () => {
    const world = newWorld();
    await createChunk(world.store, jobId, chunkOf(1));
    expect(await OwnedChunk.claim(jobId, chunkOf(1), '"older"', 45_000, world)).toBeUndefined();
  });

  test('is lost when somebody else has written it', async () => {
    const world = newWorld();
    const owned = await own(world, chunkOf(1));
    const [key = ''] = world.store.texts().keys();
    world.store.remove(key);
    await createChunk(world.store, jobId, chunkOf(1));
    expect(await owned.save()).toBe(false);
    expect((await stored(world))?.token).toBe('new');
  });

  test('remembers an outage over any number of saves', async () => {
    const world = newWorld();
    const owned = await own(world, chunkOf(1, { outage }));
    await owned.save();
    await owned.save();
    expect(owned.chunk.outage).toEqual(outage);
    expect((await stored(world))?.outage).toEqual(outage);
  });

  test('knows of no outage where there was none', async () => {
    const world = newWorld();
    const owned = await own(world, chunkOf(1));
    await owned.save();
    expect(owned.chunk).not.toHaveProperty('outage');
  });

  test('forgets an outage for good, in the next save as well', async () => {
    const world = newWorld();
    const owned = await own(world, chunkOf(1, { outage }));
    owned.forgetOutage();
    expect(owned.chunk).not.toHaveProperty('outage');
    await owned.save();
    expect(owned.chunk).not.toHaveProperty('outage');
    expect(await stored(world)).not.toHaveProperty('outage');
  });

  test('forgets an outage, notes others and moves on with its rows while a save is under way', async () => {
    const world = newWorld();
    const put: ObjectStore['put'] = async (key, text, condition) => {
      await world.clock.sleep(100);
      return await world.store.put(key, text, condition);
    };
    const owned = await own({ ...world, store: { ...world.store, put } }, chunkOf(1, { outage }));
    const saved = owned.save();
    owned.forgetOutage();
    owned.noteOverlap();
    owned.setRow(0, { ...owned.row(0), attempts: 1 });
    owned.countApiCall('invite_user', '201');
    expect(await saved).toBe(true);
    expect(owned.chunk).not.toHaveProperty('outage');
    expect(owned.chunk).toMatchObject({ overlaps: true, rows: [{ attempts: 1 }] });
    expect(owned.chunk.apiCalls).toEqual({ invite_user: { 201: 1 } });
    await owned.save();
    expect(await stored(world)).toEqual(owned.chunk);
  });

  test('has its lease renewed by a save', async () => {
    const world = newWorld();
    const owned = await own(world, chunkOf(1), 45_000);
    world.clock.advance(5000);
    await owned.save();
    expect(owned.leaseEndsAtMs).toBe(world.clock.now() + 45_000);
    expect((await stored(world))?.state).toMatchObject({ leaseEndsAtMs: owned.leaseEndsAtMs });
  });

  test('has no lease and takes no save once it was given back', async () => {
    const world = newWorld();
    const owned = await own(world, chunkOf(1));
    await owned.replace(pause(owned.chunk));
    expect(() => owned.leaseEndsAtMs).toThrow(new BrokenInvariant('A chunk that is waiting has no lease.'));
    await expect(owned.save()).rejects.toThrow(new BrokenInvariant('A chunk that is waiting cannot be saved.'));
    expect((await stored(world))?.state).toEqual({ kind: 'waiting' });
  });

  test('has no row behind its last one', async () => {
    const owned = await own(newWorld(), chunkOf(2));
    expect(owned.row(1).row).toBe(3);
    expect(() => owned.row(2)).toThrow(new BrokenInvariant('The chunk has no row with index 2.'));
  });
});
