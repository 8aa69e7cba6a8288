import { describe, expect, test } from 'vitest';
import { takeSnapshot, type Wanted } from '../../../lambdas/ingest/takeSnapshot.ts';
import { readDirectory } from '../../../lambdas/ledger/directory.ts';
import { jobId } from '../../support/ownedChunk.ts';
import { newWorld, type World } from '../../support/world.ts';

const roles = [{ id: 'role-1', name: 'Standard User' }];
const organizations = [{ id: 'root', name: 'Acme' }];

async function snapshot(world: World, wanted: Partial<Wanted> = {}) {
  const { store, clock, api } = world;
  return await takeSnapshot(store, clock, api, jobId, {
    roles: false,
    organizations: false,
    access: false,
    invitations: true,
    ...wanted,
  });
}

describe('a directory snapshot', () => {
  test.each([
    [{}, {}],
    [{ roles: true }, { roles }],
    [{ organizations: true }, { organizations }],
    [
      { roles: true, organizations: true },
      { roles, organizations },
    ],
  ])('holds what is wanted of it and nothing else: %o', async (wanted, named) => {
    const world = newWorld();
    world.api.users.set('a@acme.example', { id: 'user-1', status: 'active' });
    const taken = await snapshot(world, wanted);
    expect(taken).toStrictEqual({
      takenAtMs: world.clock.now(),
      overlaps: false,
      users: [{ email: 'a@acme.example', id: 'user-1', status: 'active' }],
      ...named,
    });
    expect(await readDirectory(world.store, jobId)).toStrictEqual(taken);
  });

  test('is the one that was taken first, without another call', async () => {
    const world = newWorld();
    const first = await snapshot(world, { organizations: true });
    world.api.users.set('late@acme.example', { id: 'user-1', status: 'active' });
    world.api.calls.splice(0);
    world.clock.advance(60_000);
    expect(await snapshot(world, { organizations: true })).toStrictEqual(first);
    expect(world.api.calls).toEqual([]);
  });

  test.each([
    [401, 'key_refused', 'Put a valid one in its place'],
    [403, 'key_forbidden', 'needs a role that may read and invite users'],
    [404, 'api_request_refused', 'Check the address of the API and the tenant'],
  ])('that is refused with status %i ends the upload as %s, with what to do next', async (httpStatus, code, next) => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'refused', httpStatus, message: 'no.' });
    await expect(snapshot(world)).rejects.toMatchObject({
      name: 'WholeFileFault',
      fault: {
        code,
        message: expect.stringMatching(
          new RegExp(`^The API refused to validate the key with status ${httpStatus}: no\\. .*${next}`, 'u'),
        ),
      },
    });
    expect(await readDirectory(world.store, jobId)).toBeUndefined();
  });

  test('is asked for later where the API is not there', async () => {
    const world = newWorld();
    world.api.onRead = () =>
      world.api.calls.at(-1) === 'list_users' ? { kind: 'unavailable', detail: 'status 503' } : undefined;
    await expect(snapshot(world)).rejects.toMatchObject({
      name: 'ApiUnavailable',
      message: 'The API could not list the users: status 503.',
    });
  });
});
