import { beforeEach, describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { approvalKey, chunkKey, jobKey, manifestKey, reportKey, rosterKey } from '../../../lambdas/core/keys.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { sealedJson } from '../../../lambdas/ledger/record.ts';
import { type RosterRun, readRosterRun } from '../../../lambdas/ledger/rosterRun.ts';
import { readStop } from '../../../lambdas/ledger/stop.ts';
import {
  callsOf,
  day,
  decided,
  night,
  people,
  rosterUploadKey,
  settleAll,
  summaryOf,
  timeHasCome,
} from '../../support/nights.ts';
import { jobIdsOf, runIngest, runReports, runWorkers, upload, useCasesOf } from '../../support/wholeJob.ts';
import { invocation, newWorld, type World } from '../../support/world.ts';

let world: World;

beforeEach(async () => {
  world = newWorld({ keepsVersions: true });
  await upload(world, people(100), rosterUploadKey);
});

async function lastRun(): Promise<RosterRun | undefined> {
  return (await readRosterRun(world.store, 'acme'))?.value;
}

/** The run of the next day, which nobody works on yet. */
async function begin(): Promise<JobId> {
  world.clock.advance(day);
  const before = new Set(jobIdsOf(world));
  await runIngest(world, timeHasCome(world));
  const begun = jobIdsOf(world).find((jobId) => !before.has(jobId));
  if (begun === undefined) throw new Error('No run has begun.');
  return begun;
}

/** As the bucket does it after `reportDays`. */
function deleteReport(jobId: JobId): void {
  for (const file of ['results.csv', 'report.html', 'summary.json'] as const)
    world.store.remove(reportKey(rosterUploadKey, jobId, file));
}

function deleteRecords(jobId: JobId): void {
  for (const key of [...world.store.texts().keys()]) if (key.startsWith(`jobs/${jobId}/`)) world.store.remove(key);
}

describe('a run whose report was deleted before the next one', () => {
  test('has ended, and is the measure for the next one', async () => {
    deleteReport(await night(world));
    world.clock.advance(day);
    await upload(world, people(49), rosterUploadKey);
    const broken = await night(world);
    expect(summaryOf(world, broken)).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
    // What was held, and made way, is none; the one before still is.
    deleteReport(broken);
    world.clock.advance(day);
    const again = await night(world);
    expect(summaryOf(world, again)).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
    expect(summaryOf(world, broken)).toMatchObject({ error: { code: 'superseded' } });
  });

  test('is the measure for a dry run, too', async () => {
    deleteReport(await night(world));
    world.clock.advance(day);
    await upload(world, people(49), rosterUploadKey);
    const dry = await night(world, { dryRun: true });
    expect(summaryOf(world, dry)).toMatchObject({ state: 'completed', dryRun: true });
    expect(summaryOf(world, dry).warnings.join()).toContain('100');
  });

  test('and that had stopped itself has ended, too, and is no measure', async () => {
    const answer = { kind: 'key_refused', httpStatus: 401, message: 'no.' } as const;
    world.api.onInvite = () => ({ answer, effect: false });
    const failed = await night(world);
    expect(summaryOf(world, failed)).toMatchObject({ state: 'failed', error: { code: 'key_refused' } });
    deleteReport(failed);
    world.api.onInvite = () => undefined;
    world.clock.advance(day);
    await upload(world, people(10), rosterUploadKey);
    expect(summaryOf(world, await night(world)).state).toBe('completed');
  });
});

describe('that a run has ended', () => {
  test('is noted with its rows before its summary is there, and once', async () => {
    const jobId = await begin();
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
    expect(await lastRun()).toMatchObject({ jobId, ended: { state: 'completed', rows: 100 } });
    // The next one begins, though nobody can read yet what became of this one.
    const next = await begin();
    expect(await lastRun()).toMatchObject({ jobId: next, lastCompleted: { jobId, rows: 100 } });
    expect(summaryOf(world, jobId)).toBeNull();
    await report(world.store);
    expect(summaryOf(world, jobId)).toMatchObject({ state: 'completed', counts: { invited: 100 } });
    expect((await lastRun())?.ended).toBeUndefined();
    await settleAll(world);
    expect(callsOf(world, 'invite_user')).toHaveLength(100);
  });

  test('is noted once where two reports are made at once', async () => {
    const jobId = await begin();
    await runWorkers(world);
    const [message = ''] = world.reportsQueue.bodies.splice(0);
    const { reports } = useCasesOf(world);
    await Promise.all([reports(message, invocation('one')), reports(message, invocation('other'))]);
    expect(await lastRun()).toMatchObject({ jobId, ended: { state: 'completed', rows: 100 } });
    expect(summaryOf(world, jobId).state).toBe('completed');
  });

  test('is not said of one that is held, before it has been approved and is done', async () => {
    await upload(world, people(300), rosterUploadKey);
    const held = await night(world);
    expect(summaryOf(world, held).state).toBe('held');
    expect(await lastRun()).toMatchObject({ jobId: held });
    expect((await lastRun())?.ended).toBeUndefined();
    await writeApproval(world.store, { jobId: held, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(held)));
    expect((await lastRun())?.ended).toBeUndefined();
    await settleAll(world);
    expect((await lastRun())?.ended).toEqual({ state: 'completed', rows: 300 });
  });

  test('is not said of the next one, to which a held one has made way', async () => {
    await upload(world, people(300), rosterUploadKey);
    const held = await night(world);
    await upload(world, people(10), rosterUploadKey);
    const next = await begin();
    // Its chunks are still there to be done; the report of the one that has made way is not.
    const bodies = world.chunksQueue.bodies.splice(0);
    const own = bodies.filter((body) => body.includes(next));
    world.chunksQueue.bodies.push(...bodies.filter((body) => !own.includes(body)));
    await settleAll(world);
    expect(summaryOf(world, held).state).toBe('cancelled');
    expect(await lastRun()).toMatchObject({ jobId: next });
    expect((await lastRun())?.ended).toBeUndefined();
    const third = await begin();
    await runReports(world);
    expect(summaryOf(world, third)).toMatchObject({ error: { code: 'roster_busy' } });
    world.chunksQueue.bodies.push(...own);
    await settleAll(world);
    expect(summaryOf(world, next)).toMatchObject({ state: 'completed', counts: { invited: 10 } });
  });

  test('is not said by one that was not begun, nor by a dry run', async () => {
    const first = await begin();
    const second = await begin();
    await runReports(world);
    expect(summaryOf(world, second)).toMatchObject({ error: { code: 'roster_busy' } });
    await runIngest(world, timeHasCome(world, { dryRun: true }));
    await runReports(world);
    expect(await lastRun()).toMatchObject({ jobId: first });
    expect((await lastRun())?.ended).toBeUndefined();
  });

  test('cannot be noted where somebody has damaged the note, and is reported all the same', async () => {
    const jobId = await begin();
    await world.store.put(rosterKey('acme'), '{"jobId":', { kind: 'always' });
    await settleAll(world);
    expect(summaryOf(world, jobId)).toMatchObject({ state: 'completed', counts: { invited: 100 } });
  });

  test('is told by the summary where an earlier version has reported it', async () => {
    await night(world);
    const { ended: _ended, ...before } = (await lastRun()) ?? {};
    await world.store.put(rosterKey('acme'), sealedJson.write(before), { kind: 'always' });
    world.clock.advance(day);
    await upload(world, people(49), rosterUploadKey);
    expect(summaryOf(world, await night(world))).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
  });
});

describe('a run that cannot go on is not at work', () => {
  test('because its records are gone', async () => {
    const first = await begin();
    world.chunksQueue.bodies.splice(0);
    deleteRecords(first);
    world.clock.advance(day);
    expect(summaryOf(world, await night(world)).state).toBe('completed');
  });

  test.each([
    ['job.json', jobKey],
    ['manifest.json', manifestKey],
  ])('but one of which %s is left may be', async (_name, keyOf) => {
    const first = await begin();
    const left = world.store.texts().get(keyOf(first)) ?? '';
    deleteRecords(first);
    await world.store.put(keyOf(first), left, { kind: 'always' });
    const second = await begin();
    await runReports(world);
    expect(summaryOf(world, second)).toMatchObject({ error: { code: 'roster_busy' } });
  });

  test('because it was held, and nobody approved it in seven days; it is not ended, because some of it may be deleted', async () => {
    await upload(world, people(300), rosterUploadKey);
    const held = await night(world);
    world.store.remove(chunkKey(held, 0));
    world.clock.advance(8 * day);
    await upload(world, people(3), rosterUploadKey);
    const next = await night(world);
    expect(summaryOf(world, next).state).toBe('completed');
    expect(summaryOf(world, held).state).toBe('held');
    expect(await readStop(world.store, held)).toBeUndefined();
    await writeApproval(world.store, { jobId: held, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(held)));
    expect(world.chunksQueue.bodies).toEqual([]);
  });

  test('because its file could not be used, though nobody has reported that yet', async () => {
    await upload(world, 'name\nAda\n', rosterUploadKey);
    const first = await begin();
    expect(summaryOf(world, first)).toBeNull();
    await upload(world, people(3), rosterUploadKey);
    world.reportsQueue.bodies.splice(0);
    world.clock.advance(day);
    expect(summaryOf(world, await night(world)).state).toBe('completed');
  });
});
