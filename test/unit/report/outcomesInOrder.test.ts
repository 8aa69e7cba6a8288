import { describe, expect, test } from 'vitest';
import type { ApiCalls } from '../../../lambdas/core/apiCalls.ts';
import { chunkPartKey, ingestPartKey, manifestKey } from '../../../lambdas/core/keys.ts';
import { reportMessage } from '../../../lambdas/ledger/messages.ts';
import { writePart } from '../../../lambdas/ledger/part.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { outcomesInOrder } from '../../../lambdas/report/outcomesInOrder.ts';
import { memoryStore } from '../../support/memoryStore.ts';
import { jobId } from '../../support/ownedChunk.ts';
import {
  jobIdsOf,
  reportFiles,
  runIngest,
  runReports,
  runWorkers,
  upload,
  useCasesOf,
  wholeJob,
} from '../../support/wholeJob.ts';
import { invocation, newWorld, type World } from '../../support/world.ts';

async function store(parts: readonly (readonly [key: string, rows: number[], calls: ApiCalls, endedAtMs: number])[]) {
  const stored: ObjectStore = memoryStore();
  for (const [key, rows, apiCalls, endedAtMs] of parts) {
    const part = writePart(stored, key);
    for (const row of rows) part.add({ row, status: 'invited', code: 'created', attempts: 1 });
    await part.close(apiCalls, endedAtMs);
  }
  return stored;
}

describe('the outcomes of a job', () => {
  test('come in row order, those of ingest between those of the chunks', async () => {
    const parts = await store([
      [ingestPartKey(jobId), [2, 5, 9], {}, 1000],
      [chunkPartKey(jobId, 0), [3, 4], {}, 1000],
      [chunkPartKey(jobId, 1), [6, 7, 8], {}, 1000],
    ]);
    const { outcomes } = outcomesInOrder(parts, jobId, 2, false);
    expect((await Array.fromAsync(outcomes)).map(({ row }) => row)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('have the calls of all parts in sum, and the end of the part that ended last', async () => {
    const parts = await store([
      [ingestPartKey(jobId), [2], { find_user: { 200: 1 } }, 3000],
      [chunkPartKey(jobId, 0), [3], { invite_user: { 201: 1, 500: 1 } }, 5000],
      [chunkPartKey(jobId, 1), [4], { invite_user: { 201: 2 } }, 4000],
    ]);
    const inOrder = outcomesInOrder(parts, jobId, 2, false);
    expect(inOrder.totals()).toEqual({ apiCalls: {}, endedAtMs: 0 });
    await Array.fromAsync(inOrder.outcomes);
    expect(inOrder.totals()).toEqual({
      apiCalls: { find_user: { 200: 1 }, invite_user: { 201: 3, 500: 1 } },
      endedAtMs: 5000,
    });
  });
});

describe('the summary of a job', () => {
  /** A job that has done its work, and whose manifest then says something else. */
  async function workedOff(changes: (endedAtMs: number) => object): Promise<World> {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\na@acme.example\nnobody\nb@acme.example\n'));
    const startedAtMs = world.clock.now();
    world.clock.advance(60_000);
    await runWorkers(world);
    const key = manifestKey(jobIdsOf(world)[0] ?? jobId);
    const manifest: unknown = JSON.parse(world.store.texts().get(key) ?? '');
    world.store.upload(key, JSON.stringify({ ...(manifest as object), ...changes(startedAtMs) }));
    return world;
  }

  test('says when the last part of it ended, however much later the report is written', async () => {
    const world = await workedOff(() => ({}));
    const endedAt = new Date(world.clock.now()).toISOString();
    world.clock.advance(60_000);
    await runReports(world);
    expect(reportFiles(world).summary?.finishedAt).toBe(endedAt);
  });

  test('says when ingest ended, where that was later', async () => {
    const world = await workedOff((startedAtMs) => ({ endedAtMs: startedAtMs + 120_000 }));
    await runReports(world);
    const { summary } = reportFiles(world);
    expect(Date.parse(summary?.finishedAt ?? '') - Date.parse(summary?.startedAt ?? '')).toBe(120_000);
  });

  test('counts the calls of ingest and of the workers together', async () => {
    const world = await workedOff(() => ({ apiCalls: { validate: { 200: 1 }, invite_user: { 201: 5 } } }));
    await runReports(world);
    expect(reportFiles(world).summary?.apiCalls).toEqual({ validate: { 200: 1 }, invite_user: { 201: 7 } });
  });

  test('names the upload as it was named, and leaves a line for the engineer', async () => {
    const world = await workedOff(() => ({}));
    await runReports(world);
    const { summary, jobId: reported } = reportFiles(world);
    expect(summary?.source.name).toBe('people.csv');
    expect(world.log.lines.at(-1)).toBe(`job_reported {"jobId":"${reported}","state":"completed","rows":3}`);
  });

  test('is not written where the rows of the upload are not those that were judged', async () => {
    const world = await workedOff(() => ({ rows: 4 }));
    await expect(runReports(world)).rejects.toThrow('has 4 rows, but 3 were reported.');
    expect(reportFiles(world).summary).toBeUndefined();
  });

  test('is not written where an outcome is missing', async () => {
    const world = await workedOff(() => ({}));
    const key = ingestPartKey(jobIdsOf(world)[0] ?? jobId);
    world.store.remove(key);
    await writePart(world.store, key).close({}, 1000);
    await expect(runReports(world)).rejects.toThrow('is to be reported, but the next outcome is for row 4.');
    expect(reportFiles(world).summary).toBeUndefined();
  });

  test('is not written where no outcome is left for a row', async () => {
    const world = await workedOff(() => ({ chunks: 0 }));
    const key = ingestPartKey(jobIdsOf(world)[0] ?? jobId);
    world.store.remove(key);
    await writePart(world.store, key).close({}, 1000);
    await expect(runReports(world)).rejects.toThrow('is to be reported, but no outcome is left.');
  });

  test('has no columns where the header could not be read', async () => {
    const { summary } = await wholeJob(newWorld(), '');
    expect(summary).toMatchObject({ state: 'failed', columns: { used: {}, ignored: [] } });
  });
});

test('a job that has not been read is not reported', async () => {
  const expected = `Job ${jobId} is to be reported, but has not been read.`;
  await expect(useCasesOf(newWorld()).reports(reportMessage(jobId), invocation('a'))).rejects.toThrow(expected);
  const world = newWorld();
  await runIngest(world, await upload(world, 'email\na@acme.example\n'));
  const [begun = jobId] = jobIdsOf(world);
  world.store.remove(manifestKey(begun));
  await expect(useCasesOf(world).reports(reportMessage(begun), invocation('a'))).rejects.toThrow(
    `Job ${begun} is to be reported, but has not been read.`,
  );
});
