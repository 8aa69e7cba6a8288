import { beforeEach, describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { approvalKey, stopKey } from '../../../lambdas/core/keys.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { writeStop } from '../../../lambdas/ledger/stop.ts';
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
import { jobIdsOf, runIngest, runReports, runWorkers, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

let world: World;

beforeEach(() => {
  world = newWorld({ keepsVersions: true });
});

describe('the file of a roster', () => {
  test('is no job when it is uploaded', async () => {
    await runIngest(world, await upload(world, people(3), rosterUploadKey));
    expect(jobIdsOf(world)).toEqual([]);
  });

  test('is one at each time of its schedule, whether or not it has changed, and invites only who is new', async () => {
    await upload(world, people(3), rosterUploadKey);
    const first = await night(world);
    expect(summaryOf(world, first)).toMatchObject({
      state: 'completed',
      roster: { name: 'acme' },
      counts: { invited: 3 },
    });
    world.api.calls.splice(0);
    world.clock.advance(day);
    const second = await night(world);
    expect(second).not.toBe(first);
    expect(summaryOf(world, second)).toMatchObject({ state: 'completed', counts: { invited: 0, already_invited: 3 } });
    expect(world.api.calls).toEqual(['validate', 'list_users']);
  });

  test('is the same job where the message of the schedule comes twice, though it was refreshed in between', async () => {
    await upload(world, people(2), rosterUploadKey);
    const message = timeHasCome(world);
    await runIngest(world, message);
    world.clock.advance(1000);
    await upload(world, people(3), rosterUploadKey);
    await runIngest(world, message);
    expect(jobIdsOf(world)).toHaveLength(1);
    await settleAll(world);
    expect(callsOf(world, 'invite_user')).toHaveLength(2);
  });

  test('is not there, and the report says so', async () => {
    const jobId = await night(world);
    expect(summaryOf(world, jobId)).toMatchObject({ state: 'failed', rows: 0, error: { code: 'roster_missing' } });
    expect(world.api.calls).toEqual([]);
  });

  test.each([
    [2 * day, 'completed'],
    [2 * day + 1000, 'failed'],
  ] as const)('was refreshed %i ms ago, where two days are allowed: the run has %s', async (ageMs, state) => {
    await upload(world, people(1), rosterUploadKey);
    world.clock.advance(ageMs);
    const jobId = await night(world, { staleAfterMs: 2 * day });
    expect(summaryOf(world, jobId).state).toBe(state);
    if (state === 'completed') return;
    expect(summaryOf(world, jobId)).toMatchObject({ error: { code: 'roster_stale' }, counts: { not_attempted: 1 } });
    expect(world.api.calls).toEqual([]);
  });

  test('was fresh when its run began, and the API kept it waiting: the run goes on', async () => {
    await upload(world, people(1), rosterUploadKey);
    world.clock.advance(2 * day);
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'no answer' });
    const message = timeHasCome(world, { staleAfterMs: 2 * day });
    await runIngest(world, message);
    world.clock.advance(3_600_000);
    world.api.onRead = () => undefined;
    await runIngest(world, message);
    await settleAll(world);
    const [jobId] = jobIdsOf(world);
    expect(jobId === undefined ? undefined : summaryOf(world, jobId)).toMatchObject({ state: 'completed' });
  });

  test('has its own role, mapping and limit', async () => {
    await upload(world, 'Mail address,E-Mail\nx,a@acme.example\n', rosterUploadKey);
    const jobId = await night(world, { mapping: { email: 'E-Mail' }, role: 'Standard User', newPeopleMax: 0 });
    expect(summaryOf(world, jobId)).toMatchObject({ state: 'held', columns: { used: { email: 'E-Mail' } } });
    expect(callsOf(world, 'list_roles')).toHaveLength(1);
  });
});

describe('a run of a roster', () => {
  test('is not begun while the last one is at work, and says so', async () => {
    await upload(world, people(2), rosterUploadKey);
    await runIngest(world, timeHasCome(world));
    const [first] = jobIdsOf(world);
    world.clock.advance(day);
    const message = timeHasCome(world);
    await runIngest(world, message);
    await runReports(world);
    const second = jobIdsOf(world).find((jobId) => jobId !== first) as JobId;
    expect(summaryOf(world, second)).toMatchObject({ state: 'failed', error: { code: 'roster_busy' } });
    expect(summaryOf(world, second).error?.message).toContain(first);
    await settleAll(world);
    expect(callsOf(world, 'invite_user')).toHaveLength(2);
    world.clock.advance(day);
    expect(summaryOf(world, await night(world)).state).toBe('completed');
  });

  test('that was put off because of the API is not in its own way', async () => {
    await upload(world, people(2), rosterUploadKey);
    const message = timeHasCome(world);
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'status 503' });
    expect(await runIngest(world, message)).toMatchObject({ kind: 'later' });
    world.api.onRead = () => undefined;
    await runIngest(world, message);
    await settleAll(world);
    expect(callsOf(world, 'invite_user')).toHaveLength(2);
  });

  test('that comes late, after the next one has begun, is not begun', async () => {
    await upload(world, people(2), rosterUploadKey);
    const late = timeHasCome(world);
    world.clock.advance(day);
    await night(world);
    await runIngest(world, late);
    await settleAll(world);
    expect(jobIdsOf(world).map((jobId) => summaryOf(world, jobId).error?.code)).toEqual(
      expect.arrayContaining([undefined, 'roster_late']),
    );
    expect(callsOf(world, 'list_users')).toHaveLength(1);
  });

  test('that never ended is no longer at work after as long as a message lives', async () => {
    await upload(world, people(2), rosterUploadKey);
    await runIngest(world, timeHasCome(world));
    world.chunksQueue.bodies.splice(0);
    world.clock.advance(15 * day);
    await upload(world, people(2), rosterUploadKey);
    expect(summaryOf(world, await night(world)).error?.code).toBe('roster_busy');
    world.clock.advance(1000);
    expect(summaryOf(world, await night(world)).state).toBe('completed');
  });

  test('is not in the way of another roster', async () => {
    await upload(world, people(2), rosterUploadKey);
    await upload(world, people(2, 10), 'incoming/rosters/other.csv');
    await runIngest(world, timeHasCome(world));
    await runIngest(world, timeHasCome(world, { name: 'other', key: 'incoming/rosters/other.csv' }));
    await settleAll(world);
    expect(callsOf(world, 'invite_user')).toHaveLength(4);
  });

  test('that is held makes way for the next one, and can no longer be approved', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'held', hold: [{ code: 'too_many_new' }] });
    world.clock.advance(day);
    await upload(world, people(10), rosterUploadKey);
    const second = await night(world);
    expect(summaryOf(world, second)).toMatchObject({ state: 'completed', counts: { invited: 10 } });
    expect(world.store.texts().has(stopKey(first))).toBe(true);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    for (const objectKey of [stopKey(first), approvalKey(first)]) await runIngest(world, decided(objectKey));
    await settleAll(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'cancelled', error: { code: 'superseded' } });
    expect(callsOf(world, 'invite_user')).toHaveLength(10);
  });

  test('that is held makes way as long as it may be approved, and gets its report without being told', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    world.clock.advance(6 * day);
    await upload(world, people(10), rosterUploadKey);
    await night(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'cancelled', error: { code: 'superseded' } });
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    await settleAll(world);
    expect(callsOf(world, 'invite_user')).toHaveLength(10);
    expect(summaryOf(world, first).approval).toBeUndefined();
  });

  test('that was rejected gets its report from the next one, where nobody told of it', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    await writeStop(world.store, first, { code: 'not_approved', message: 'No.', atMs: world.clock.now() });
    world.clock.advance(day);
    await night(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'cancelled', error: { code: 'not_approved' } });
  });

  test('that was approved late is at work from then on, also where it is cancelled', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    world.clock.advance(6 * day);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    world.clock.advance(10 * day);
    await upload(world, people(10), rosterUploadKey);
    const statesOf = async () => {
      const before = new Set(jobIdsOf(world));
      await runIngest(world, timeHasCome(world));
      await runReports(world);
      return jobIdsOf(world)
        .filter((jobId) => !before.has(jobId))
        .map((jobId) => summaryOf(world, jobId).error?.code);
    };
    expect(await statesOf()).toEqual(['roster_busy']);
    await writeStop(world.store, first, { code: 'cancelled', message: 'Stop.', atMs: world.clock.now() });
    world.clock.advance(1000);
    expect(await statesOf()).toEqual(['roster_busy']);
    await settleAll(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'cancelled', approval: { by: 'ann' } });
  });

  test('that was approved, and cancelled when all was done, has completed', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    await runWorkers(world);
    await writeStop(world.store, first, { code: 'cancelled', message: 'Stop.', atMs: world.clock.now() });
    await runReports(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'completed', counts: { invited: 300 } });
  });

  test('that was approved is reported, though its approval cannot be understood any more', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    await runWorkers(world);
    await world.store.put(approvalKey(first), 'oops', { kind: 'always' });
    await runReports(world);
    expect(summaryOf(world, first)).toMatchObject({ state: 'completed', counts: { invited: 300 } });
  });

  test('that was approved is at work until it is reported', async () => {
    await upload(world, people(300), rosterUploadKey);
    const first = await night(world);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    world.clock.advance(day);
    const second = await night(world);
    expect(summaryOf(world, second)).toMatchObject({ error: { code: 'roster_busy' } });
  });

  test('of less than half of the last completed one’s rows is held', async () => {
    await upload(world, people(100), rosterUploadKey);
    await night(world);
    world.clock.advance(day);
    await upload(world, people(49), rosterUploadKey);
    const broken = await night(world);
    expect(summaryOf(world, broken)).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
    world.clock.advance(day);
    const again = await night(world);
    // What was held is no measure for the next one.
    expect(summaryOf(world, again)).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
    world.clock.advance(day);
    await upload(world, people(50), rosterUploadKey);
    expect(summaryOf(world, await night(world)).state).toBe('completed');
  });

  test('that was rejected is no measure for the next one', async () => {
    await upload(world, people(100), rosterUploadKey);
    await night(world);
    world.clock.advance(day);
    await upload(world, people(10), rosterUploadKey);
    const broken = await night(world);
    await writeStop(world.store, broken, { code: 'not_approved', message: 'No.', atMs: world.clock.now() });
    await runIngest(world, decided(stopKey(broken)));
    await settleAll(world);
    expect(summaryOf(world, broken).state).toBe('cancelled');
    world.clock.advance(day);
    expect(summaryOf(world, await night(world))).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
  });

  test('as a dry run invites nobody and is no measure for the next one', async () => {
    await upload(world, people(100), rosterUploadKey);
    expect(summaryOf(world, await night(world, { dryRun: true })).counts).toMatchObject({ would_invite: 100 });
    world.clock.advance(day);
    await upload(world, people(10), rosterUploadKey);
    expect(summaryOf(world, await night(world))).toMatchObject({ state: 'completed', counts: { invited: 10 } });
  });
});
