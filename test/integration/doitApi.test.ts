/**
 * The client of the DoiT API against a server that answers whatever a test wants.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DoitApiSettings } from '../../lambdas/adapters/doitClient.ts';
import { apiLimits } from '../../lambdas/core/limits.ts';
import { connectDoitApi } from '../support/doitApi.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let apiUrl: string;
let reply: (response: ServerResponse) => void;
let seen: Seen[];
let counted: string[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body: (await Array.fromAsync(request)).join('') });
    reply(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen = [];
  counted = [];
});

function api(changes: Partial<DoitApiSettings> = {}) {
  const connect = connectDoitApi({ apiUrl, callTimeoutMs: 300, ...changes }, async () => 'the-key');
  return connect((operation, answer) => counted.push(`${operation} ${answer}`));
}

function answerWith(status: number, body: unknown, headers: Record<string, string> = {}): void {
  reply = (response) => {
    response.writeHead(status, headers);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

const invitee = { email: 'ada@acme.example', firstName: 'Ada', roleId: 'role-1' };
const created = { message: 'ok', user: { id: 'user-1', email: 'Ada@acme.example', status: 'invited', more: true } };

describe('an invitation', () => {
  test('is sent as documented, with the key and the tenant', async () => {
    answerWith(201, created);
    await api({ tenantId: 'acme' }).invite(invitee);
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/iam/v1/users/invite',
        headers: { authorization: 'Bearer the-key', 'x-tenant-id': 'acme', 'content-type': 'application/json' },
      },
    ]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(invitee);
    expect(counted).toEqual(['invite_user 201']);
  });

  test.each([
    [201, created, { kind: 'invited', httpStatus: 201, userId: 'user-1' }],
    [200, created, { kind: 'invited', httpStatus: 200, userId: 'user-1' }],
    [400, { error: 'bad role' }, { kind: 'refused', httpStatus: 400, message: 'bad role' }],
    [403, { error: 'no' }, { kind: 'refused', httpStatus: 403, message: 'no' }],
    [401, { error: 'invalid API key' }, { kind: 'key_refused', httpStatus: 401 }],
    [429, '', { kind: 'slow_down' }],
    [
      500,
      { error: 'oops' },
      { kind: 'in_doubt', doubt: { reason: 'server_error', httpStatus: 500, mayStillHappen: false } },
    ],
    [409, { error: 'conflict' }, { kind: 'in_doubt', doubt: { reason: 'server_error', mayStillHappen: false } }],
    [502, '<html>bad gateway</html>', { kind: 'in_doubt', doubt: { mayStillHappen: true } }],
    [503, '', { kind: 'in_doubt', doubt: { mayStillHappen: true } }],
    [504, '', { kind: 'in_doubt', doubt: { mayStillHappen: true } }],
    [524, '<html></html>', { kind: 'in_doubt', doubt: { mayStillHappen: true } }],
    [302, '', { kind: 'in_doubt', doubt: { httpStatus: 302 } }],
    [200, 'not JSON', { kind: 'in_doubt', doubt: { reason: 'unreadable_answer' } }],
    [201, { user: null }, { kind: 'in_doubt', doubt: { reason: 'unreadable_answer' } }],
    [201, { user: { id: 'user-2', email: 'someone.else@acme.example' } }, { kind: 'in_doubt' }],
    [200, { user: { id: 'user-1', email: 'ada@acme.example', status: 'active' } }, { kind: 'in_doubt' }],
    [201, 'x'.repeat(apiLimits.answerBytesMax + 1), { kind: 'in_doubt', doubt: { reason: 'unreadable_answer' } }],
  ])('answered with %i %j means %j', async (status, body, meaning) => {
    answerWith(status, body, { location: '/elsewhere' });
    expect(await api().invite(invitee)).toMatchObject(meaning);
    expect(seen).toHaveLength(1);
    expect(counted).toEqual([`invite_user ${status}`]);
  });

  test('answered with Retry-After asks for that wait', async () => {
    answerWith(429, '', { 'retry-after': '7' });
    expect(await api().invite(invitee)).toEqual({ kind: 'slow_down', retryAfterMs: 7000 });
  });

  test('without an answer in time is in doubt', async () => {
    reply = () => undefined;
    const doubt = { reason: 'no_answer', detail: 'no answer within 0.3 s', mayBeOurs: true, mayStillHappen: true };
    expect(await api().invite(invitee)).toEqual({ kind: 'in_doubt', doubt });
    expect(counted).toEqual(['invite_user no_answer']);
  });

  test('whose connection breaks is in doubt', async () => {
    reply = (response) => response.destroy();
    expect(await api().invite(invitee)).toMatchObject({ kind: 'in_doubt', doubt: { reason: 'no_answer' } });
  });

  test('answered forever is in doubt when the time is over', async () => {
    reply = (response) => {
      response.writeHead(201);
      const writing = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(writing));
    };
    expect(await api().invite(invitee)).toMatchObject({ kind: 'in_doubt' });
  });
});

describe('a key that the API no longer takes', () => {
  /** Gives what the secret holds at the time of each refusal. */
  function keys(...later: string[]) {
    const refused: string[] = [];
    const readKey = async (refusedKey?: string) => {
      if (refusedKey !== undefined) refused.push(refusedKey);
      return refusedKey === undefined ? 'old-key' : (later.shift() ?? refusedKey);
    };
    return { readKey, refused };
  }

  function acceptOnly(key: string): void {
    reply = (response) => {
      const isRight = seen.at(-1)?.headers.authorization === `Bearer ${key}`;
      response.writeHead(isRight ? 201 : 401);
      response.end(JSON.stringify(isRight ? created : { error: 'invalid API key' }));
    };
  }

  test('is replaced by a new one, and the call is made once more', async () => {
    const { readKey, refused } = keys('new-key');
    acceptOnly('new-key');
    const connect = connectDoitApi({ apiUrl, callTimeoutMs: 300 }, readKey);
    const client = connect((operation, answer) => counted.push(`${operation} ${answer}`));
    expect(await client.invite(invitee)).toMatchObject({ kind: 'invited' });
    expect(refused).toEqual(['old-key']);
    expect(counted).toEqual(['invite_user 401', 'invite_user 201']);
  });

  test('is not tried again where there is no other, nor is a new one that is refused as well', async () => {
    acceptOnly('another');
    for (const [later, calls] of [
      [[], 1],
      [['new-key', 'third-key'], 2],
    ] as const) {
      seen = [];
      const connect = connectDoitApi({ apiUrl, callTimeoutMs: 300 }, keys(...later).readKey);
      expect(await connect(() => undefined).invite(invitee)).toMatchObject({ kind: 'key_refused' });
      expect(seen).toHaveLength(calls);
    }
  });

  test('costs the call no more time than it has: the lease of a chunk was measured by that', async () => {
    const readKey = async (refusedKey?: string) => {
      if (refusedKey === undefined) return 'old-key';
      await new Promise((resolve) => setTimeout(resolve, 200));
      return 'new-key';
    };
    reply = (response) => {
      if (seen.length > 1) return;
      response.writeHead(401);
      response.end();
    };
    const startedAtMs = Date.now();
    const client = connectDoitApi({ apiUrl, callTimeoutMs: 400 }, readKey)(() => undefined);
    expect(await client.invite(invitee)).toMatchObject({ kind: 'in_doubt' });
    expect(seen).toHaveLength(2);
    expect(Date.now() - startedAtMs).toBeLessThan(550);

    seen = [];
    const hurried = connectDoitApi({ apiUrl, callTimeoutMs: 150 }, readKey)(() => undefined);
    expect(await hurried.invite(invitee)).toMatchObject({ kind: 'key_refused' });
    expect(seen).toHaveLength(1);
  });
});

test('every call tells how long it took', async () => {
  const times: number[] = [];
  reply = (response) => setTimeout(() => response.end(JSON.stringify({ users: [] })), 50);
  const connect = connectDoitApi({ apiUrl, callTimeoutMs: 300 }, async () => 'the-key');
  await connect((_operation, _answer, tookMs) => times.push(tookMs)).findUser('ada@acme.example');
  expect(times).toHaveLength(1);
  expect(times[0]).toBeGreaterThanOrEqual(45);
  expect(times[0]).toBeLessThan(300);
});

describe('a look-up', () => {
  test('asks for the email as a query', async () => {
    answerWith(200, { users: [] });
    await api().findUser('ada+x@acme.example');
    expect(seen[0]?.url).toBe('/iam/v1/users?email=ada%2Bx%40acme.example');
  });

  test.each([
    [
      200,
      { users: [{ id: 'user-1', email: 'ADA@acme.example', status: 'Active' }] },
      { kind: 'found', userId: 'user-1', userStatus: 'Active' },
    ],
    [200, { users: [] }, { kind: 'not_found' }],
    [200, { users: null }, { kind: 'not_found' }],
    [200, {}, { kind: 'not_found' }],
    [200, { users: [{ id: 'user-2', email: 'other@acme.example', status: 'active' }] }, { kind: 'not_found' }],
    [200, 'not JSON', { kind: 'unavailable' }],
    [200, [], { kind: 'unavailable' }],
    [401, { error: 'no' }, { kind: 'key_refused' }],
    [403, { error: 'no' }, { kind: 'refused', httpStatus: 403 }],
    [429, '', { kind: 'slow_down' }],
    [503, '', { kind: 'unavailable' }],
  ])('answered with %i %j means %j', async (status, body, meaning) => {
    answerWith(status, body);
    expect(await api().findUser('ada@acme.example')).toMatchObject(meaning);
  });
});

describe('a list', () => {
  test('may be absent or null when it is empty, and its entries may have fields that nobody knows', async () => {
    answerWith(200, { rowCount: 0 });
    expect(await api().listUsers()).toEqual({ kind: 'read', value: [] });
    answerWith(200, { roles: null });
    expect(await api().listRoles()).toEqual({ kind: 'read', value: [] });
    answerWith(200, { organizations: [{ id: 'root', name: 'Acme', color: 'red' }] });
    expect(await api().listOrganizations()).toEqual({ kind: 'read', value: [{ id: 'root', name: 'Acme' }] });
    answerWith(200, { users: [{ id: 'user-1', email: 'a@acme.example', status: null }] });
    expect(await api().listUsers()).toEqual({
      kind: 'read',
      value: [{ id: 'user-1', email: 'a@acme.example', status: '' }],
    });
  });

  test.each([
    [401, 'refused'],
    [400, 'refused'],
    [302, 'refused'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [524, 'unavailable'],
  ])('answered with %i is %s', async (status, kind) => {
    answerWith(status, { error: 'because' });
    expect(await api().validateKey()).toMatchObject({ kind });
  });

  test('that cannot be read is not taken for an empty one', async () => {
    const cut = '{"users":[{"id":"1","email":"a@acme.example"}],"rowCount":2}';
    for (const body of ['', '<html></html>', '{"users":{}}', '{"users":[{"id":1}]}', '[]', cut]) {
      answerWith(200, body);
      expect(await api().listUsers()).toMatchObject({ kind: 'unavailable' });
    }
  });
});
