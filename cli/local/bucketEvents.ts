/**
 * Makes the embedded S3 tell the uploads queue of what is written under `incoming/`: fauxqs sends no bucket events.
 */
import { incomingPrefix } from '../../lambdas/core/keys.ts';
import { isObjectWrite, pathOf } from './conditionalWrites.ts';
import type { FastifyInstance } from './fastify.ts';

/** @param send Puts a message into the uploads queue. */
export function addBucketEvents(app: FastifyInstance, bucket: string, send: (body: string) => void): void {
  const prefix = `/${bucket}/${incomingPrefix}`;
  // Before the answer leaves: whoever knows that the upload is stored can rely on the message.
  app.addHook('onSend', async (request, reply) => {
    const path = decodeURIComponent(pathOf(request));
    if (!isObjectWrite(request) || request.method === 'DELETE' || reply.statusCode !== 200 || !path.startsWith(prefix)) return;
    const found = await app.inject({ method: 'HEAD', url: pathOf(request) });
    send(uploadEventBody(path.slice(bucket.length + 2), String(found.headers['etag'])));
  });
}

/** The parts of an S3 event that our handlers read. Source: S3 User Guide, "Event message structure". */
export function uploadEventBody(key: string, etag: string): string {
  const object = { key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'), eTag: etag.replaceAll('"', '') };
  return JSON.stringify({ Records: [{ eventVersion: '2.1', eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3: { object } }] });
}
