/**
 * An upload that is replaced or deleted while its job goes on, in a store that keeps versions and in one that does not:
 * nobody is invited twice, and every job that has begun to invite ends in a report of all its rows.
 */
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { incomingPrefix, reportKey } from '../../lambdas/core/keys.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { jobIdsOf, reportFiles, runIngest, runReports, runWorkers, upload } from '../support/wholeJob.ts';
import { newWorld, type World } from '../support/world.ts';

const key = `${incomingPrefix}people.csv`;
const before = 'email,name\na@acme.example,Ada\nnobody,Bo\nc@acme.example,Cy\n';
const after = 'email,name\nc@acme.example,Cy\nd@acme.example,Di\n';

/** What somebody does to the upload. */
const harms: readonly (readonly [what: string, harm: (world: World) => void])[] = [
  ['replaced', (world) => void world.store.upload(key, after)],
  ['deleted', (world) => world.store.remove(key)],
];

/** A world in which somebody acts just before the upload is opened for the given time, from 1. */
function actingBeforeRead(world: World, time: number, act: () => void): World {
  let reads = 0;
  const store: ObjectStore = {
    ...world.store,
    readBytes: async (source) => {
      if (source.key === key) reads += 1;
      if (source.key === key && reads === time) act();
      return await world.store.readBytes(source);
    },
  };
  return { ...world, store: { ...world.store, ...store } };
}

function invited(world: World): string[] {
  return world.api.calls
    .filter((call) => call.startsWith('invite_user'))
    .map((call) => call.replace('invite_user ', ''));
}

/** The files of the only report there is, with its tables as records. */
function theReport(world: World) {
  const { results, ...rest } = reportFiles(world);
  const rows = z.array(z.record(z.string(), z.string())).parse(parse(results, { columns: true, bom: true }));
  return { ...rest, results, rows };
}

describe.each(harms)('an upload that is %s', (_what, harm) => {
  test('before its message comes is no job', async () => {
    const world = newWorld();
    const message = await upload(world, before);
    harm(world);
    expect(await runIngest(world, message)).toEqual({ kind: 'done' });
    expect(jobIdsOf(world)).toEqual([]);
    expect(world.api.calls).toEqual([]);
  });

  test.each([
    ['before it is first read', 1],
    ['between the two times that it is read', 2],
  ])('%s ends in a report that says so, and nobody is invited', async (_when, time) => {
    const world = newWorld();
    const message = await upload(world, before);
    expect(
      await runIngest(
        actingBeforeRead(world, time, () => harm(world)),
        message,
      ),
    ).toEqual({ kind: 'done' });
    await runWorkers(world);
    await runReports(world);
    expect(theReport(world).summary).toMatchObject({ state: 'failed', rows: 0, error: { code: 'upload_replaced' } });
    expect(invited(world)).toEqual([]);
  });

  test.each(['after it was read', 'before its report is written'])(
    '%s is reported all the same, row by row',
    async (when) => {
      const world = newWorld();
      world.api.users.set('c@acme.example', { id: 'user-9', status: 'active' });
      await runIngest(world, await upload(world, before));
      if (when === 'after it was read') harm(world);
      await runWorkers(world);
      await runReports(actingBeforeRead(world, 1, () => harm(world)));
      const { rows, summary, retry, html } = theReport(world);
      expect(rows.map(({ invite_row, invite_status }) => `${invite_row} ${invite_status}`)).toEqual([
        '2 invited',
        '3 invalid',
        '4 already_active',
      ]);
      expect(Object.keys(rows[0] ?? {})[0]).toBe('invite_row');
      expect(retry).toBe('');
      expect(summary).toMatchObject({
        state: 'completed',
        rows: 3,
        counts: { invited: 1, invalid: 1, already_active: 1 },
      });
      expect(summary?.warnings).toEqual([
        expect.stringContaining('replaced or deleted before this report was written'),
      ]);
      expect(html).toContain('replaced or deleted before this report was written');
    },
  );

  test('after the key was refused is reported, too', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'refused', httpStatus: 401, message: 'invalid API key' });
    await runIngest(world, await upload(world, before));
    harm(world);
    await runReports(world);
    expect(theReport(world).summary).toMatchObject({ state: 'failed', rows: 0, error: { code: 'key_refused' } });
  });

  test('while an API that is down is given up is reported, too', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'status 503' });
    const message = await upload(world, before);
    expect((await runIngest(world, message)).kind).toBe('later');
    world.clock.advance(7 * 60 * 60_000);
    // It is opened to be judged, and once more to be described.
    const acting = actingBeforeRead(world, 2, () => harm(world));
    expect(await runIngest(acting, message, {}, 1000)).toEqual({ kind: 'done' });
    await runReports(world);
    expect(theReport(world).summary).toMatchObject({ state: 'failed', rows: 0, error: { code: 'api_unreachable' } });
    expect(invited(world)).toEqual([]);
  });

  test('in a store that keeps versions makes no difference at any time', async () => {
    for (let time = 0; time < 4; time += 1) {
      const world = newWorld({ keepsVersions: true });
      const message = await upload(world, before);
      if (time === 0) harm(world);
      const acting = actingBeforeRead(world, time, () => harm(world));
      await runIngest(acting, message);
      await runWorkers(acting);
      await runReports(acting);
      const { results, summary } = theReport(world);
      expect(results).toMatch(
        /\na@acme\.example,Ada,2,invited,.*\nnobody,Bo,3,invalid,.*\nc@acme\.example,Cy,4,invited,/u,
      );
      expect(summary).toMatchObject({ state: 'completed', rows: 3, warnings: [] });
    }
  });
});

describe('an upload that replaces another', () => {
  test.each([
    ['that was not read yet', 0],
    ['that is read for the first time', 1],
    ['that is read for the second time', 2],
    ['that is reported', 3],
  ])('%s is a job of its own, and whom both name is invited once', async (_when, time) => {
    for (const keepsVersions of [false, true]) {
      const world = newWorld({ keepsVersions });
      let second = '';
      const first = await upload(world, before);
      const replace = async () => {
        world.clock.advance(1000);
        second = await upload(world, after);
      };
      if (time === 0) await replace();
      const acting = actingBeforeRead(world, time, () => void replace());
      await runIngest(acting, first);
      await runWorkers(acting);
      await runReports(acting);
      await runIngest(world, second);
      await runWorkers(world);
      await runReports(world);
      expect(new Set(invited(world)).size).toBe(invited(world).length);
      expect(invited(world)).toContain('d@acme.example');
      for (const jobId of jobIdsOf(world)) {
        const summary = JSON.parse(world.store.texts().get(reportKey(key, jobId, 'summary.json')) ?? '{}');
        expect(summary.finishedAt).toBeDefined();
      }
    }
  });
});

describe('an upload whose reading breaks off', () => {
  test.each([1, 2])(
    'the %i. time leaves nothing half done, and is read again when its message comes again',
    async (time) => {
      const world = newWorld();
      const message = await upload(world, before);
      await expect(runIngest(breakingOff(world, time), message)).rejects.toThrow('The connection was cut.');
      expect(world.chunksQueue.bodies).toEqual([]);
      expect([...world.store.texts().keys()].filter((name) => /manifest|parts/u.test(name))).toEqual([]);
      await runIngest(world, message);
      await runWorkers(world);
      await runReports(world);
      expect(theReport(world).summary).toMatchObject({ rows: 3, counts: { invited: 2, invalid: 1 } });
      expect(invited(world).sort()).toEqual(['a@acme.example', 'c@acme.example']);
    },
  );

  test('for the report shows nothing of it, and the report is whole the next time', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, before));
    await runWorkers(world);
    const again = [...world.reportsQueue.bodies];
    await expect(runReports(breakingOff(world, 1))).rejects.toThrow('The connection was cut.');
    expect([...world.store.texts().keys()].filter((name) => name.startsWith('reports/'))).toEqual([]);
    world.reportsQueue.bodies.push(...again);
    await runReports(world);
    expect(theReport(world).summary).toMatchObject({ rows: 3 });
  });
});

/**
 * Where the store keeps no versions, the message of an upload that is gone names no job any more, because its time is part of
 * the job's name. A job whose chunks were only partly sent when it was cut off is then not continued. The bucket of the stack
 * keeps versions, and on one machine nobody replaces an upload.
 */
test.fails('a job that was cut off while it sent its chunks is continued though its upload was replaced', async () => {
  const world = newWorld();
  const message = await upload(
    world,
    `email\n${Array.from({ length: 12 }, (_, index) => `p${index}@acme.example\n`).join('')}`,
  );
  const failing = {
    sendAll: async (messages: readonly { readonly body: string }[]) => {
      world.chunksQueue.bodies.push(...messages.slice(0, 1).map(({ body }) => body));
      throw new Error('SQS did not take 2 of 3 messages.');
    },
  };
  await expect(runIngest({ ...world, chunksQueue: { ...world.chunksQueue, ...failing } }, message)).rejects.toThrow(
    'SQS',
  );
  world.store.upload(key, after);
  await runIngest(world, message);
  await runWorkers(world);
  await runReports(world);
  expect(invited(world)).not.toEqual([]);
  expect(reportFiles(world).summary).toMatchObject({ rows: 12 });
});

function breakingOff(world: World, time: number): World {
  let reads = 0;
  const store: ObjectStore = {
    ...world.store,
    readBytes: async (source) => {
      const bytes = await world.store.readBytes(source);
      if (source.key !== key || bytes === undefined) return bytes;
      reads += 1;
      return reads === time ? firstPieces(bytes) : bytes;
    },
  };
  return { ...world, store: { ...world.store, ...store } };
}

async function* firstPieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces = 0;
  for await (const piece of bytes) {
    pieces += 1;
    if (pieces > 4) throw new Error('The connection was cut.');
    yield piece;
  }
}
