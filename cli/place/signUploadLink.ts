/**
 * A link with which somebody without access to AWS can upload a file: a pre-signed PUT of one key.
 */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describeMoment } from '../describeMoment.ts';
import type { UploadLink } from './place.ts';

/** @param expirySeconds A link that is signed with temporary credentials ends with them, if that is sooner. */
export async function signUploadLink(
  config: ConstructorParameters<typeof S3Client>[0] & object,
  bucket: string,
  key: string,
  expirySeconds: number,
): Promise<UploadLink> {
  // Otherwise the checksum of an empty file becomes part of the link, and S3 refuses every other one.
  const client = new S3Client({ ...config, requestChecksumCalculation: 'WHEN_REQUIRED' });
  try {
    const { expiration, sessionToken } = await client.config.credentials();
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket: bucket, Key: key }), {
      expiresIn: expirySeconds,
    });
    const askedEndMs = Date.now() + expirySeconds * 1000;
    if (expiration === undefined) {
      const notes =
        sessionToken === undefined ? [] : ['It ends sooner if your own sign-in does; when that is, is not known.'];
      return { url, endsAtMs: askedEndMs, notes };
    }
    const endsAtMs = Math.min(askedEndMs, expiration.getTime());
    const notes =
      endsAtMs < askedEndMs
        ? [
            `Your own sign-in ends then, and the link with it; otherwise it would last until ${describeMoment(askedEndMs)}.`,
          ]
        : [];
    return { url, endsAtMs, notes };
  } finally {
    client.destroy();
  }
}
