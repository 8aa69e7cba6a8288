/**
 * Makes the embedded S3 honour `If-None-Match` and `If-Match` when an object is written: fauxqs 2.4.1 ignores them there.
 *
 * Writes of one key take turns. While a write has its turn, the object's entity tag is read and compared, and the write
 * goes on to fauxqs or is answered with 412 (404 where `If-Match` finds no object), as S3 does.
 *
 * Source: S3 User Guide, "Conditional writes".
 */
import type { FastifyInstance, FastifyRequest } from './fastify.ts';
import { authorization } from './refuseStrangers.ts';

/** @param accessKeyId With which the server may be asked. */
export function addConditionalWrites(app: FastifyInstance, accessKeyId: string): void {
  const turns = new Map<string, Promise<void>>();
  const ends = new WeakMap<FastifyRequest, () => void>();

  app.addHook('preHandler', async (request, reply) => {
    if (!isObjectWrite(request)) return undefined;
    const path = pathOf(request);
    const before = turns.get(path);
    const { promise: turn, resolve: end } = Promise.withResolvers<void>();
    const chain = (before ?? Promise.resolve()).then(() => turn);
    turns.set(path, chain);
    ends.set(request, () => {
      end();
      if (turns.get(path) === chain) turns.delete(path);
    });
    await before;
    const refusal = await judge(app, request, path, accessKeyId);
    return refusal === undefined
      ? undefined
      : reply.code(refusal.status).type('application/xml').send(errorXml(refusal.code));
  });
  // fauxqs has changed the object by the time that its answer is being sent.
  app.addHook('onSend', (request, _reply, _payload, done) => {
    ends.get(request)?.();
    done();
  });
}

/** PutObject, the completion of a multipart upload, and DeleteObject; not the parts of a multipart upload. */
export function isObjectWrite({ method, url }: FastifyRequest): boolean {
  const [path = '', query = ''] = url.split('?');
  const isObject = path.split('/').filter(Boolean).length >= 2;
  const parameters = new URLSearchParams(query);
  if (!isObject) return false;
  if (method === 'PUT') return !parameters.has('partNumber');
  return (method === 'POST' && parameters.has('uploadId')) || (method === 'DELETE' && !parameters.has('uploadId'));
}

export function pathOf({ url }: FastifyRequest): string {
  return url.split('?')[0] ?? '';
}

async function judge(
  app: FastifyInstance,
  { headers }: FastifyRequest,
  path: string,
  accessKeyId: string,
): Promise<{ readonly status: number; readonly code: string } | undefined> {
  const { 'if-none-match': ifNoneMatch, 'if-match': ifMatch } = headers;
  if (ifNoneMatch === undefined && ifMatch === undefined) return undefined;
  const found = await app.inject({ method: 'HEAD', url: path, headers: { authorization: authorization(accessKeyId) } });
  const etag = found.statusCode === 200 ? String(found.headers['etag']) : undefined;
  if (ifNoneMatch !== undefined && etag !== undefined) return { status: 412, code: 'PreconditionFailed' };
  if (ifMatch === undefined) return undefined;
  if (etag === undefined) return { status: 404, code: 'NoSuchKey' };
  return unquoted(etag) === unquoted(ifMatch) ? undefined : { status: 412, code: 'PreconditionFailed' };
}

function unquoted(etag: string): string {
  return etag.replace(/^"|"$/gu, '');
}

function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>The condition of the write does not hold.</Message></Error>`;
}
