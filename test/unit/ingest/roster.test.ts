import { beforeEach, describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { approvalKey, openInvitationsKey, reportKey, stopKey } from '../../../lambdas/core/keys.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { type RosterMessage, rosterMessage } from '../../../lambdas/ledger/messages.ts';
import { writeStop } from '../../../lambdas/ledger/stop.ts';
import type { Summary } from '../../../lambdas/ledger/summary.ts';
import { jobIdsOf, runIngest, runReports, runWorkers, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

const hour = 3_600_000;
const day = 24 * hour;
const key = 'incoming/rosters/acme.csv';

let world: World;

beforeEach(() => {
  world = newWorld({ keepsVersions: true });
});

/** The message of the schedule at this moment, as it comes. */
function timeHasCome(changes: Partial<RosterMessage['roster']> = {}): string {
  const scheduledAt = new Date(world.clock.now()).toISOString();
  return rosterMessage({ roster: { name: 'acme', key, ...changes }, scheduledAt });
}

function people(count: number, from = 0): string {
  return `email\n${Array.from({ length: count }, (_, index) => `p${index + from}@acme.example\n`).join('')}`;
}

/** What happens at the time of the roster: its run up to where no message is left. */
async function night(changes: Partial<RosterMessage['roster']> = {}): Promise<JobId> {
  await runIngest(world, timeHasCome(changes));
  await settleAll();
  const jobId = jobIdsOf(world).toSorted().at(-1);
  if (jobId === undefined) throw new Error('There is no job.');
  return jobId;
}

async function settleAll(): Promise<void> {
  await runWorkers(world);
  await runReports(world);
}

function summaryOf(jobId: JobId): Summary {
  return JSON.parse(world.store.texts().get(reportKey(key, jobId, 'summary.json')) ?? 'null');
}

function driftOf(jobId: JobId): string[] {
  const text = world.store.texts().get(reportKey(key, jobId, 'drift.csv')) ?? '';
  return text.trimEnd().split('\n').slice(1);
}

function decided(objectKey: string): string {
  const object = { key: objectKey, eTag: 'abc' };
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object } }] });
}

function callsOf(operation: string): string[] {
  return world.api.calls.filter((call) => call.startsWith(operation));
}

describe('the file of a roster', () => {
  test('is no job when it is uploaded', async () => {
    await runIngest(world, await upload(world, people(3), key));
    expect(jobIdsOf(world)).toEqual([]);
  });

  test('is one at each time of its schedule, whether or not it has changed, and invites only who is new', async () => {
    await upload(world, people(3), key);
    const first = await night();
    expect(summaryOf(first)).toMatchObject({ state: 'completed', roster: { name: 'acme' }, counts: { invited: 3 } });
    world.api.calls.splice(0);
    world.clock.advance(day);
    const second = await night();
    expect(second).not.toBe(first);
    expect(summaryOf(second)).toMatchObject({ state: 'completed', counts: { invited: 0, already_invited: 3 } });
    expect(world.api.calls).toEqual(['validate', 'list_users']);
  });

  test('is the same job where the message of the schedule comes twice, though it was refreshed in between', async () => {
    await upload(world, people(2), key);
    const message = timeHasCome();
    await runIngest(world, message);
    world.clock.advance(1000);
    await upload(world, people(3), key);
    await runIngest(world, message);
    expect(jobIdsOf(world)).toHaveLength(1);
    await settleAll();
    expect(callsOf('invite_user')).toHaveLength(2);
  });

  test('is not there, and the report says so', async () => {
    const jobId = await night();
    expect(summaryOf(jobId)).toMatchObject({ state: 'failed', rows: 0, error: { code: 'roster_missing' } });
    expect(world.api.calls).toEqual([]);
  });

  test.each([
    [2 * day, 'completed'],
    [2 * day + 1000, 'failed'],
  ] as const)('was refreshed %i ms ago, where two days are allowed: the run has %s', async (ageMs, state) => {
    await upload(world, people(1), key);
    world.clock.advance(ageMs);
    const jobId = await night({ staleAfterMs: 2 * day });
    expect(summaryOf(jobId).state).toBe(state);
    if (state === 'completed') return;
    expect(summaryOf(jobId)).toMatchObject({ error: { code: 'roster_stale' }, counts: { not_attempted: 1 } });
    expect(world.api.calls).toEqual([]);
  });

  test('has its own role, mapping and limit', async () => {
    await upload(world, 'Mail address,E-Mail\nx,a@acme.example\n', key);
    const jobId = await night({ mapping: { email: 'E-Mail' }, role: 'Standard User', newPeopleMax: 0 });
    expect(summaryOf(jobId)).toMatchObject({ state: 'held', columns: { used: { email: 'E-Mail' } } });
    expect(callsOf('list_roles')).toHaveLength(1);
  });
});

describe('a run of a roster', () => {
  test('is not begun while the last one is at work, and says so', async () => {
    await upload(world, people(2), key);
    await runIngest(world, timeHasCome());
    const [first] = jobIdsOf(world);
    world.clock.advance(day);
    const message = timeHasCome();
    await runIngest(world, message);
    await runReports(world);
    const second = jobIdsOf(world).find((jobId) => jobId !== first) as JobId;
    expect(summaryOf(second)).toMatchObject({ state: 'failed', error: { code: 'roster_busy' } });
    expect(summaryOf(second).error?.message).toContain(first);
    await settleAll();
    expect(callsOf('invite_user')).toHaveLength(2);
    world.clock.advance(day);
    expect(summaryOf(await night()).state).toBe('completed');
  });

  test('that was put off because of the API is not in its own way', async () => {
    await upload(world, people(2), key);
    const message = timeHasCome();
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'status 503' });
    expect(await runIngest(world, message)).toMatchObject({ kind: 'later' });
    world.api.onRead = () => undefined;
    await runIngest(world, message);
    await settleAll();
    expect(callsOf('invite_user')).toHaveLength(2);
  });

  test('that comes late, after the next one has begun, is not begun', async () => {
    await upload(world, people(2), key);
    const late = timeHasCome();
    world.clock.advance(day);
    await night();
    await runIngest(world, late);
    await settleAll();
    expect(jobIdsOf(world).map((jobId) => summaryOf(jobId).error?.code)).toEqual(
      expect.arrayContaining([undefined, 'roster_late']),
    );
    expect(callsOf('list_users')).toHaveLength(1);
  });

  test('that never ended is no longer at work after as long as a message lives', async () => {
    await upload(world, people(2), key);
    await runIngest(world, timeHasCome());
    world.chunksQueue.bodies.splice(0);
    world.clock.advance(15 * day);
    await upload(world, people(2), key);
    expect(summaryOf(await night()).error?.code).toBe('roster_busy');
    world.clock.advance(1000);
    expect(summaryOf(await night()).state).toBe('completed');
  });

  test('is not in the way of another roster', async () => {
    await upload(world, people(2), key);
    await upload(world, people(2, 10), 'incoming/rosters/other.csv');
    await runIngest(world, timeHasCome());
    await runIngest(world, timeHasCome({ name: 'other', key: 'incoming/rosters/other.csv' }));
    await settleAll();
    expect(callsOf('invite_user')).toHaveLength(4);
  });

  test('that is held makes way for the next one, and can no longer be approved', async () => {
    await upload(world, people(300), key);
    const first = await night();
    expect(summaryOf(first)).toMatchObject({ state: 'held', hold: [{ code: 'too_many_new' }] });
    world.clock.advance(day);
    await upload(world, people(10), key);
    const second = await night();
    expect(summaryOf(second)).toMatchObject({ state: 'completed', counts: { invited: 10 } });
    expect(world.store.texts().has(stopKey(first))).toBe(true);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    for (const objectKey of [stopKey(first), approvalKey(first)]) await runIngest(world, decided(objectKey));
    await settleAll();
    expect(summaryOf(first)).toMatchObject({ state: 'cancelled', error: { code: 'superseded' } });
    expect(callsOf('invite_user')).toHaveLength(10);
  });

  test('that is held makes way however long it was held, and gets its report without being told', async () => {
    await upload(world, people(300), key);
    const first = await night();
    world.clock.advance(40 * day);
    await upload(world, people(10), key);
    await night();
    expect(summaryOf(first)).toMatchObject({ state: 'cancelled', error: { code: 'superseded' } });
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    await settleAll();
    expect(callsOf('invite_user')).toHaveLength(10);
    expect(summaryOf(first).approval).toBeUndefined();
  });

  test('that was rejected gets its report from the next one, where nobody told of it', async () => {
    await upload(world, people(300), key);
    const first = await night();
    await writeStop(world.store, first, { code: 'not_approved', message: 'No.', atMs: world.clock.now() });
    world.clock.advance(day);
    await night();
    expect(summaryOf(first)).toMatchObject({ state: 'cancelled', error: { code: 'not_approved' } });
  });

  test('that was approved late is at work from then on, also where it is cancelled', async () => {
    await upload(world, people(300), key);
    const first = await night();
    world.clock.advance(14 * day);
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    world.clock.advance(2 * day);
    await upload(world, people(10), key);
    const statesOf = async () => {
      const before = new Set(jobIdsOf(world));
      await runIngest(world, timeHasCome());
      await runReports(world);
      return jobIdsOf(world)
        .filter((jobId) => !before.has(jobId))
        .map((jobId) => summaryOf(jobId).error?.code);
    };
    expect(await statesOf()).toEqual(['roster_busy']);
    await writeStop(world.store, first, { code: 'cancelled', message: 'Stop.', atMs: world.clock.now() });
    world.clock.advance(1000);
    expect(await statesOf()).toEqual(['roster_busy']);
    await settleAll();
    expect(summaryOf(first)).toMatchObject({ state: 'cancelled', approval: { by: 'ann' } });
  });

  test('that was approved, and cancelled when all was done, has completed', async () => {
    await upload(world, people(300), key);
    const first = await night();
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    await runWorkers(world);
    await writeStop(world.store, first, { code: 'cancelled', message: 'Stop.', atMs: world.clock.now() });
    await runReports(world);
    expect(summaryOf(first)).toMatchObject({ state: 'completed', counts: { invited: 300 } });
  });

  test('that was approved is reported, though its approval cannot be understood any more', async () => {
    await upload(world, people(300), key);
    const first = await night();
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(first)));
    await runWorkers(world);
    await world.store.put(approvalKey(first), 'oops', { kind: 'always' });
    await runReports(world);
    expect(summaryOf(first)).toMatchObject({ state: 'completed', counts: { invited: 300 } });
  });

  test('that was approved is at work until it is reported', async () => {
    await upload(world, people(300), key);
    const first = await night();
    await writeApproval(world.store, { jobId: first, by: 'ann', atMs: world.clock.now() });
    world.clock.advance(day);
    const second = await night();
    expect(summaryOf(second)).toMatchObject({ error: { code: 'roster_busy' } });
  });

  test('of less than half of the last completed one’s rows is held', async () => {
    await upload(world, people(100), key);
    await night();
    world.clock.advance(day);
    await upload(world, people(49), key);
    const broken = await night();
    expect(summaryOf(broken)).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
    world.clock.advance(day);
    const again = await night();
    // What was held is no measure for the next one.
    expect(summaryOf(again)).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
    world.clock.advance(day);
    await upload(world, people(50), key);
    expect(summaryOf(await night()).state).toBe('completed');
  });

  test('that was rejected is no measure for the next one', async () => {
    await upload(world, people(100), key);
    await night();
    world.clock.advance(day);
    await upload(world, people(10), key);
    const broken = await night();
    await writeStop(world.store, broken, { code: 'not_approved', message: 'No.', atMs: world.clock.now() });
    await runIngest(world, decided(stopKey(broken)));
    await settleAll();
    expect(summaryOf(broken).state).toBe('cancelled');
    world.clock.advance(day);
    expect(summaryOf(await night())).toMatchObject({ state: 'held', hold: [{ code: 'too_few_rows' }] });
  });

  test('as a dry run invites nobody and is no measure for the next one', async () => {
    await upload(world, people(100), key);
    expect(summaryOf(await night({ dryRun: true })).counts).toMatchObject({ would_invite: 100 });
    world.clock.advance(day);
    await upload(world, people(10), key);
    expect(summaryOf(await night())).toMatchObject({ state: 'completed', counts: { invited: 10 } });
  });
});

describe('drift', () => {
  test('is who is not in the roster, who has left, and whose role or organization differs', async () => {
    const { users } = world.api;
    users.set('same@acme.example', { id: 'u1', status: 'active', roleId: 'role-1', organizationId: 'root' });
    users.set('gone@acme.example', { id: 'u2', status: 'active' });
    users.set('left@acme.example', { id: 'u3', status: 'active' });
    users.set('role@acme.example', { id: 'u4', status: 'active', roleId: 'role-9', organizationId: 'root' });
    users.set('bad@acme.example', { id: 'u5', status: 'active' });
    users.set('none@acme.example', { id: 'u6', status: 'active' });
    const rows = [
      'email,role,organization,status',
      'SAME@acme.example,Standard User,Acme,active',
      'left@acme.example,,,terminated',
      'role@acme.example,standard user,Acme,active',
      'bad@acme.example,No Such Role,,active',
      'none@acme.example,,,active',
      'new@acme.example,,,active',
    ];
    await upload(world, `${rows.join('\n')}\n`, key);
    const jobId = await night();
    expect(driftOf(jobId)).toEqual([
      'role_differs,role@acme.example,u4,active,4,Standard User,role-9,,has another role than the roster says',
      'not_in_roster,gone@acme.example,u2,active,,,,,"in the directory, and not in the roster"',
      'left_in_roster,left@acme.example,u3,active,3,,,,"in the directory, and the roster says that this person has left or is disabled"',
    ]);
    expect(summaryOf(jobId).drift).toEqual({
      not_in_roster: 1,
      left_in_roster: 1,
      role_differs: 1,
      organization_differs: 0,
      invitation_expired: 0,
      invitation_open: 0,
    });
    expect(summaryOf(jobId).files.map(({ name, rows: count }) => [name, count])).toContainEqual(['drift.csv', 3]);
    expect(callsOf('invite_user')).toEqual(['invite_user new@acme.example']);
  });

  test('is not told of rows that do not count, nor of a person who is there and has left', async () => {
    const { users } = world.api;
    users.set('twice@acme.example', { id: 'u1', status: 'active', roleId: 'role-1' });
    users.set('back@acme.example', { id: 'u2', status: 'active' });
    users.set('again@acme.example', { id: 'u3', status: 'active' });
    users.set('left@acme.example', { id: 'u4', status: 'active', roleId: 'role-9' });
    world.api.listRoles = async () => ({
      kind: 'read',
      value: [
        { id: 'role-1', name: 'Standard User' },
        { id: 'role-2', name: 'Admin' },
      ],
    });
    const rows = [
      'email,role,status',
      'twice@acme.example,Standard User,active',
      'twice@acme.example,Admin,active',
      'back@acme.example,,terminated',
      'back@acme.example,,active',
      'again@acme.example,,active',
      'again@acme.example,,terminated',
      'left@acme.example,Admin,terminated',
    ];
    await upload(world, `${rows.join('\n')}\n`, key);
    expect(driftOf(await night()).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      'left_in_roster left@acme.example',
    ]);
  });

  test('does not list as absent who stands in a row with something wrong in it', async () => {
    const there = ['other@elsewhere.example', 'typo@gmial.com', 'quote@acme.example', 'shifted@acme.example'];
    for (const email of [...there, 'gone@acme.example']) world.api.users.set(email, { id: email, status: 'active' });
    const rows = [
      'email,name',
      'other@elsewhere.example,A',
      'typo@gmial.com,B',
      '"quote@acme.example" x,C',
      'Lee, D,shifted@acme.example,D',
      ',Nobody',
      ...Array.from({ length: 30 }, (_, index) => `p${index}@acme.example,P`),
    ];
    await upload(world, `${rows.join('\n')}\n`, key);
    await runIngest(world, timeHasCome(), { allowedDomains: ['acme.example'] });
    await settleAll();
    const [jobId] = jobIdsOf(world);
    expect(driftOf(jobId as JobId).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      'not_in_roster gone@acme.example',
    ]);
    expect(summaryOf(jobId as JobId).warnings.join()).toContain('1 row names nobody who could be found');
  });

  test('takes every address of a damaged or shifted row for somebody who is there', async () => {
    for (const name of ['boss', 'shifted', 'lee', 'dam', 'gone'])
      world.api.users.set(`${name}@acme.example`, { id: name, status: 'active' });
    const rows = [
      'email,name',
      'boss@acme.example,Lee, shifted@acme.example',
      '"lee@acme.example" <dam@acme.example>,Dam',
      ...Array.from({ length: 10 }, (_, index) => `p${index}@acme.example,P`),
    ];
    await upload(world, `${rows.join('\n')}\n`, key);
    const jobId = await night();
    expect(summaryOf(jobId).counts).toMatchObject({ invalid: 2 });
    expect(driftOf(jobId).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      'not_in_roster gone@acme.example',
    ]);
  });

  test('of a dry run leaves what the runs remember as it is', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    await upload(world, 'email\nopen@acme.example\n', key);
    await night();
    const before = world.store.texts().get(openInvitationsKey('acme'));
    expect(before).toContain('u1');
    world.clock.advance(hour);
    await night({ dryRun: true });
    expect(world.store.texts().get(openInvitationsKey('acme'))).toBe(before);
  });

  test('is nobody who has left and is disabled', async () => {
    world.api.users.set('left@acme.example', { id: 'u1', status: 'Disabled' });
    world.api.users.set('gone@acme.example', { id: 'u2', status: 'disabled' });
    await upload(world, 'email,status\nleft@acme.example,terminated\n', key);
    expect(driftOf(await night()).map((line) => line.split(',').slice(0, 4).join(' '))).toEqual([
      'not_in_roster gone@acme.example u2 disabled',
    ]);
  });

  test('is not an invitation that was renewed by somebody else', async () => {
    world.api.users.set('late@acme.example', { id: 'u1', status: 'expired' });
    await upload(world, 'email\nlate@acme.example\n', key);
    await night();
    world.clock.advance(day);
    world.api.users.set('late@acme.example', { id: 'u1', status: 'invited' });
    expect(driftOf(await night())).toEqual([]);
  });

  test('is an invitation that has expired, or has been open for too long since it was first seen', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    world.api.users.set('late@acme.example', { id: 'u2', status: 'Expired' });
    await upload(world, 'email\nopen@acme.example\nlate@acme.example\n', key);
    const kinds = async () => driftOf(await night()).map((line) => line.split(',').slice(0, 3).join(' '));
    expect(await kinds()).toEqual(['invitation_expired late@acme.example u2']);
    world.clock.advance(2 * day);
    expect(await kinds()).toEqual(['invitation_expired late@acme.example u2']);
    world.clock.advance(1000);
    expect(await kinds()).toEqual(['invitation_open open@acme.example u1', 'invitation_expired late@acme.example u2']);
  });

  test('of an upload that is no roster is nobody’s business', async () => {
    await runIngest(world, await upload(world, people(1)));
    await settleAll();
    expect([...world.store.texts().keys()].filter((name) => name.includes('drift'))).toEqual([]);
  });
});

describe('an invitation that is open for long', () => {
  const resend = { resendAfterMs: 5 * day };

  beforeEach(async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    await upload(world, 'email\nopen@acme.example\n', key);
  });

  test('is not sent again unless that was asked for', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    await night();
    world.clock.advance(4 * day);
    await night();
    expect(callsOf('resend')).toEqual([]);
  });

  test('is sent again once it is open for longer than asked, and then only after that time again', async () => {
    const nights: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      const before = callsOf('resend').length;
      await upload(world, 'email\nopen@acme.example\n', key);
      const jobId = await night(resend);
      if (callsOf('resend').length > before) {
        nights.push(count);
        expect(summaryOf(jobId)).toMatchObject({ counts: { resent: 1 } });
      }
      world.clock.advance(day);
    }
    expect(nights).toEqual([5, 10]);
    expect(callsOf('invite_user')).toEqual([]);
  });

  test('is sent again with a key of the job and the person, the same for each try', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    world.api.users.set('other@acme.example', { id: 'u2', status: 'expired' });
    await upload(world, 'email\nopen@acme.example\nother@acme.example\n', key);
    const answers = [{ kind: 'in_doubt', doubt: noAnswer }, undefined] as const;
    let tries = 0;
    world.api.onResend = () => answers[tries++];
    await night({ resendAfterMs: 2 * day - 1 });
    const calls = callsOf('resend');
    expect(calls).toHaveLength(3);
    expect(new Set(calls).size).toBe(2);
    for (const call of calls) expect(call).toMatch(/^resend_invitation u[12] [0-9a-f]{32}$/u);
    expect(new Set(calls.map((call) => call.split(' ').at(-1))).size).toBe(2);
  });

  test('is not sent again by two rosters within 48 hours', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    const other = 'incoming/rosters/other.csv';
    await upload(world, 'email\nopen@acme.example\n', other);
    await night({ resendAfterMs: hour });
    world.clock.advance(47 * hour);
    await runIngest(world, timeHasCome({ name: 'other', key: other, resendAfterMs: hour }));
    await settleAll();
    expect(callsOf('resend')).toHaveLength(1);
    const results = [...world.store.texts()].find(
      ([name]) => name.includes('other.csv/') && name.endsWith('results.csv'),
    );
    expect(results?.[1]).toContain('already_invited,resent_recently');
  });

  test('counts for the limit, and is named in a dry run', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    const dry = await night({ resendAfterMs: hour, dryRun: true });
    expect(world.store.texts().get(reportKey(key, dry, 'results.csv'))).toContain('already_exists,would_resend');
    world.clock.advance(day);
    const held = await night({ resendAfterMs: hour, newPeopleMax: 0 });
    expect(summaryOf(held)).toMatchObject({ state: 'held', hold: [{ code: 'too_many_new' }] });
    expect(callsOf('resend')).toEqual([]);
  });

  test.each([
    ['a dry run', { dryRun: true }],
    ['a held run', { newPeopleMax: 0 }],
  ])('is as old after %s as before it', async (_name, changes) => {
    await night(resend);
    world.clock.advance(5 * day + 1000);
    await night({ ...resend, ...changes });
    world.clock.advance(1000);
    await night(resend);
    expect(callsOf('resend')).toHaveLength(1);
  });

  test('that was sent again without any answer is unknown in the end, and nobody is looked up for it', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    await upload(world, 'email\nnew@acme.example\nopen@acme.example\n', key);
    world.api.onResend = () => ({ kind: 'in_doubt', doubt: noAnswer });
    expect(summaryOf(await night({ resendAfterMs: hour })).counts).toMatchObject({ invited: 1, unknown: 1 });
    expect(callsOf('find_user')).toEqual([]);
    expect(callsOf('resend')).toHaveLength(6);
  });

  test('is as old as it was where it was not sent again', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    world.api.onResend = () => ({ kind: 'key_refused', httpStatus: 401, message: 'no.' });
    expect(summaryOf(await night({ resendAfterMs: hour }))).toMatchObject({ error: { code: 'key_refused' } });
    world.clock.advance(day);
    world.api.onResend = () => undefined;
    expect(summaryOf(await night({ resendAfterMs: hour })).counts).toMatchObject({ resent: 1 });
  });

  test('was sent again by a run that was held and approved: from then on it is new', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    const held = await night({ resendAfterMs: 3 * day, newPeopleMax: 0 });
    expect(summaryOf(held).state).toBe('completed');
    world.clock.advance(day);
    const second = await night({ resendAfterMs: 2 * day, newPeopleMax: 0 });
    expect(summaryOf(second).state).toBe('held');
    await writeApproval(world.store, { jobId: second, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(second)));
    await settleAll();
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    for (const _ of [1, 2]) {
      world.clock.advance(23 * hour);
      expect(summaryOf(await night({ resendAfterMs: 2 * day, newPeopleMax: 0 })).state).toBe('completed');
    }
    expect(callsOf('resend')).toHaveLength(1);
  });

  test('is looked up first where a run was approved long after it looked', async () => {
    const { users } = world.api;
    for (const name of ['accepted', 'still', 'gone'])
      users.set(`${name}@acme.example`, { id: `u-${name}`, status: 'expired' });
    await upload(world, 'email\naccepted@acme.example\nstill@acme.example\ngone@acme.example\n', key);
    const jobId = await night({ resendAfterMs: hour, newPeopleMax: 0 });
    world.clock.advance(6 * hour);
    users.set('accepted@acme.example', { id: 'u-accepted', status: 'active' });
    users.delete('gone@acme.example');
    await writeApproval(world.store, { jobId, by: 'ann', atMs: world.clock.now() });
    await runIngest(world, decided(approvalKey(jobId)));
    await settleAll();
    expect(callsOf('find_user')).toHaveLength(3);
    expect(callsOf('resend').map((call) => call.split(' ')[1])).toEqual(['u-still']);
    expect(summaryOf(jobId).counts).toMatchObject({ resent: 1, already_active: 1, failed: 1 });
  });

  test('says nothing of new people where it is refused', async () => {
    const rows = ['email'];
    for (let index = 0; index < 60; index += 1) {
      world.api.users.set(`p${index}@acme.example`, { id: `u${index}`, status: 'expired' });
      rows.push(`p${index}@acme.example`);
    }
    world.api.onResend = () => ({ kind: 'refused', httpStatus: 400, message: 'accepted.' });
    await upload(world, `${rows.join('\n')}\nnew@acme.example\n`, key);
    expect(summaryOf(await night({ resendAfterMs: hour }))).toMatchObject({
      state: 'completed',
      counts: { rejected: 60, invited: 1 },
    });
  });

  test('that the API refuses to send again is rejected, unless an earlier try may have sent it', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'expired' });
    world.api.onResend = () => ({ kind: 'refused', httpStatus: 404, message: 'no such user.' });
    expect(summaryOf(await night({ resendAfterMs: hour })).counts).toMatchObject({ rejected: 1 });
    world.clock.advance(3 * day);
    const answers = [
      { kind: 'in_doubt', doubt: noAnswer } as const,
      { kind: 'refused', httpStatus: 404, message: 'no such user.' } as const,
    ];
    let tries = 0;
    world.api.onResend = () => answers[tries++];
    expect(summaryOf(await night({ resendAfterMs: hour })).counts).toMatchObject({ unknown: 1 });
  });
});

const noAnswer = {
  reason: 'no_answer',
  detail: 'no answer within 30 s',
  mayBeOurs: true,
  mayStillHappen: true,
} as const;
