import { describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { approvalKey, chunkKey, reportKey, stopKey } from '../../../lambdas/core/keys.ts';
import { overlapLimits } from '../../../lambdas/core/limits.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { readJob } from '../../../lambdas/ledger/job.ts';
import { type RosterMessage, reportMessage, rosterMessage } from '../../../lambdas/ledger/messages.ts';
import { noteBegun, othersAtWork } from '../../../lambdas/ledger/overlap.ts';
import { writeStop } from '../../../lambdas/ledger/stop.ts';
import {
  jobIdsOf,
  reportFiles,
  runIngest,
  runReports,
  runWorkers,
  upload,
  useCasesOf,
} from '../../support/wholeJob.ts';
import { invocation, newWorld, type World } from '../../support/world.ts';

const held = { newPeopleMax: 2 };
const people = 'email\na@acme.example\nb@acme.example\nnobody\nc@acme.example\n';

/** What S3 sends when an object is written that decides about a job. */
function written(key: string): string {
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key, eTag: 'abc' } } }] });
}

async function hold(world: World): Promise<JobId> {
  await runIngest(world, await upload(world, people), held);
  await runReports(world);
  const [jobId] = jobIdsOf(world);
  if (jobId === undefined) throw new Error('There is no job.');
  return jobId;
}

async function decide(world: World, key: string): Promise<void> {
  await useCasesOf(world, held).uploads(written(key), invocation('ingest'));
}

async function approve(world: World, jobId: JobId): Promise<void> {
  await writeApproval(world.store, { jobId, by: 'ann@acme.example', atMs: world.clock.now() });
  await decide(world, approvalKey(jobId));
}

async function reject(world: World, jobId: JobId): Promise<void> {
  const stop = { code: 'not_approved', message: 'Ann has rejected it.', by: 'ann', atMs: world.clock.now() } as const;
  await writeStop(world.store, jobId, stop);
  await decide(world, stopKey(jobId));
}

function posts(world: World): string[] {
  return world.api.calls.filter((call) => call.startsWith('invite_user'));
}

describe('a job above its limit', () => {
  test('gives no worker anything to do, and reports why and what every row waits for', async () => {
    const world = newWorld();
    await hold(world);
    expect(world.chunksQueue.bodies).toEqual([]);
    const { summary, results, retry, html, jobId } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'held', rows: 4, hold: [{ code: 'too_many_new' }] });
    expect(summary?.counts).toMatchObject({ not_attempted: 3, invalid: 1, invited: 0 });
    expect(results.match(/,not_attempted,held,/gu)).toHaveLength(3);
    expect(retry).toBe('email\n');
    expect(html).toContain(`npx bulk-invite approve ${jobId}`);
    expect(html).not.toContain('Also in retry.csv');
    expect(world.metrics.lines).toContain('Jobs 1 {"state":"held"}');
  });

  test('is not held at its limit', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people), { newPeopleMax: 3 });
    expect(world.chunksQueue.bodies).toHaveLength(1);
  });

  test('may be held sooner by who uploads it, and not later', async () => {
    for (const [wish, chunks] of [
      ['1', 0],
      ['1000', 0],
      ['none', 0],
    ] as const) {
      const world = newWorld();
      await runIngest(world, await upload(world, people, undefined, { 'new-people-max': wish }), held);
      expect(world.chunksQueue.bodies, wish).toHaveLength(chunks);
    }
    for (const wish of ['2', 'none', '-1']) {
      const world = newWorld();
      await runIngest(world, await upload(world, people, undefined, { 'new-people-max': wish }), { newPeopleMax: 3 });
      await runReports(world);
      expect(reportFiles(world).summary?.state, wish).toBe('held');
    }
  });

  test('stays held whatever comes again, and its report is written once', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    const before = world.store.texts();
    await runIngest(world, await upload(world, people), held);
    await decide(world, approvalKey(jobId));
    await runReports(world);
    expect(world.store.texts()).toEqual(before);
    expect(posts(world)).toEqual([]);
  });

  test('is released by its approval alone: another job’s, or one that cannot be understood, is none', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    const other = { jobId: '20260131T070400Z-aaaaaaaaaaaa', by: 'ann', atMs: 1 };
    for (const text of [JSON.stringify(other), '{}', 'yes']) {
      await world.store.put(approvalKey(jobId), text, { kind: 'always' });
      await decide(world, approvalKey(jobId));
      expect(world.chunksQueue.bodies, text).toEqual([]);
    }
  });

  test('invites everyone once it is approved, and the report says who has approved it', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    await approve(world, jobId);
    await runWorkers(world);
    await runReports(world);
    expect(posts(world)).toHaveLength(3);
    const { summary, results } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'completed', approval: { by: 'ann@acme.example' } });
    expect(summary?.counts).toMatchObject({ invited: 3, invalid: 1, not_attempted: 0 });
    expect(results).not.toContain('held');
  });

  test('is seen by other jobs before anybody is invited, from its release and not while it is held', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    const other = '20260131T070400Z-aaaaaaaaaaaa' as JobId;
    world.clock.advance(60_000);
    expect(await othersAtWork(world.store, other, world.clock.now())).toBe(false);
    const releasedAtMs = world.clock.now();
    await approve(world, jobId);
    expect(world.clock.now() - releasedAtMs).toBe(overlapLimits.quietMs);
    expect(await othersAtWork(world.store, other, world.clock.now())).toBe(true);
    await runWorkers(world);
    await runReports(world);
    world.clock.advance(1000);
    expect(await othersAtWork(world.store, other, world.clock.now())).toBe(false);
  });

  test('looks everybody up where another job was at work meanwhile', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    world.clock.advance(600_000);
    await noteBegun(world.store, '20260131T070900Z-aaaaaaaaaaaa' as JobId, world.clock.now());
    world.api.users.set('b@acme.example', { id: 'theirs', status: 'invited' });
    await approve(world, jobId);
    await runWorkers(world);
    expect(posts(world)).toEqual(['invite_user a@acme.example', 'invite_user c@acme.example']);
  });

  test('does not write its report over anything that is there by then', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people), held);
    const [jobId] = jobIdsOf(world);
    const key = reportKey('incoming/people.csv', jobId as JobId, 'results.csv');
    await world.store.put(key, 'the final one', { kind: 'always' });
    await runReports(world);
    expect(world.store.texts().get(key)).toBe('the final one');
  });

  test('ends with its report once it is rejected', async () => {
    const world = newWorld();
    await reject(world, await hold(world));
    await runWorkers(world);
    await runReports(world);
    expect(reportFiles(world).summary).toMatchObject({ state: 'cancelled', counts: { not_attempted: 3 } });
  });

  test('is reported as held once, and not at all between its release and its end', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    world.reportsQueue.bodies.push(reportMessage(jobId));
    await runReports(world);
    await approve(world, jobId);
    world.reportsQueue.bodies.push(reportMessage(jobId));
    await runReports(world);
    expect(reportFiles(world).summary?.state).toBe('held');
    expect(world.metrics.lines.filter((line) => line.includes('held'))).toHaveLength(1);
  });

  test('ends without an invitation once it is rejected, whatever is approved afterwards', async () => {
    const world = newWorld();
    const jobId = await hold(world);
    await reject(world, jobId);
    world.clock.advance(1000);
    await approve(world, jobId);
    await runWorkers(world);
    await runReports(world);
    expect(posts(world)).toEqual([]);
    const { summary, retry } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'cancelled', error: { code: 'not_approved', by: 'ann' } });
    expect(summary?.approval).toBeUndefined();
    expect(summary?.counts).toMatchObject({ not_attempted: 3, invalid: 1 });
    expect(retry).toBe('email\n');
  });

  test('that would invite nobody is not held, though its limit is none', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\nnobody\n'), { newPeopleMax: 0 });
    await runReports(world);
    expect(reportFiles(world).summary?.state).toBe('completed');
  });
});

describe('a job that is cancelled', () => {
  const cancel = { code: 'cancelled', message: 'Cancelled by Ann.', by: 'ann', atMs: 1 } as const;

  test('before it was read invites nobody and reports every row', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'status 503' });
    await runIngest(world, await upload(world, people));
    const [jobId] = jobIdsOf(world);
    if (jobId === undefined) throw new Error('There is no job.');
    await writeStop(world.store, jobId, cancel);
    await decide(world, stopKey(jobId));
    await runReports(world);
    const { summary, retry } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'cancelled', rows: 4, error: { code: 'cancelled', by: 'ann' } });
    expect(summary?.counts).toMatchObject({ not_attempted: 4 });
    expect(retry).toBe(people);
    expect(world.chunksQueue.bodies).toEqual([]);
  });

  test('while it invites leaves the rest, and what is left goes into retry.csv', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people));
    const [jobId] = jobIdsOf(world);
    if (jobId === undefined) throw new Error('There is no job.');
    await writeStop(world.store, jobId, cancel);
    world.chunksQueue.bodies.splice(0);
    await decide(world, stopKey(jobId));
    expect(world.chunksQueue.bodies).toHaveLength(1);
    await runWorkers(world);
    await runReports(world);
    expect(posts(world)).toEqual([]);
    expect(reportFiles(world).summary).toMatchObject({ state: 'cancelled' });
    expect(reportFiles(world).retry.split('\n')).toHaveLength(5);
  });

  test('after its last row has completed', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people));
    const [jobId] = jobIdsOf(world);
    if (jobId === undefined) throw new Error('There is no job.');
    await runWorkers(world);
    await writeStop(world.store, jobId, cancel);
    await runReports(world);
    expect(reportFiles(world).summary).toMatchObject({ state: 'completed', counts: { invited: 3 } });
  });
});

describe('a dry run', () => {
  const key = 'incoming/dry-run/people.csv';

  test('reads and judges everything, and leaves nothing that a worker could do', async () => {
    const world = newWorld();
    world.api.users.set('b@acme.example', { id: 'user-7', status: 'active' });
    await runIngest(world, await upload(world, people, key));
    await runReports(world);
    expect(world.api.calls).toEqual(['validate', 'list_users']);
    expect(world.chunksQueue.bodies).toEqual([]);
    const [jobId] = jobIdsOf(world);
    expect([...world.store.texts().keys()]).not.toContain(chunkKey(jobId as JobId, 0));
    const { summary } = reportFiles(world, key);
    expect(summary).toMatchObject({ state: 'completed', dryRun: true });
    expect(summary?.counts).toMatchObject({ would_invite: 2, already_active: 1, invalid: 1, invited: 0 });
  });

  test('takes the mapping of the folder that it is meant for', async () => {
    const world = newWorld();
    await world.store.put('incoming/hr/mapping.json', '{"email":"Kontakt"}', { kind: 'always' });
    const text = 'email,Kontakt\na@acme.example,b@acme.example\n';
    await runIngest(world, await upload(world, text, 'incoming/dry-run/hr/people.csv'));
    await runReports(world);
    const { summary } = reportFiles(world, 'incoming/dry-run/hr/people.csv');
    expect(summary?.columns.used).toMatchObject({ email: 'Kontakt' });
  });

  test('is not held, and says that it would be', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people, key), held);
    await runReports(world);
    const { summary } = reportFiles(world, key);
    expect(summary?.state).toBe('completed');
    expect(summary?.warnings.join()).toContain(
      'For real, this would be held until somebody approves it: It would send 3',
    );
  });

  test('is nothing that other jobs have to heed', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people, key));
    await runReports(world);
    expect([...world.store.texts().keys()].filter((name) => /^(?:begun|ended)\//u.test(name))).toEqual([]);
  });
});

describe('a run of a roster with limits of its own', () => {
  const key = 'incoming/rosters/acme.csv';

  function rosterOf(valid: number, invalid = 0): string {
    const people = Array.from({ length: valid }, (_, index) => `p${index}@acme.example\n`);
    return `email\n${people.join('')}${'nobody\n'.repeat(invalid)}`;
  }

  /** Gives what holds the run, once the roster was uploaded and its time has come. */
  async function run(
    world: World,
    text: string,
    limits: Partial<RosterMessage['roster']>,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<readonly string[]> {
    world.clock.advance(86_400_000);
    await upload(world, text, key, metadata);
    const scheduledAt = new Date(world.clock.now()).toISOString();
    await runIngest(world, rosterMessage({ roster: { name: 'acme', key, ...limits }, scheduledAt }));
    await runWorkers(world);
    await runReports(world);
    const jobId = jobIdsOf(world).toSorted().at(-1) as JobId;
    const { hold = [] } = JSON.parse(world.store.texts().get(reportKey(key, jobId, 'summary.json')) ?? '{}');
    return hold.map(({ code }: { code: string }) => code);
  }

  /** So many users that a share of them is more than the least that holds a run. */
  function worldWithUsers(count: number): World {
    const world = newWorld();
    for (let index = 0; index < count; index += 1)
      world.api.users.set(`user${index}@acme.example`, { id: `user-${index}`, status: 'active' });
    return world;
  }

  test.each([
    [{}, 200, []],
    [{}, 201, ['too_many_new']],
    [{ newPeopleShare: 0.3 }, 240, []],
    [{ newPeopleShare: 0.3 }, 241, ['too_many_new']],
    [{ newPeopleShare: 0.3, newPeopleMax: 10 }, 11, ['too_many_new']],
  ])('%j and %i new people beside 800 users is held for %j', async (limits, count, expected) => {
    expect(await run(worldWithUsers(800), rosterOf(count), limits)).toEqual(expected);
  });

  test.each([
    [{}, 10, 20, []],
    [{}, 9, 20, ['too_few_rows']],
    [{ rowsShareMin: 0.9 }, 18, 20, []],
    [{ rowsShareMin: 0.9 }, 17, 20, ['too_few_rows']],
    [{ rowsShareMin: 0 }, 1, 20, []],
  ])('%j and %i rows after %i is held for %j', async (limits, rows, before, expected) => {
    const world = newWorld();
    expect(await run(world, rosterOf(before), {})).toEqual([]);
    expect(await run(world, rosterOf(rows), limits)).toEqual(expected);
  });

  test.each([
    [{}, 4, 1, []],
    [{}, 3, 1, ['too_many_invalid']],
    [{ invalidShareMax: 0.5 }, 2, 2, []],
    [{ invalidShareMax: 0.5 }, 1, 2, ['too_many_invalid']],
    [{ invalidShareMax: 0 }, 9, 1, ['too_many_invalid']],
    [{ invalidShareMax: 1 }, 0, 3, []],
  ])('%j and %i valid rows beside %i invalid ones is held for %j', async (limits, valid, invalid, expected) => {
    expect(await run(newWorld(), rosterOf(valid, invalid), limits)).toEqual(expected);
  });

  test('has them frozen in its job, and a job that was begun without them is read as before', async () => {
    const world = newWorld();
    const limits = { newPeopleShare: 0.3, rowsShareMin: 0, invalidShareMax: 1 };
    await run(world, rosterOf(1), limits);
    await run(world, rosterOf(1), {});
    const [first, second] = await Promise.all(
      jobIdsOf(world)
        .toSorted()
        .map((jobId) => readJob(world.store, jobId)),
    );
    const usual = { name: 'acme', staleAfterMs: 604_800_000, openAfterMs: 172_800_000 };
    expect(first?.roster).toEqual({ ...usual, ...limits, scheduledAtMs: expect.any(Number) });
    expect(second?.roster).toEqual({ ...usual, scheduledAtMs: expect.any(Number) });
  });

  test.each([
    [{}, '5', 6, ['too_many_new']],
    [{}, '1000000', 201, ['too_many_new']],
    [{ newPeopleShare: 0.3 }, '1000000', 241, ['too_many_new']],
    [{ newPeopleShare: 0.3 }, '230', 231, ['too_many_new']],
    [{ newPeopleMax: 300 }, '1000000', 301, ['too_many_new']],
    [{ newPeopleMax: 300 }, '230', 231, ['too_many_new']],
    [{ newPeopleShare: 0.3 }, '1000000', 240, []],
  ])(
    '%j is held sooner and never later by who uploads it with the wish of %s',
    async (limits, wish, count, expected) => {
      const world = worldWithUsers(800);
      expect(await run(world, rosterOf(count), limits, { 'new-people-max': wish })).toEqual(expected);
    },
  );
});

test('what a report that was cut off has heeded, the next one heeds, whatever was decided in between', async () => {
  const world = newWorld();
  const jobId = await hold(world);
  world.clock.advance(60_000);
  await reject(world, jobId);
  await runWorkers(world);
  const [message = ''] = world.reportsQueue.bodies.splice(0);
  const { put } = world.store;
  const cutOff = {
    ...world.store,
    put: async (...write: Parameters<typeof put>) => {
      if (write[0].endsWith('/summary.json')) throw new Error('The store is down.');
      return await put(...write);
    },
  };
  const report = (store: World['store']) => useCasesOf({ ...world, store }).reports(message, invocation('report'));
  await expect(report(cutOff)).rejects.toThrow('The store is down.');
  // It was given before the rejection, and comes only now.
  await writeApproval(world.store, { jobId, by: 'bob@acme.example', atMs: world.clock.now() - 30_000 });
  await report(world.store);
  const { summary } = reportFiles(world);
  expect(summary).toMatchObject({ state: 'cancelled', error: { code: 'not_approved' } });
  expect(summary?.approval).toBeUndefined();
});
