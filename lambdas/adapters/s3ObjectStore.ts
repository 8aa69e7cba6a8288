/**
 * The object store on S3.
 */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import pRetry from 'p-retry';
import { BrokenInvariant } from '../core/fault.ts';
import { writeLimits } from '../core/limits.ts';
import type {
  ListedObject,
  ObjectInfo,
  ObjectStore,
  ObjectWriter,
  PutCondition,
  PutResult,
  StoredText,
} from '../ports.ts';

/** S3 answers 409 where two conditional writes of one key meet; the SDK does not retry it. */
const conflictRetries = { retries: 6, minTimeout: 50, maxTimeout: 1000, randomize: true };

export function s3ObjectStore(client: S3Client, bucket: string): ObjectStore {
  return {
    head: (key, versionId) => head(client, bucket, key, versionId),
    readText: (key, bytesMax) => readText(client, bucket, key, bytesMax),
    readBytes: (source) => readBytes(client, bucket, source),
    put: (key, text, condition) => put(client, bucket, key, text, condition),
    writer: (key, contentType, condition) => writer(client, bucket, key, contentType, condition),
    list: (prefix, after) => list(client, bucket, prefix, after),
  };
}

async function head(
  client: S3Client,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<ObjectInfo | undefined> {
  try {
    const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    return {
      key,
      etag: expectPresent(found.ETag, 'HeadObject', 'an ETag'),
      ...(found.VersionId === undefined ? {} : { versionId: found.VersionId }),
      bytes: found.ContentLength ?? 0,
      modifiedAtMs: expectPresent(found.LastModified, 'HeadObject', 'a LastModified').getTime(),
      metadata: found.Metadata ?? {},
    };
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

async function readText(
  client: S3Client,
  bucket: string,
  key: string,
  bytesMax: number,
): Promise<StoredText | undefined> {
  try {
    const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const body = expectPresent(found.Body, 'GetObject', 'a body');
    if ((found.ContentLength ?? 0) > bytesMax) {
      // A body that is not consumed would hold its socket.
      body.transformToWebStream().cancel();
      throw new BrokenInvariant(`${key} has ${found.ContentLength} bytes; at most ${bytesMax} were expected.`);
    }
    return { text: await body.transformToString('utf-8'), etag: expectPresent(found.ETag, 'GetObject', 'an ETag') };
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

async function readBytes(
  client: S3Client,
  bucket: string,
  { key, etag, versionId }: Pick<ObjectInfo, 'key' | 'etag' | 'versionId'>,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, IfMatch: etag });
    const found = await client.send(command);
    const body = expectPresent(found.Body, 'GetObject', 'a body');
    if (Symbol.asyncIterator in body) return body;
    throw new Error(`The body of ${key} is not a stream that can be iterated.`);
  } catch (error) {
    if (hasStatus(error, 404) || hasStatus(error, 412)) return undefined;
    throw error;
  }
}

async function put(
  client: S3Client,
  bucket: string,
  key: string,
  text: string,
  condition: PutCondition,
): Promise<PutResult> {
  const contentType = key.endsWith('.json') ? 'application/json' : 'text/plain; charset=utf-8';
  const input = {
    Bucket: bucket,
    Key: key,
    Body: text,
    ContentType: contentType,
    // Of an empty text, the SDK would say on standard error that it does not know its length.
    ContentLength: Buffer.byteLength(text),
    ...conditionHeaders(condition),
  };
  const send = async (): Promise<PutResult> => {
    const { ETag } = await client.send(new PutObjectCommand(input));
    return { kind: 'written', etag: expectPresent(ETag, 'PutObject', 'an ETag') };
  };
  try {
    return await pRetry(send, { ...conflictRetries, shouldRetry: ({ error }) => hasStatus(error, 409) });
  } catch (error) {
    if (isConditionFailed(error, condition)) return { kind: 'condition_failed' };
    throw error;
  }
}

function writer(
  client: S3Client,
  bucket: string,
  key: string,
  contentType: string,
  condition: Exclude<PutCondition, { kind: 'if_match' }>,
): ObjectWriter {
  const body = new PassThrough();
  const params = { Bucket: bucket, Key: key, Body: body, ContentType: contentType, ...conditionHeaders(condition) };
  const upload = new Upload({ client, params, queueSize: 1, partSize: writeLimits.uploadPartBytes });
  const uploaded = upload.done();
  // A failed upload no longer reads: without this, a write that waits for it to read would wait for ever.
  uploaded.catch((error: unknown) => body.destroy(error instanceof Error ? error : new Error(String(error))));
  body.on('error', () => undefined);
  return {
    write: async (content) => {
      if (body.destroyed) await uploaded;
      if (!body.write(content)) await once(body, 'drain');
    },
    close: async () => {
      body.end();
      try {
        const { ETag } = await uploaded;
        return { kind: 'written', etag: expectPresent(ETag, 'PutObject', 'an ETag') };
      } catch (error) {
        if (isConditionFailed(error, condition)) return { kind: 'condition_failed' };
        throw error;
      }
    },
    abort: async () => {
      await upload.abort();
      body.destroy();
      await uploaded.catch(() => undefined);
    },
  };
}

async function* list(client: S3Client, bucket: string, prefix: string, after?: string): AsyncGenerator<ListedObject> {
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter: after, ContinuationToken: token }),
    );
    for (const { Key, ETag, LastModified } of page.Contents ?? []) {
      yield {
        key: expectPresent(Key, 'ListObjectsV2', 'a Key'),
        etag: expectPresent(ETag, 'ListObjectsV2', 'an ETag'),
        modifiedAtMs: wholeSeconds(expectPresent(LastModified, 'ListObjectsV2', 'a LastModified').getTime()),
      };
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

/** As a look at one object tells it: the dates of HTTP have no more, and some servers list milliseconds. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function conditionHeaders(condition: PutCondition): { IfNoneMatch?: string; IfMatch?: string } {
  switch (condition.kind) {
    case 'always':
      return {};
    case 'if_absent':
      return { IfNoneMatch: '*' };
    case 'if_match':
      return { IfMatch: condition.etag };
    default:
      return condition satisfies never;
  }
}

/** 412, or 404 where the object that was to be replaced is gone. */
function isConditionFailed(error: unknown, condition: PutCondition): boolean {
  if (condition.kind === 'always') return false;
  return hasStatus(error, 412) || (condition.kind === 'if_match' && hasStatus(error, 404));
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;
}

function expectPresent<T>(value: T | undefined, operation: string, what: string): T {
  if (value === undefined) throw new Error(`S3 ${operation} answered without ${what}.`);
  return value;
}
