import { beforeEach, describe, expect, test } from 'vitest';
import { approvalKey, reportKey } from '../../../lambdas/core/keys.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import {
  callsOf,
  day,
  decided,
  hour,
  night,
  pageOf,
  rosterUploadKey,
  settleAll,
  summaryOf,
  timeHasCome,
} from '../../support/nights.ts';
import { runIngest, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

const resend = { resendAfterMs: 5 * day };
const noAnswer = {
  reason: 'no_answer',
  detail: 'no answer within 30 s',
  mayBeOurs: true,
  mayStillHappen: true,
} as const;

let world: World;

beforeEach(async () => {
  world = newWorld({ keepsVersions: true });
  world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
  await upload(world, 'email\nopen@acme.example\n', rosterUploadKey);
});

describe('an invitation that is open for long', () => {
  test('is not sent again unless that was asked for', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    await night(world);
    world.clock.advance(4 * day);
    await night(world);
    expect(callsOf(world, 'resend')).toEqual([]);
  });

  test('is sent again once it is open for longer than asked, and then only after that time again', async () => {
    const nights: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      const before = callsOf(world, 'resend').length;
      await upload(world, 'email\nopen@acme.example\n', rosterUploadKey);
      const jobId = await night(world, resend);
      if (callsOf(world, 'resend').length > before) {
        nights.push(count);
        expect(summaryOf(world, jobId)).toMatchObject({ counts: { resent: 1 } });
        expect(pageOf(world, jobId)).toContain('Of it, only invitations were sent again.');
      } else if (count === 4) {
        expect(pageOf(world, jobId)).toContain('Nothing of it was changed.');
      }
      world.clock.advance(day);
    }
    expect(nights).toEqual([5, 10]);
    expect(callsOf(world, 'invite_user')).toEqual([]);
  });

  test('is sent again with a key of the job and the person, the same for each try', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    world.api.users.set('other@acme.example', { id: 'u2', status: 'expired' });
    await upload(world, 'email\nopen@acme.example\nother@acme.example\n', rosterUploadKey);
    const answers = [{ kind: 'in_doubt', doubt: noAnswer }, undefined] as const;
    let tries = 0;
    world.api.onResend = () => answers[tries++];
    await night(world, { resendAfterMs: 2 * day - 1 });
    const calls = callsOf(world, 'resend');
    expect(calls).toHaveLength(3);
    expect(new Set(calls).size).toBe(2);
    for (const call of calls) expect(call).toMatch(/^resend_invitation u[12] [0-9a-f]{32}$/u);
    expect(new Set(calls.map((call) => call.split(' ').at(-1))).size).toBe(2);
  });

  test('is not sent again by two rosters within 48 hours', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    const other = 'incoming/rosters/other.csv';
    await upload(world, 'email\nopen@acme.example\n', other);
    await night(world, { resendAfterMs: hour });
    world.clock.advance(47 * hour);
    await runIngest(world, timeHasCome(world, { name: 'other', key: other, resendAfterMs: hour }));
    await settleAll(world);
    expect(callsOf(world, 'resend')).toHaveLength(1);
    const results = [...world.store.texts()].find(
      ([name]) => name.includes('other.csv/') && name.endsWith('results.csv'),
    );
    expect(results?.[1]).toContain('already_invited,resent_recently');
  });

  test('counts for the limit, and is named in a dry run', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    const dry = await night(world, { resendAfterMs: hour, dryRun: true });
    expect(world.store.texts().get(reportKey(rosterUploadKey, dry, 'results.csv'))).toContain(
      'already_exists,would_resend',
    );
    world.clock.advance(day);
    const held = await night(world, { resendAfterMs: hour, newPeopleMax: 0 });
    expect(summaryOf(world, held)).toMatchObject({ state: 'held', hold: [{ code: 'too_many_new' }] });
    expect(callsOf(world, 'resend')).toEqual([]);
  });

  test.each([
    ['a dry run', { dryRun: true }],
    ['a held run', { newPeopleMax: 0 }],
  ])('is as old after %s as before it', async (_name, changes) => {
    await night(world, resend);
    world.clock.advance(5 * day + 1000);
    await night(world, { ...resend, ...changes });
    world.clock.advance(1000);
    await night(world, resend);
    expect(callsOf(world, 'resend')).toHaveLength(1);
  });

  test('that was sent again without any answer is unknown in the end, and nobody is looked up for it', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    await upload(world, 'email\nnew@acme.example\nopen@acme.example\n', rosterUploadKey);
    world.api.onResend = () => ({ kind: 'in_doubt', doubt: noAnswer });
    expect(summaryOf(world, await night(world, { resendAfterMs: hour })).counts).toMatchObject({
      invited: 1,
      unknown: 1,
    });
    expect(callsOf(world, 'find_user')).toEqual([]);
    expect(callsOf(world, 'resend')).toHaveLength(6);
  });

  test('is as old as it was where it was not sent again', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    world.api.onResend = () => ({ kind: 'key_refused', httpStatus: 401, message: 'no.' });
    expect(summaryOf(world, await night(world, { resendAfterMs: hour }))).toMatchObject({
      error: { code: 'key_refused' },
    });
    world.clock.advance(day);
    world.api.onResend = () => undefined;
    expect(summaryOf(world, await night(world, { resendAfterMs: hour })).counts).toMatchObject({ resent: 1 });
  });

  test('was sent again by a run that was held and approved: from then on it is new', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    const held = await night(world, { resendAfterMs: 3 * day, newPeopleMax: 0 });
    expect(summaryOf(world, held).state).toBe('completed');
    world.clock.advance(day);
    const second = await night(world, { resendAfterMs: 2 * day, newPeopleMax: 0 });
    expect(summaryOf(world, second).state).toBe('held');
    await writeApproval(world.store, { jobId: second, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(second)));
    await settleAll(world);
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    for (const _ of [1, 2]) {
      world.clock.advance(23 * hour);
      expect(summaryOf(world, await night(world, { resendAfterMs: 2 * day, newPeopleMax: 0 })).state).toBe('completed');
    }
    expect(callsOf(world, 'resend')).toHaveLength(1);
  });

  test('is looked up first where a run was approved long after it looked', async () => {
    const { users } = world.api;
    for (const name of ['accepted', 'still', 'gone'])
      users.set(`${name}@acme.example`, { id: `u-${name}`, status: 'expired' });
    await upload(world, 'email\naccepted@acme.example\nstill@acme.example\ngone@acme.example\n', rosterUploadKey);
    const jobId = await night(world, { resendAfterMs: hour, newPeopleMax: 0 });
    world.clock.advance(6 * hour);
    users.set('accepted@acme.example', { id: 'u-accepted', status: 'active' });
    users.delete('gone@acme.example');
    await writeApproval(world.store, { jobId, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(jobId)));
    await settleAll(world);
    expect(callsOf(world, 'find_user')).toHaveLength(3);
    expect(callsOf(world, 'resend').map((call) => call.split(' ')[1])).toEqual(['u-still']);
    expect(summaryOf(world, jobId).counts).toMatchObject({ resent: 1, already_active: 1, failed: 1 });
  });

  test('says nothing of new people where it is refused', async () => {
    const rows = ['email'];
    for (let index = 0; index < 60; index += 1) {
      world.api.users.set(`p${index}@acme.example`, { id: `u${index}`, status: 'expired' });
      rows.push(`p${index}@acme.example`);
    }
    world.api.onResend = () => ({ kind: 'refused', httpStatus: 400, message: 'accepted.' });
    await upload(world, `${rows.join('\n')}\nnew@acme.example\n`, rosterUploadKey);
    expect(summaryOf(world, await night(world, { resendAfterMs: hour }))).toMatchObject({
      state: 'completed',
      counts: { rejected: 60, invited: 1 },
    });
  });

  test('that the API refuses to send again is rejected, unless an earlier try may have sent it', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    world.api.onResend = () => ({ kind: 'refused', httpStatus: 404, message: 'no such user.' });
    expect(summaryOf(world, await night(world, { resendAfterMs: hour })).counts).toMatchObject({ rejected: 1 });
    world.clock.advance(3 * day);
    const answers = [
      { kind: 'in_doubt', doubt: noAnswer } as const,
      { kind: 'refused', httpStatus: 404, message: 'no such user.' } as const,
    ];
    let tries = 0;
    world.api.onResend = () => answers[tries++];
    expect(summaryOf(world, await night(world, { resendAfterMs: hour })).counts).toMatchObject({ unknown: 1 });
  });
});
