/**
 * What the sandbox answers, as far as it is not seen in whole jobs.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { type CountingSandbox, startCountingSandbox } from '../support/command.ts';

let sandbox: CountingSandbox;

afterEach(async () => {
  await sandbox.close();
});

async function call(method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { authorization: 'Bearer test', ...headers },
  });
  return { status: response.status, body: (await response.json().catch(() => undefined)) as Record<string, unknown> };
}

async function resend(id: string, key?: string) {
  return await call('POST', `/iam/v1/users/${id}/actions/resend`, key === undefined ? {} : { 'idempotency-key': key });
}

function idOf(name: string): string {
  return sandbox.organization.find(`${name}@northlight.example`)?.id ?? '';
}

describe('sending an invitation again', () => {
  test('needs a key, and with the same key has effect once', async () => {
    sandbox = await startCountingSandbox();
    const id = idOf('sanna.lindqvist');
    expect(await resend(id)).toMatchObject({ status: 400, body: { error: 'the header Idempotency-Key is required' } });
    expect(sandbox.organization.find('sanna.lindqvist@northlight.example')).toMatchObject({ status: 'expired' });
    for (const _time of [1, 2]) expect((await resend(id, 'a')).status).toBe(200);
    expect(sandbox.organization.resends()).toBe(1);
    expect(sandbox.organization.find('sanna.lindqvist@northlight.example')).toMatchObject({ id, status: 'invited' });
    expect((await resend(id, 'b')).status).toBe(200);
    expect(sandbox.organization.resends()).toBe(2);
  });

  test('is refused for nobody, and for somebody who is active', async () => {
    sandbox = await startCountingSandbox();
    expect((await resend('nobody', 'a')).status).toBe(404);
    expect((await resend(idOf('tomas.brandt'), 'a')).status).toBe(400);
    expect((await call('GET', `/iam/v1/users/${idOf('sanna.lindqvist')}/actions/resend`)).status).toBe(404);
    expect(sandbox.organization.resends()).toBe(0);
  });

  test('misbehaves as an invitation does', async () => {
    sandbox = await startCountingSandbox({ errorAfter: 1 });
    const id = idOf('sanna.lindqvist');
    expect((await resend(id, 'a')).status).toBe(500);
    expect(sandbox.organization.resends()).toBe(1);
    expect((await resend('nobody', 'a')).status).toBe(404);
    await sandbox.close();
    sandbox = await startCountingSandbox({ errorBefore: 1 });
    expect((await resend(idOf('sanna.lindqvist'), 'a')).status).toBe(503);
    expect(sandbox.organization.resends()).toBe(0);
  });
});

test('the list of users tells the role and the organization of each', async () => {
  sandbox = await startCountingSandbox();
  const { body } = await call('GET', '/iam/v1/users');
  expect(body['users']).toContainEqual(
    expect.objectContaining({
      email: 'omar.haddad@northlight.example',
      roleId: 'role-tides',
      organizationId: 'org-observatory',
    }),
  );
});
