/**
 * Makes the embedded S3 tell the uploads queue of what is written under `incoming/`, and of decisions about jobs: fauxqs
 * sends no bucket events.
 */
import { anyJob, approvalKey, incomingPrefix, stopKey } from '../../lambdas/core/keys.ts';
import { isObjectWrite, pathOf } from './conditionalWrites.ts';
import type { FastifyInstance, FastifyReply } from './fastify.ts';

/** @param send Puts a message into the uploads queue. */
export function addBucketEvents(app: FastifyInstance, bucket: string, send: (body: string) => void): void {
  const prefix = `/${bucket}/`;
  // Before the answer leaves: whoever knows that the object is stored can rely on the message.
  app.addHook('onSend', (request, reply, payload, done) => {
    const path = decodeURIComponent(pathOf(request));
    const isWritten = isObjectWrite(request) && request.method !== 'DELETE' && reply.statusCode === 200;
    const key = isWritten && path.startsWith(prefix) ? path.slice(prefix.length) : '';
    if (isTold(key)) send(uploadEventBody(key, etagOf(reply, payload)));
    done();
  });
}

const decisions = [approvalKey(anyJob), stopKey(anyJob)].map((key) => key.split(anyJob));

/** The same keys as in a deployed stack. */
function isTold(key: string): boolean {
  return (
    key.startsWith(incomingPrefix) ||
    decisions.some(([start = '', end = '']) => key.startsWith(start) && key.endsWith(end))
  );
}

/** A multipart upload is answered with a document, other writes with a header. */
function etagOf(reply: FastifyReply, payload: unknown): string {
  const inDocument = typeof payload === 'string' ? /<ETag>(?:&quot;|")?([^<&"]+)/u.exec(payload)?.[1] : undefined;
  return inDocument ?? String(reply.getHeader('etag'));
}

/** The parts of an S3 event that our handlers read. Source: S3 User Guide, "Event message structure". */
export function uploadEventBody(key: string, etag: string): string {
  const object = {
    key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'),
    eTag: etag.replaceAll('"', ''),
  };
  return JSON.stringify({
    Records: [{ eventVersion: '2.1', eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3: { object } }],
  });
}
