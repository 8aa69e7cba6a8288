/**
 * Lets only those use the embedded S3 and SQS who know the access key of this very process, or hold an upload link that it
 * has given out. fauxqs looks at no credentials, and every user of the machine can reach a loopback address.
 */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from './fastify.ts';

/** An upload that is allowed to whoever knows this very address: its signature is a secret of its own. */
export interface AllowedUpload {
  /** Path and query. */
  readonly address: string;
  readonly endsAtMs: number;
}

/** @param allowedUploads May grow and shrink while the server runs. */
export function refuseStrangers(
  app: FastifyInstance,
  accessKeyId: string,
  allowedUploads: readonly AllowedUpload[] = [],
): void {
  app.addHook('onRequest', async ({ method, url, headers }, reply) => {
    const isAllowed =
      knows(headers.authorization, accessKeyId) ||
      (method === 'PUT' && allowedUploads.some((upload) => isAddress(url, upload)));
    return isAllowed ? undefined : reply.code(403).type('text/plain').send('Forbidden.');
  });
}

function isAddress(url: string, { address, endsAtMs }: AllowedUpload): boolean {
  return isSame(url, address) && Date.now() < endsAtMs;
}

/** What our own requests inside the server carry. */
export function authorization(accessKeyId: string): string {
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/`;
}

/** Source: AWS Signature Version 4, the `Authorization` header. */
function knows(header: string | undefined, accessKeyId: string): boolean {
  return isSame(/Credential=([^/]+)\//u.exec(header ?? '')?.[1] ?? '', accessKeyId);
}

function isSame(givenText: string, wantedText: string): boolean {
  const given = Buffer.from(givenText);
  const wanted = Buffer.from(wantedText);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
