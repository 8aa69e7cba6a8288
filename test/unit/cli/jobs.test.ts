import { describe, expect, test } from 'vitest';
import { describeInFull, describeInList } from '../../../cli/jobs/describeJob.ts';
import { findJob, findReport } from '../../../cli/jobs/findJob.ts';
import { followJob } from '../../../cli/jobs/followJob.ts';
import { describeProgress, jobProgressReader } from '../../../cli/jobs/jobProgress.ts';
import { describeRow, type JobRow, jobRows } from '../../../cli/jobs/jobRows.ts';
import { readJobState } from '../../../cli/jobs/jobState.ts';
import { latestJobs } from '../../../cli/jobs/listJobs.ts';
import { followLimits } from '../../../cli/limits.ts';
import type { Attendance, JobRef } from '../../../cli/place/place.ts';
import { UserError } from '../../../cli/userError.ts';
import { directoryKey, jobKey, manifestKey, stopKey } from '../../../lambdas/core/keys.ts';
import { readChunk, replaceChunk } from '../../../lambdas/ledger/chunk.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { memoryStore } from '../../support/memoryStore.ts';
import { placeOf } from '../../support/place.ts';
import { runIngest, runReports, runWorkers, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

const roster = `email\n${Array.from({ length: 20 }, (_, index) => (index % 4 === 0 ? `wrong${index}\n` : `p${index}@acme.example\n`)).join('')}`;

async function latest(world: World): Promise<JobRef> {
  return await findJob(placeOf(world.store), 'latest');
}

/** The same bucket, but for one object. */
async function without(world: World, end: string): Promise<World> {
  const other = { ...newWorld(), store: memoryStore(world.clock.now) };
  for (const [key, text] of world.store.texts())
    if (!key.endsWith(end)) await other.store.put(key, text, { kind: 'always' });
  return other;
}

async function stateNow(world: World) {
  return await readJobState(placeOf(world.store), await latest(world));
}

describe('the state of a job', () => {
  test('goes from the upload to the report', async () => {
    const world = newWorld();
    const message = await upload(world, roster);
    expect(await stateNow(world)).toMatchObject({ phase: 'waiting', uploadKey: 'incoming/people.csv' });
    await runIngest(world, message);
    expect(await stateNow(world)).toMatchObject({
      phase: 'inviting',
      rows: 20,
      settled: 5,
      counts: { invalid: 5, invited: 0 },
      chunks: { expected: 3, waiting: 3, running: 0, settled: 0 },
    });
    await runWorkers(world);
    const reporting = await stateNow(world);
    expect(reporting).toMatchObject({ phase: 'reporting', settled: 20, counts: { invalid: 5, invited: 15 } });
    expect((await stateNow(await without(world, '/parts/00002.jsonl'))).phase).toBe('inviting');
    await runReports(world);
    const completed = await stateNow(world);
    expect(completed).toMatchObject({ phase: 'completed', settled: 20, counts: { invalid: 5, invited: 15 } });
    expect(describeInList(completed)).toBe(
      `${completed.jobId}  completed  people.csv · 20 rows · 15 invited, 5 invalid`,
    );
    expect(describeInFull(completed, ' --small').at(-1)).toBe(
      `To fetch the report: npx bulk-invite report ${completed.jobId} --small`,
    );
  });

  test('is reading until every row is judged', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'no answer' });
    await runIngest(world, await upload(world, roster));
    expect(await stateNow(world)).toMatchObject({ phase: 'reading', warnings: [] });
  });

  test('names the fault of an upload, before its report is there and afterwards', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'name\nAnn\n'));
    expect(await stateNow(world)).toMatchObject({ phase: 'reporting', error: { code: 'no_email_column' } });
    await runReports(world);
    const failed = await stateNow(world);
    expect(failed).toMatchObject({ phase: 'failed', error: { code: 'no_email_column' } });
    expect(describeInFull(failed, '').join('\n')).toContain('(no_email_column)');
  });

  test('tells of an outage and of a stop', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, roster));
    const { jobId } = await latest(world);
    const stored = await readChunk(world.store, jobId, 1);
    if (stored === undefined) throw new Error('There are three chunks.');
    const outage = { sinceMs: Date.UTC(2026, 0, 31, 8), pauses: 1, waitedMs: 0 };
    await replaceChunk(world.store, jobId, { ...stored.value, outage }, stored.etag);
    const stop = { code: 'key_refused', message: 'The API key is wrong.', atMs: Date.UTC(2026, 0, 31, 9) };
    await world.store.put(stopKey(jobId), JSON.stringify(stop), { kind: 'always' });
    const lines = describeInFull(await stateNow(world), '').join('\n');
    expect(lines).toContain('invitations have failed since');
    expect(lines).toContain('The API key is wrong. (key_refused, ');
    await world.store.put(stopKey(jobId), 'please stop', { kind: 'always' });
    expect((await stateNow(world)).stop).toMatchObject({ code: 'unreadable' });
  });
});

describe('the rows of a job', () => {
  test('come in row order, whoever settled them', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, roster));
    const { jobId } = await latest(world);
    const rows = await Array.fromAsync(jobRows(world.store, jobId));
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
    expect(rows.filter(({ outcome }) => outcome?.status === 'invalid').map(({ row }) => row)).toEqual([
      2, 6, 10, 14, 18,
    ]);
    await runWorkers(world);
    const settled = await Array.fromAsync(jobRows(world.store, jobId));
    expect(settled.filter(({ outcome }) => outcome?.status === 'invited')).toHaveLength(15);
  });

  test('are none before they are judged, and where a fault ended the job', async () => {
    const world = newWorld();
    const message = await upload(world, 'name\nAnn\n');
    const { jobId } = await latest(world);
    expect(await Array.fromAsync(jobRows(world.store, jobId))).toEqual([]);
    await runIngest(world, message);
    expect(await Array.fromAsync(jobRows(world.store, jobId))).toEqual([]);
  });

  test.each<[JobRow['open'], string]>([
    [{ attempts: 0 }, 'nothing was sent yet'],
    [{ attempts: 2 }, 'sent 2 times without effect, it is tried again'],
    [
      { attempts: 1, doubt: { reason: 'no_answer', detail: 'no answer', mayBeOurs: true, mayStillHappen: true } },
      'an attempt ended with no answer, so this person is looked up before anything is sent again',
    ],
    [{ attempts: 1, refusal: { httpStatus: 400, message: 'no' } }, 'the API refused it with status 400'],
  ])('say what happens to an open row', (open, sentence) => {
    expect(describeRow({ row: 7, ...(open === undefined ? {} : { open }) })).toContain(`row 7: open; ${sentence}`);
  });
});

describe('finding a job', () => {
  /** Three jobs: two on one day, and one that has not begun. */
  async function threeJobs() {
    const world = newWorld();
    await runIngest(world, await upload(world, roster, 'incoming/one.csv'));
    world.clock.advance(1000);
    await runIngest(world, await upload(world, roster, 'incoming/two.csv'));
    world.clock.advance(24 * 60 * 60_000);
    await upload(world, roster, 'incoming/three.csv');
    const place = placeOf(world.store);
    const [three, two, one] = await latestJobs(place, 10);
    if (one === undefined || two === undefined || three === undefined) throw new Error('There are three jobs.');
    return { world, place, one, two, three };
  }

  test('takes an id, the beginning of one, or latest', async () => {
    const { place, one, two, three } = await threeJobs();
    expect([one.uploadKey, two.uploadKey, three.uploadKey]).toEqual(
      ['one', 'two', 'three'].map((name) => `incoming/${name}.csv`),
    );
    expect(await findJob(place, 'latest')).toEqual(three);
    expect(await findJob(place, one.jobId)).toEqual(one);
    expect(await findJob(place, three.jobId)).toEqual(three);
    expect(await findJob(place, one.jobId.slice(0, 17).toLowerCase())).toEqual(one);
    expect(await findJob(place, '20260201')).toEqual(three);
    expect((await latestJobs(place, 2)).map(({ uploadKey }) => uploadKey)).toEqual([
      'incoming/three.csv',
      'incoming/two.csv',
    ]);
  });

  test.each([
    ['20260131', '2 jobs begin with “20260131”: 20260131T'],
    ['2025', 'There is no job “2025” in the small world'],
    ['20260131T070500Z-000000000000', 'There is no job “20260131T070500Z-000000000000” in the small world'],
    ['people.csv', '“people.csv” is not the id of a job'],
  ])('says what is wrong with %s', async (text, sentence) => {
    const { place } = await threeJobs();
    await expect(findJob(place, text)).rejects.toThrow(sentence);
    await expect(findJob(place, text)).rejects.toBeInstanceOf(UserError);
  });

  test('says that there are no jobs yet', async () => {
    await expect(findJob(placeOf(newWorld().store), 'latest')).rejects.toThrow('npx bulk-invite submit FILE --small');
  });

  test('finds a report whose job has no records any more', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, roster, 'incoming/hr/people.csv'));
    await runWorkers(world);
    await runReports(world);
    const job = await latest(world);
    const place = placeOf(world.store);
    const remaining = newWorld();
    for (const [key, text] of world.store.texts())
      if (key.startsWith('reports/')) await remaining.store.put(key, text, { kind: 'always' });
    expect(await findReport(place, job.jobId)).toEqual(job);
    expect(await findJob(placeOf(remaining.store), job.jobId)).toEqual(job);
  });
});

describe('following a job', () => {
  const attendance: Attendance = {
    run: async () => undefined,
    obstacle: () => undefined,
    stopped: ({ jobId }) => `The job goes on: watch ${jobId}.`,
    close: async () => undefined,
  };
  const silent = {
    result: () => undefined,
    document: () => undefined,
    say: () => undefined,
    progress: () => undefined,
  };

  test('says that the job goes on where it cannot be watched any more', async () => {
    const world = newWorld();
    await upload(world, roster);
    const job = await latest(world);
    const place = placeOf(world.store);
    const head = async (): Promise<never> => {
      throw new UserError('Your AWS sign-in has expired.');
    };
    const following = followJob(
      { ...place, store: { ...place.store, head } },
      job,
      attendance,
      silent,
      new AbortController().signal,
    );
    await expect(following).rejects.toThrow(`Your AWS sign-in has expired. The job goes on: watch ${job.jobId}.`);
  });

  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const unreachable = new UserError('AWS cannot be reached in the region eu-west-1.', { cause: reset });

  /** A finished job in a bucket whose connection breaks for the first looks. */
  async function followThrough(error: Error, brokenLooks: number) {
    const world = newWorld();
    await runIngest(world, await upload(world, roster));
    await runWorkers(world);
    await runReports(world);
    const job = await latest(world);
    const place = placeOf(world.store);
    let looks = 0;
    const look =
      <Arguments extends unknown[], T>(ask: (...args: Arguments) => Promise<T>) =>
      async (...args: Arguments): Promise<T> => {
        looks += 1;
        if (looks <= brokenLooks) throw error;
        return await ask(...args);
      };
    const store = { ...place.store, head: look(place.store.head), readText: look(place.store.readText) };
    const shown: string[] = [];
    const terminal = { ...silent, progress: (line: string) => shown.push(line) };
    const following = followJob({ ...place, store }, job, attendance, terminal, new AbortController().signal);
    return { job, following, shown };
  }

  test.each([
    ['before there is an answer', unreachable],
    ['while an answer is read', reset],
  ])('goes on when the connection broke %s', async (_name, error) => {
    const { following, shown } = await followThrough(error, followLimits.brokenLooksMax - 1);
    expect(await following).toMatchObject({ state: 'completed' });
    expect(shown).toEqual(['The connection broke (read ECONNRESET); it is tried again …']);
  });

  test.each([
    ['before there is an answer', unreachable],
    ['while an answer is read', reset],
  ])('ends with a sentence where the connection always breaks %s', async (_name, error) => {
    const { job, following } = await followThrough(error, Number.POSITIVE_INFINITY);
    await expect(following).rejects.toBeInstanceOf(UserError);
    await expect(following).rejects.toThrow(
      `The connection to the small world broke 30 times in a row (read ECONNRESET). Check the network. The job goes on: watch ${job.jobId}.`,
    );
  });

  test('can be ended while the connection is broken', async () => {
    const world = newWorld();
    await upload(world, roster);
    const job = await latest(world);
    const place = placeOf(world.store);
    const stop = new AbortController();
    const head = async (): Promise<never> => {
      stop.abort();
      throw reset;
    };
    const store = { ...place.store, head, readText: head };
    expect(await followJob({ ...place, store }, job, attendance, silent, stop.signal)).toBeUndefined();
  });

  test('reads the progress as seldom as the place says, also on a terminal', async () => {
    const isTTY = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    try {
      const world = newWorld();
      await runIngest(world, await upload(world, roster));
      const job = await latest(world);
      const place = placeOf(world.store);
      const stop = new AbortController();
      let looks = 0;
      let lists = 0;
      const store: ObjectStore = {
        ...place.store,
        head: async (key) => {
          if (key.endsWith('/summary.json')) looks += 1;
          if (looks >= 20) stop.abort();
          return await place.store.head(key);
        },
        list: (prefix, after) => {
          lists += 1;
          return place.store.list(prefix, after);
        },
      };
      await followJob({ ...place, store, showEveryMs: 60_000 }, job, attendance, silent, stop.signal);
      expect({ looks, lists }).toEqual({ looks: 20, lists: 1 });
    } finally {
      Object.defineProperty(process.stderr, 'isTTY', isTTY ?? { value: false, configurable: true });
    }
  });

  test.each([
    ['none of what was written before the manifest', 1, 0],
    ['all that was written in the same second or later', 0, 3],
  ])('reads of the chunks %s, and each change once', async (_name, secondsBefore, readAtFirst) => {
    const world = newWorld();
    await runIngest(world, await upload(world, roster));
    const { jobId } = await latest(world);
    let reads = 0;
    let olderByMs = secondsBefore * 1000;
    const store: ObjectStore = {
      ...world.store,
      readText: async (key, bytesMax) => {
        if (key.includes('/chunks/')) reads += 1;
        return await world.store.readText(key, bytesMax);
      },
      list: async function* (prefix, after) {
        for await (const { modifiedAtMs, ...listed } of world.store.list(prefix, after))
          yield { ...listed, modifiedAtMs: modifiedAtMs - olderByMs };
      },
    };
    const read = jobProgressReader(store, jobId);
    expect(await read()).toMatchObject({ settled: 5, chunks: { waiting: 3, running: 0, settled: 0 } });
    expect(reads).toBe(readAtFirst);
    olderByMs = 0;
    await runWorkers(world);
    for (let look = 0; look < 2; look += 1)
      expect(await read()).toMatchObject({ settled: 20, counts: { invited: 15 }, chunks: { settled: 3 } });
    expect(reads).toBe(readAtFirst + 3);
  });

  test('ends with the reason where the job cannot go on', async () => {
    const world = newWorld();
    await upload(world, roster);
    const job = await latest(world);
    const obstacle: Attendance['obstacle'] = ({ jobId }) =>
      jobId === job.jobId ? 'A message was given up.' : undefined;
    const stuck = { ...attendance, obstacle };
    const following = followJob(placeOf(world.store), job, stuck, silent, new AbortController().signal);
    await expect(following).rejects.toThrow(/^A message was given up\.$/u);
  });

  test('tells what it waits for, and when it should not have to', async () => {
    const world = newWorld();
    const message = await upload(world, roster);
    const { jobId } = await latest(world);
    const read = jobProgressReader(world.store, jobId);
    expect(describeProgress(await read(), 1000)).toBe('Waiting for the job to begin …');
    expect(describeProgress(await read(), 60_000)).toContain('It should have begun by now; docs/operating.md');
    await runIngest(world, message);
    const progress = await read();
    expect(describeProgress(progress, 3000)).toBe('5 of 20 rows settled · 3 s');
    expect(describeProgress(progress, 3_600_000, 1_500_000)).toContain('nothing has changed for 25 min');
    await runWorkers(world);
    expect(describeProgress(await read(), 4000)).toBe('20 of 20 rows settled (15 invited) · 4 s');
    expect([jobKey, directoryKey, manifestKey].every((keyOf) => world.store.texts().has(keyOf(jobId)))).toBe(true);
  });
});
