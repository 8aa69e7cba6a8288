/**
 * Signs a pre-signed address once more, by the book, and gives the signature that it must have.
 *
 * Source: Amazon S3 API Reference, "Authenticating requests: using query parameters (AWS Signature Version 4)".
 */
import { createHash, createHmac } from 'node:crypto';

export function signatureOf(method: string, url: URL, secretAccessKey: string): string {
  const parameter = (name: string) => url.searchParams.get(`X-Amz-${name}`) ?? '';
  const [, date = '', region = '', service = '', end = ''] = parameter('Credential').split('/');
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const canonical = [method, url.pathname, query, `host:${url.host}\n`, parameter('SignedHeaders'), 'UNSIGNED-PAYLOAD'];
  const scope = `${date}/${region}/${service}/${end}`;
  const toSign = ['AWS4-HMAC-SHA256', parameter('Date'), scope, sha256(canonical.join('\n'))].join('\n');
  const key = [date, region, service, end].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, toSign).toString('hex');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
