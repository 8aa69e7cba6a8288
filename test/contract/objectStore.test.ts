/**
 * The contract of object stores: the fake of the tests, the embedded S3, and any S3-compatible server that is named by
 * BULK_INVITE_TEST_S3_BUCKET (with AWS_ENDPOINT_URL_S3, AWS_REGION and credentials as for any AWS client).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketName, type EmbeddedServices, startEmbeddedServices } from '../../cli/local/embeddedServices.ts';
import { s3ObjectStore } from '../../lambdas/adapters/s3ObjectStore.ts';
import { memoryStore } from '../support/memoryStore.ts';
import { testObjectStore } from './objectStoreContract.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-contract-'));
let services: EmbeddedServices;

beforeAll(async () => {
  services = await startEmbeddedServices(folder);
});

afterAll(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

function connectEmbedded() {
  const { credentials } = services;
  return s3ObjectStore(new S3Client({ endpoint: services.endpoint, region: 'us-east-1', credentials }), bucketName);
}

const inMemory = memoryStore();
testObjectStore('the fake', () => inMemory);
testObjectStore('the embedded S3', connectEmbedded);

const bucket = process.env['BULK_INVITE_TEST_S3_BUCKET'];
if (bucket !== undefined) testObjectStore(`the bucket ${bucket}`, () => s3ObjectStore(new S3Client(), bucket));

test('the embedded S3 listens at one loopback address, not at every interface', async () => {
  const { port } = new URL(services.endpoint);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(403);
  await expect(fetch(`http://127.0.0.2:${port}/health`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

test('the embedded S3 gives and takes nothing without the access key of its own process', async () => {
  await connectEmbedded().put('incoming/people.csv', 'email\n', { kind: 'always' });
  const strangers = [{}, { authorization: 'AWS4-HMAC-SHA256 Credential=local/20260131/us-east-1/s3/aws4_request' }];
  for (const headers of strangers) {
    const read = await fetch(`${services.endpoint}/${bucketName}/incoming/people.csv`, { headers });
    expect([read.status, await read.text()]).toEqual([403, 'Forbidden.']);
    const evil = `${services.endpoint}/${bucketName}/incoming/evil.csv`;
    expect((await fetch(evil, { method: 'PUT', body: 'x', headers })).status).toBe(403);
  }
  expect(await connectEmbedded().head('incoming/evil.csv')).toBeUndefined();
});
