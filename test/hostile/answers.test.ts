/**
 * Answers that no sound API gives, through the real client against a server of the test: they take no more time and memory
 * than is allowed, and are read as what they are. An invitation without a clear answer is in doubt, whatever came.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emailKey } from '../../lambdas/core/email.ts';
import { apiLimits } from '../../lambdas/core/limits.ts';
import { newPace, slowedDown } from '../../lambdas/core/pace.ts';
import { connectDoitApi } from '../support/doitApi.ts';

/** For answers that do not come; others get plenty of time on a busy machine. */
const shortMs = 100;
const plentyMs = 10_000;
const email = 'ada@acme.example';

let server: Server;
let apiUrl: string;
/** Called with the connection once a request has come. */
let answer: (socket: Socket) => void;
/** Bytes that were handed to the network, and were taken by the client or lie in a buffer on the way. */
let bytesSent: number;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

beforeEach(() => {
  bytesSent = 0;
});

const api = (callTimeoutMs = plentyMs) =>
  connectDoitApi({ apiUrl, callTimeoutMs }, async () => 'the-key')(() => undefined);

type Raw = string | Uint8Array;

/** Sends these bytes and closes, or holds the connection. */
function raw(head: string, body: Raw = '', isHeld = false): void {
  answer = (socket) => {
    socket.write(`${head.replaceAll('\n', '\r\n')}\r\n\r\n`);
    socket.write(body);
    if (!isHeld) socket.end();
  };
}

/** An answer as HTTP has it. */
function respond(status: number, body: Raw, headers = ''): void {
  raw(
    `HTTP/1.1 ${status} X\nConnection: close\nContent-Length: ${Buffer.byteLength(body)}${headers && `\n${headers}`}`,
    body,
  );
}

/** Writes the piece again and again, as fast as the client takes it or once in so many milliseconds. */
function endless(head: string, piece: Raw, everyMs = 0): void {
  answer = (socket) => {
    socket.write(head.replaceAll('\n', '\r\n'));
    const next = () => {
      if (socket.destroyed) return;
      bytesSent += Buffer.byteLength(piece);
      socket.write(piece, () => setTimeout(next, everyMs));
    };
    next();
  };
}

async function timed<T>(call: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const beganAtMs = performance.now();
  const result = await call();
  return { result, ms: performance.now() - beganAtMs };
}

const spaces = Buffer.alloc(64 * 1024, ' ');
const chunkOfSpaces = Buffer.concat([Buffer.from('10000\r\n'), spaces, Buffer.from('\r\n')]);
const ok = 'HTTP/1.1 201 Created\nConnection: close\n';
const created = { message: 'ok', user: { id: 'user-1', email, status: 'invited' } };

/** What each means for an invitation, and for a look-up. */
type Meaning = readonly [invite: string, find: string];
const unreadable: Meaning = ['unreadable_answer', 'unavailable'];
const none: Meaning = ['no_answer', 'unavailable'];

async function meaningOfAnswer(callTimeoutMs = plentyMs): Promise<Meaning> {
  const invite = await timed(() => api(callTimeoutMs).invite({ email }));
  const find = await timed(() => api(callTimeoutMs).findUser(email));
  // A busy machine may be late, but not by the size of what comes.
  for (const { ms } of [invite, find]) expect(ms).toBeLessThan(callTimeoutMs + 1000);
  const { result } = invite;
  return [result.kind === 'in_doubt' ? result.doubt.reason : result.kind, find.result.kind];
}

describe('an answer that does not end', () => {
  test.each<readonly [string, string, Raw, number, Meaning]>([
    ['without a length, as fast as it is taken', `${ok}\n`, spaces, 0, unreadable],
    ['in chunks', `${ok}Transfer-Encoding: chunked\n\n`, chunkOfSpaces, 0, unreadable],
    ['with a length of a terabyte', `${ok}Content-Length: 1099511627776\n\n`, spaces, 0, unreadable],
    ['a byte at a time', `${ok}\n`, ' ', 20, unreadable],
    ['in its headers', ok, 'X-More: 1\r\n', 0, none],
    ['in its headers, a byte at a time', ok, 'x', 20, none],
    ['in one header', `${ok}X-Long: `, 'x'.repeat(64 * 1024), 0, none],
    ['because hints come first, for ever', '', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', 5, none],
    ['because it is not HTTP at all', 'SSH-2.0-OpenSSH_9.9\n', 'x'.repeat(1000), 5, none],
  ])('%s takes its time and no more', async (_what, head, piece, everyMs, meaning) => {
    endless(head, piece, everyMs);
    expect(await meaningOfAnswer(shortMs)).toEqual(meaning);
    // What is read, and what the buffers of two connections hold.
    expect(bytesSent).toBeLessThan(32 * 1024 * 1024);
  });

  test('never comes after a status line that is half', async () => {
    raw('HTTP/1.1 2', '', true);
    expect(await meaningOfAnswer(shortMs)).toEqual(none);
  });

  test('for a list takes four times as long and is no empty list', async () => {
    endless('HTTP/1.1 200 OK\nConnection: close\n\n', '{"users":[]', 10);
    const { result, ms } = await timed(() => api(shortMs).listUsers());
    expect(result).toMatchObject({ kind: 'unavailable' });
    expect(ms).toBeLessThan(shortMs * apiLimits.listTimeoutFactor + 1000);
  });

  test('that says no is a no, because its status is known', async () => {
    endless('HTTP/1.1 403 Forbidden\nConnection: close\n\n', spaces);
    expect(await api(shortMs).invite({ email })).toEqual({
      kind: 'refused',
      httpStatus: 403,
      message: 'no message was given.',
    });
  });
});

describe('an answer whose length is wrong', () => {
  const body = JSON.stringify(created);

  test.each<readonly [string, string, Meaning]>([
    ['too short', 'Content-Length: 20', unreadable],
    ['too long, and then the end', 'Content-Length: 2000', unreadable],
    ['nothing', 'Content-Length: 0', unreadable],
    ['negative', 'Content-Length: -1', none],
    ['no number', 'Content-Length: many', none],
    ['two numbers', 'Content-Length: 20\nContent-Length: 30', none],
    ['a chunk that is none', 'Transfer-Encoding: chunked', unreadable],
  ])('by being %s is not half believed', async (_what, header, meaning) => {
    raw(`${ok}${header}`, body);
    expect(await meaningOfAnswer()).toEqual(meaning);
  });
});

describe('an answer that is packed', () => {
  test.each<readonly [string, Raw]>([
    ['and is not', JSON.stringify(created)],
    ['and is cut off', gzipSync(JSON.stringify(created)).subarray(0, 40)],
    ['and unpacks to far more', gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))],
  ])('%s cannot be read', async (_what, body) => {
    respond(201, body, 'Content-Encoding: gzip');
    const before = process.memoryUsage().arrayBuffers;
    expect(await meaningOfAnswer()).toEqual(unreadable);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48 * 1024 * 1024);
  });
});

describe('an answer that is not the JSON that was expected', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const prototype = JSON.stringify(created).replace('"user"', '"__proto__"');

  test.each<readonly [string, Raw]>([
    ['nothing', ''],
    ['a page', '<html><body>OK</body></html>'],
    ['text', 'invited'],
    ['null', 'null'],
    ['a list', `[${JSON.stringify(created)}]`],
    ['cut off', JSON.stringify(created).slice(0, -1)],
    ['twice', JSON.stringify(created).repeat(2)],
    ['in UTF-16', Buffer.from(JSON.stringify(created), 'utf16le')],
    ['with a byte order mark', `\ufeff${JSON.stringify(created)}`],
    ['a list of users', JSON.stringify({ user: [created.user] })],
    ['a user without an id', JSON.stringify({ user: { email } })],
    ['a user with a number for an id', JSON.stringify({ user: { ...created.user, id: 1 } })],
    ['a user with an empty id', JSON.stringify({ user: { ...created.user, id: '' } })],
    ['a user with another address', JSON.stringify({ user: { ...created.user, email: 'eve@acme.example' } })],
    ['a user with an object for an address', JSON.stringify({ user: { ...created.user, email: { toString: email } } })],
    ['a user with a list of states', JSON.stringify({ user: { ...created.user, status: ['invited'] } })],
    ['a user who was there before', JSON.stringify({ user: { ...created.user, status: 'active' } })],
    ['brackets, thirty thousand deep', deep(30_000)],
    ['a user, thirty thousand deep', `{"user":${deep(30_000)}}`],
    ['a user in a prototype', prototype],
    ['a user whose fields are in a prototype', `{"user":{"__proto__":${JSON.stringify(created.user)}}}`],
    ['a constructor', '{"user":{"constructor":{"prototype":{"id":"x"}}}}'],
    [
      'a user with an address as long as the answer',
      JSON.stringify({ user: { ...created.user, email: `${'ü'.repeat(30_000)}@${'ü'.repeat(1000)}.example` } }),
    ],
  ])('%s leaves an invitation in doubt', async (_what, body) => {
    for (const status of [200, 201]) {
      respond(status, body);
      const { result, ms } = await timed(() => api().invite({ email }));
      expect(result).toMatchObject({
        kind: 'in_doubt',
        doubt: { reason: 'unreadable_answer', mayBeOurs: true, mayStillHappen: true },
      });
      expect(ms).toBeLessThan(2000);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty('id');
  });

  test.each<readonly [string, string]>([
    ['a text for the users', '{"users":"none"}'],
    ['an object for the users', '{"users":{"length":0}}'],
    ['a user without an id', `{"users":[{"email":"${email}"}]}`],
    ['a user in a prototype', `{"users":[{"__proto__":{"id":"1","email":"${email}"}}]}`],
    ['fewer users than it says', '{"users":[],"rowCount":1}'],
    ['more users than it says', `{"users":[{"id":"1","email":"${email}"}],"rowCount":0}`],
    ['a count that is none', '{"users":[],"rowCount":"0"}'],
    ['brackets, thirty thousand deep', `{"users":${deep(30_000)}}`],
  ])('%s proves nothing of a person, and is no directory', async (_what, body) => {
    respond(200, body);
    expect(await api().findUser(email)).toMatchObject({ kind: 'unavailable' });
    expect(await api().listUsers()).toMatchObject({ kind: 'unavailable' });
  });

  test('of any shape is a success only where it names this very person as invited', async () => {
    const anyUser = fc.record(
      {
        id: fc.oneof(fc.constant('user-1'), fc.constant(''), fc.jsonValue()),
        email: fc.oneof(fc.constantFrom(email, 'ADA@acme.example', 'eve@acme.example'), fc.jsonValue()),
        status: fc.oneof(fc.constantFrom('invited', 'Invited', 'active', null), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const anyAnswer = fc.oneof(
      { weight: 3, arbitrary: fc.record({ user: anyUser, message: fc.jsonValue() }, { requiredKeys: [] }) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
    const property = fc.asyncProperty(anyAnswer, async (json) => {
      respond(201, JSON.stringify(json));
      const { kind } = await api().invite({ email });
      expect(kind).toBe(namesInvited(json) ? 'invited' : 'in_doubt');
    });
    await fc.assert(property, { numRuns: 150 });
  });
});

describe('a status that is not one', () => {
  test.each([
    [299, 'invited'],
    [204, 'unreadable_answer'],
    [300, 'server_error'],
    [304, 'server_error'],
    [499, 'refused'],
    [599, 'server_error'],
    [600, 'server_error'],
    [999, 'server_error'],
  ])('%i means %s', async (status, meaning) => {
    respond(status, status === 204 || status === 304 ? '' : JSON.stringify(created));
    expect((await meaningOfAnswer())[0]).toBe(meaning);
  });

  test.each(['HTTP/1.1 099 X', 'HTTP/1.1 20 X', 'HTTP/1.1 2O1 X', 'HTTP/9.9 201 X', 'HTTP/1.1 -201 X', 'ICY 201 X'])(
    '“%s” is no answer, or none that counts',
    async (line) => {
      raw(`${line}\nConnection: close`, JSON.stringify(created));
      expect(['no_answer', 'server_error']).toContain((await meaningOfAnswer())[0]);
    },
  );
});

describe('a wait that is asked for', () => {
  test.each(
    [
      ...[
        'soon',
        '',
        ' ',
        '-1',
        '-1e300',
        '0',
        '1e300',
        '1e999',
        '99999999999999999999',
        'NaN',
        'Infinity',
        '0x7fffffff',
      ],
      ...[
        '1, 2',
        '1;2',
        '5 minutes',
        'Sat, 31 Dec 9999 23:59:59 GMT',
        'Thu, 01 Jan 1970 00:00:00 GMT',
        '+275761-01-01',
      ],
      ...['{"seconds":1}', '__proto__', '9'.repeat(4000), '\u00ff\u00fe'],
    ].map((header) => [header.slice(0, 40), header]),
  )('as “%s” is kept between two seconds and a minute', async (_shown, header) => {
    respond(429, '', `Retry-After: ${header}`);
    const result = await api().invite({ email });
    if (result.kind !== 'slow_down') throw new Error(`It was read as ${result.kind}.`);
    const nowMs = 1_000_000;
    const { heldUntilMs } = slowedDown(newPace(0), nowMs, nowMs, result.retryAfterMs);
    expect(heldUntilMs - nowMs).toBeGreaterThanOrEqual(apiLimits.retryAfterMinMs);
    expect(heldUntilMs - nowMs).toBeLessThanOrEqual(apiLimits.retryAfterMaxMs);
  });

  test('twice is kept within the same bounds', async () => {
    respond(429, '', 'Retry-After: 5\nRetry-After: 1e9');
    expect(await api().invite({ email })).toMatchObject({ kind: 'slow_down' });
  });
});

describe('a message that comes with a no', () => {
  test.each([
    ['a terminal’s escapes', '\u001b]0;owned\u0007\u001b[2J\u009b31mred'],
    ['a line of a log', 'no"}\n{"level":"INFO","message":"job_reported"}'],
    ['orders to write backwards', '\u202eevil\u2066'],
    ['a formula', '=HYPERLINK("http://evil.example","click")'],
    ['a page', '<img src=x onerror=alert(1)>'],
    ['a message of megabytes', 'x'.repeat(60_000)],
    ['characters that are none', '\ud800\udfff\ufffe'],
  ])('with %s is one line of at most 300 characters', async (_what, text) => {
    for (const body of [JSON.stringify({ error: text }), text]) {
      respond(400, body);
      const result = await api().invite({ email });
      if (result.kind !== 'refused') throw new Error(`It was read as ${result.kind}.`);
      expect([...result.message].length).toBeLessThanOrEqual(apiLimits.quotedMessageMax);
      expect(result.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
  });

  test.each([
    '{"error":{"message":"no"}}',
    '{"error":["no"]}',
    '{"error":null}',
    '{"__proto__":{"error":"no"}}',
    '[]',
    '0',
  ])('as %s is quoted as it stands', async (body) => {
    respond(400, body);
    expect(await api().invite({ email })).toEqual({ kind: 'refused', httpStatus: 400, message: body });
  });
});

function namesInvited(json: unknown): boolean {
  const { user } = (json ?? {}) as { user?: { id?: unknown; email?: unknown; status?: unknown } };
  if (typeof user !== 'object' || user === null || typeof user.id !== 'string' || user.id === '') return false;
  if (typeof user.email !== 'string' || emailKey(user.email) !== email) return false;
  const { status = 'invited' } = user;
  return status === null || (typeof status === 'string' && status.toLowerCase() === 'invited');
}
