/**
 * Lets only those use the embedded S3 and SQS who know the access key of this very process. fauxqs looks at no credentials,
 * and every user of the machine can reach a loopback address.
 */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from './fastify.ts';

export function refuseStrangers(app: FastifyInstance, accessKeyId: string): void {
  app.addHook('onRequest', async ({ headers }, reply) =>
    knows(headers.authorization, accessKeyId) ? undefined : reply.code(403).type('text/plain').send('Forbidden.'),
  );
}

/** What our own requests inside the server carry. */
export function authorization(accessKeyId: string): string {
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/`;
}

/** Source: AWS Signature Version 4, the `Authorization` header. */
function knows(header: string | undefined, accessKeyId: string): boolean {
  const given = Buffer.from(/Credential=([^/]+)\//u.exec(header ?? '')?.[1] ?? '');
  const wanted = Buffer.from(accessKeyId);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
