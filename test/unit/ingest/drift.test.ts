import { beforeEach, describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { openInvitationsKey } from '../../../lambdas/core/keys.ts';
import {
  callsOf,
  day,
  driftOf,
  hour,
  night,
  people,
  rosterUploadKey,
  settleAll,
  summaryOf,
  timeHasCome,
} from '../../support/nights.ts';
import { jobIdsOf, runIngest, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

let world: World;

beforeEach(() => {
  world = newWorld({ keepsVersions: true });
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
    await upload(world, `${rows.join('\n')}\n`, rosterUploadKey);
    const jobId = await night(world);
    expect(driftOf(world, jobId)).toEqual([
      'role_differs,role@acme.example,u4,active,4,Standard User,role-9,,has another role than the roster says',
      'not_in_roster,gone@acme.example,u2,active,,,,,"in the directory, and not in the roster"',
      'left_in_roster,left@acme.example,u3,active,3,,,,"in the directory, and the roster says that this person has left or is disabled"',
    ]);
    expect(summaryOf(world, jobId).drift).toEqual({
      not_in_roster: 1,
      left_in_roster: 1,
      role_differs: 1,
      organization_differs: 0,
      invitation_expired: 0,
      invitation_open: 0,
    });
    expect(summaryOf(world, jobId).files.map(({ name, rows: count }) => [name, count])).toContainEqual([
      'drift.csv',
      3,
    ]);
    expect(callsOf(world, 'invite_user')).toEqual(['invite_user new@acme.example']);
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
    await upload(world, `${rows.join('\n')}\n`, rosterUploadKey);
    expect(driftOf(world, await night(world)).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
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
    await upload(world, `${rows.join('\n')}\n`, rosterUploadKey);
    await runIngest(world, timeHasCome(world), { allowedDomains: ['acme.example'] });
    await settleAll(world);
    const [jobId] = jobIdsOf(world);
    expect(driftOf(world, jobId as JobId).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      'not_in_roster gone@acme.example',
    ]);
    expect(summaryOf(world, jobId as JobId).warnings.join()).toContain('1 row names nobody who could be found');
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
    await upload(world, `${rows.join('\n')}\n`, rosterUploadKey);
    const jobId = await night(world);
    expect(summaryOf(world, jobId).counts).toMatchObject({ invalid: 2 });
    expect(driftOf(world, jobId).map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      'not_in_roster gone@acme.example',
    ]);
  });

  test('of a dry run leaves what the runs remember as it is', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    await upload(world, 'email\nopen@acme.example\n', rosterUploadKey);
    await night(world);
    const before = world.store.texts().get(openInvitationsKey('acme'));
    expect(before).toContain('u1');
    world.clock.advance(hour);
    await night(world, { dryRun: true });
    expect(world.store.texts().get(openInvitationsKey('acme'))).toBe(before);
  });

  test('is nobody who has left and is disabled', async () => {
    world.api.users.set('left@acme.example', { id: 'u1', status: 'Disabled' });
    world.api.users.set('gone@acme.example', { id: 'u2', status: 'disabled' });
    await upload(world, 'email,status\nleft@acme.example,terminated\n', rosterUploadKey);
    expect(driftOf(world, await night(world)).map((line) => line.split(',').slice(0, 4).join(' '))).toEqual([
      'not_in_roster gone@acme.example u2 disabled',
    ]);
  });

  test('is not an invitation that was renewed by somebody else', async () => {
    world.api.users.set('late@acme.example', { id: 'u1', status: 'expired' });
    await upload(world, 'email\nlate@acme.example\n', rosterUploadKey);
    await night(world);
    world.clock.advance(day);
    world.api.users.set('late@acme.example', { id: 'u1', status: 'invited' });
    expect(driftOf(world, await night(world))).toEqual([]);
  });

  test('is an invitation that has expired, or has been open for too long since it was first seen', async () => {
    world.api.users.set('open@acme.example', { id: 'u1', status: 'invited' });
    world.api.users.set('late@acme.example', { id: 'u2', status: 'Expired' });
    await upload(world, 'email\nopen@acme.example\nlate@acme.example\n', rosterUploadKey);
    const kinds = async () => driftOf(world, await night(world)).map((line) => line.split(',').slice(0, 3).join(' '));
    expect(await kinds()).toEqual(['invitation_expired late@acme.example u2']);
    world.clock.advance(2 * day);
    expect(await kinds()).toEqual(['invitation_expired late@acme.example u2']);
    world.clock.advance(1000);
    expect(await kinds()).toEqual(['invitation_open open@acme.example u1', 'invitation_expired late@acme.example u2']);
  });

  test('of an upload that is no roster is nobody’s business', async () => {
    await runIngest(world, await upload(world, people(1)));
    await settleAll(world);
    expect([...world.store.texts().keys()].filter((name) => name.includes('drift'))).toEqual([]);
  });
});
