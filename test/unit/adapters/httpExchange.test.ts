import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type Exchange, exchange, type Request, readRetryAfter } from '../../../lambdas/adapters/httpExchange.ts';

const nowMs = Date.UTC(2026, 0, 31, 7, 5);

describe('what Retry-After asks for', () => {
  test.each([
    ['7', 7000],
    [' 7 ', 7000],
    ['0.5', 500],
    ['0', 0],
    ['-3', 0],
    ['Sat, 31 Jan 2026 07:05:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 07:05:00 GMT', 0],
    ['Sat, 31 Jan 2026 07:00:00 GMT', 0],
  ])('“%s” is %i ms', (header, ms) => {
    expect(readRetryAfter(header, nowMs)).toBe(ms);
  });

  test.each([null, '', '  ', 'soon', 'NaN', 'Infinity'])('%s is nothing', (header) => {
    expect(readRetryAfter(header, nowMs)).toBeUndefined();
  });
});

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server on a port of its own; gives its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return `http://127.0.0.1:${address.port}`;
}

const get = (changes: Partial<Request> = {}): Request => ({
  method: 'GET',
  path: '/users',
  bytesMax: 1000,
  ...changes,
});

async function ask(listener: RequestListener, changes: Partial<Request> = {}, timeoutMs = 5000): Promise<Exchange> {
  return await exchange(await serve(listener), get(changes), {}, timeoutMs);
}

async function textOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await request.toArray()).toString('utf-8');
}

const json = { 'content-type': 'application/json' };

describe('a call', () => {
  test('gives the status and the JSON of the answer', async () => {
    expect(await ask((_, response) => response.writeHead(201, json).end('{"id":"ü"}'))).toMatchObject({
      kind: 'answer',
      httpStatus: 201,
      json: { id: 'ü' },
    });
  });

  test('sends its headers, its query and its body, and says that the body is JSON', async () => {
    let seen: unknown;
    const url = await serve(async (request, response) => {
      const { method, url: path, headers } = request;
      seen = [method, path, headers.authorization, headers['content-type'], headers.accept, await textOf(request)];
      response.end('{}');
    });
    const request = get({ method: 'POST', path: '/users?email=a%2Bb', body: '{"email":"ü"}' });
    await exchange(`${url}//`, request, { authorization: 'Bearer key' }, 5000);
    expect(seen).toEqual([
      'POST',
      '/users?email=a%2Bb',
      'Bearer key',
      'application/json',
      'application/json',
      '{"email":"ü"}',
    ]);
  });

  test('passes on how long to wait', async () => {
    expect(await ask((_, response) => response.writeHead(429, { 'retry-after': '9' }).end())).toMatchObject({
      httpStatus: 429,
      retryAfterMs: 9000,
    });
  });

  test('without Retry-After says nothing about waiting', async () => {
    expect(await ask((_, response) => response.writeHead(429).end())).not.toHaveProperty('retryAfterMs');
  });
});

describe('an answer that is an error', () => {
  test.each([
    ['the API’s own sentence', '{"error":"no such\\nrole"}', 'no such role'],
    ['other JSON, as it stands', '{"message":"no"}', '{"message":"no"}'],
    ['plain text', 'upstream connect error', 'upstream connect error'],
    ['an HTML page', '\n<html><body>Bad Gateway</body></html>', 'an HTML page instead of a message.'],
    ['nothing', '', 'no message was given.'],
    ['blanks', ' \n ', 'no message was given.'],
    ['a long sentence, shortened', JSON.stringify({ error: 'x'.repeat(400) }), `${'x'.repeat(299)}…`],
  ])('is told in words: %s', async (_, text, errorMessage) => {
    expect(await ask((_request, response) => response.writeHead(502).end(text))).toMatchObject({
      kind: 'answer',
      httpStatus: 502,
      errorMessage,
    });
  });

  test('with an empty sentence says that no message was given', async () => {
    const answer = await ask((_, response) => response.writeHead(400, json).end('{"error":""}'));
    expect(answer).toMatchObject({ errorMessage: 'no message was given.' });
  });
});

describe('an answer that cannot be read is one all the same, because its status is known', () => {
  const unreadable = (httpStatus: number) => ({ kind: 'answer', httpStatus, json: undefined });

  test('not JSON', async () => {
    expect(await ask((_, response) => response.end('OK'))).toMatchObject(unreadable(200));
  });

  test('too large, by one byte', async () => {
    const text = JSON.stringify('x'.repeat(98));
    const answerWith = (bytesMax: number) => ask((_, response) => response.end(text), { bytesMax });
    expect(await answerWith(100)).toMatchObject({ json: 'x'.repeat(98) });
    expect(await answerWith(99)).toMatchObject(unreadable(200));
  });

  test('broken off in mid-body', async () => {
    const answer = await ask((_, response) => {
      response.writeHead(201, { ...json, 'content-length': 100 });
      response.write('{"user":', () => response.destroy());
    });
    expect(answer).toMatchObject(unreadable(201));
  });

  test('not whole when the time is up', async () => {
    const answer = await ask(
      (_, response) => {
        response.writeHead(200, json);
        response.write('{"user":');
      },
      {},
      150,
    );
    expect(answer).toMatchObject(unreadable(200));
  });
});

describe('no answer', () => {
  test('within the time', async () => {
    expect(await ask(() => undefined, {}, 100)).toEqual({ kind: 'no_answer', detail: 'no answer within 0.1 s' });
  });

  test('because nobody listens', async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await exchange(url, get(), {}, 5000)).toEqual({ kind: 'no_answer', detail: 'no answer (ECONNREFUSED)' });
  });

  test('because the connection was cut before one', async () => {
    expect(await ask((request) => request.socket.destroy())).toEqual({
      kind: 'no_answer',
      detail: 'no answer (UND_ERR_SOCKET)',
    });
  });

  test('because the address is none', async () => {
    expect(await exchange('no address', get(), {}, 5000)).toEqual({
      kind: 'no_answer',
      detail: 'no answer (ERR_INVALID_URL)',
    });
  });

  test('tells nothing of the key, whatever is wrong with it', async () => {
    const result = await exchange('http://127.0.0.1:9', get(), { authorization: 'Bearer secret\nsecond line' }, 5000);
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});

test('a redirect is not followed, because the key would travel with it', async () => {
  const paths: (string | undefined)[] = [];
  const result = await ask((request, response) => {
    paths.push(request.url);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect(result).toMatchObject({ kind: 'answer', httpStatus: 302 });
  expect(paths).toEqual(['/users']);
});
