import { describe, expect, test } from 'vitest';
import { addConditionalWrites } from '../../../cli/local/conditionalWrites.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../../../cli/local/fastify.ts';

type PreHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
type OnSend = (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void) => void;

/** A server in which a test decides when each step of a request happens. */
function fakeServer() {
  const hooks: { preHandler?: PreHandler; onSend?: OnSend } = {};
  const etags = new Map<string, string>();
  const app: FastifyInstance = {
    addHook: (name: 'onRequest' | 'preHandler' | 'onSend', hook: PreHandler | OnSend) =>
      Object.assign(hooks, { [name]: hook }),
    inject: async ({ url }) => {
      const etag = etags.get(url);
      // Slow, so that others come in between.
      await new Promise((resolve) => setImmediate(resolve));
      return etag === undefined ? { statusCode: 404, headers: {} } : { statusCode: 200, headers: { etag } };
    },
    listen: async () => '',
  };
  addConditionalWrites(app, 'key');

  async function request(
    method: string,
    url: string,
    headers: FastifyRequest['headers'],
    etag: string,
  ): Promise<number> {
    const incoming = { method, url, headers };
    let status = 200;
    const reply: FastifyReply = {
      statusCode: 200,
      getHeader: () => undefined,
      code: (code) => {
        status = code;
        return reply;
      },
      type: () => reply,
      send: () => reply,
    };
    await hooks.preHandler?.(incoming, reply);
    if (status === 200) etags.set(url.split('?')[0] ?? '', etag);
    hooks.onSend?.(incoming, reply, '', () => undefined);
    return status;
  }
  return { request, etags };
}

describe('conditional writes', () => {
  test('of one key take turns: only one of those that come at once sees that nothing is there', async () => {
    const { request, etags } = fakeServer();
    const writers = ['"a"', '"b"', '"c"'].map((etag) => request('PUT', '/bucket/key', { 'if-none-match': '*' }, etag));
    expect(await Promise.all(writers)).toEqual([200, 412, 412]);
    expect(etags.get('/bucket/key')).toBe('"a"');
  });

  test('wait for a write without a condition, too', async () => {
    const { request } = fakeServer();
    const writers = [
      request('PUT', '/bucket/key', {}, '"plain"'),
      request('PUT', '/bucket/key', { 'if-match': '"plain"' }, '"next"'),
      request('PUT', '/bucket/key', { 'if-match': '"plain"' }, '"late"'),
    ];
    expect(await Promise.all(writers)).toEqual([200, 200, 412]);
  });

  test('of a multipart upload are judged when it is completed, not when its parts are sent', async () => {
    const { request, etags } = fakeServer();
    etags.set('/bucket/key', '"there"');
    expect(await request('PUT', '/bucket/key?partNumber=1&uploadId=u', { 'if-none-match': '*' }, '"part"')).toBe(200);
    etags.set('/bucket/key', '"there"');
    expect(await request('POST', '/bucket/key?uploadId=u', { 'if-none-match': '*' }, '"whole"')).toBe(412);
  });
});
