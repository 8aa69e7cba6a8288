/**
 * The handlers as Lambda would call them, with the real SDK, against the embedded S3 and SQS.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalHost, startLocalHost } from '../../cli/local/localHost.ts';
import { parseJobId } from '../../lambdas/core/jobId.ts';
import { reportsPrefix } from '../../lambdas/core/keys.ts';
import { type CountingSandbox, startCountingSandbox } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-handlers-'));
let sandbox: CountingSandbox;
let host: LocalHost;
let sqs: SQSClient;

beforeAll(async () => {
  sandbox = await startCountingSandbox();
  host = await startLocalHost({
    dataFolder: folder,
    apiUrl: sandbox.url,
    apiKey: 'test',
    workers: 2,
    concurrency: 5,
    invitesGone: false,
    allowedDomains: [],
  });
  sqs = new SQSClient();
});

afterAll(async () => {
  sqs.destroy();
  await host.close();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const context = { awsRequestId: 'test', getRemainingTimeInMillis: () => 300_000 } as Context;

/** Takes one message off a queue as Lambda does, or gives undefined. */
async function receive(queue: 'uploads' | 'chunks' | 'reports'): Promise<SQSEvent | undefined> {
  const QueueUrl = process.env[`BULK_INVITE_${queue.toUpperCase()}_QUEUE_URL`];
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['All'] }));
  const message = Messages?.[0];
  if (message === undefined) return undefined;
  const { MessageId: messageId, ReceiptHandle: receiptHandle, Body: body, Attributes: attributes } = message;
  return { Records: [{ messageId, receiptHandle, body, attributes }] } as unknown as SQSEvent;
}

async function drain(
  queue: 'uploads' | 'chunks' | 'reports',
  handler: (event: SQSEvent, context: Context) => Promise<unknown>,
): Promise<number> {
  let count = 0;
  for (let event = await receive(queue); event !== undefined; event = await receive(queue)) {
    expect(await handler(event, context)).toEqual({ batchItemFailures: [] });
    count += 1;
  }
  return count;
}

async function handlers() {
  // Some of what they are given here is meant to be refused, and they would say so at length.
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  const [ingest, worker, report] = await Promise.all([
    import('../../lambdas/ingest/handler.ts'),
    import('../../lambdas/worker/handler.ts'),
    import('../../lambdas/report/handler.ts'),
  ]);
  return { ingest: ingest.handler, worker: worker.handler, report: report.handler };
}

describe('the handlers', () => {
  test.each(['people.csv', 'hr/Grüße + more/people (1).csv', '..%2Fodd&name=1.csv'])(
    'carry the upload %s to its report',
    async (name) => {
      const { ingest, worker, report } = await handlers();
      const Body = `email\n${Array.from({ length: 25 }, (_, index) => `p${index}.${name.length}@acme.example\n`).join('')}`;
      await host.s3.send(new PutObjectCommand({ Bucket: host.bucket, Key: `incoming/${name}`, Body }));
      expect(await drain('uploads', ingest)).toBe(1);
      expect(await drain('chunks', worker)).toBe(5);
      expect(await drain('reports', report)).toBe(1);
      const keys: string[] = [];
      for await (const { key } of host.store.list(`${reportsPrefix}${name}/`)) keys.push(key.split('/').at(-1) ?? '');
      expect(keys).toEqual(['report.html', 'results.csv', 'retry.csv', 'summary.json']);
    },
  );

  test('start nothing for objects that are not uploads', async () => {
    await host.s3.send(
      new PutObjectCommand({ Bucket: host.bucket, Key: 'elsewhere/people.csv', Body: 'email\na@acme.example\n' }),
    );
    expect(await receive('uploads')).toBeUndefined();
  });

  test.each(['uploads', 'chunks', 'reports'] as const)(
    'give back a message in %s that is not theirs, and hide it for a while',
    async (queue) => {
      const all = await handlers();
      const handler = { uploads: all.ingest, chunks: all.worker, reports: all.report }[queue];
      const QueueUrl = process.env[`BULK_INVITE_${queue.toUpperCase()}_QUEUE_URL`];
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"something":"else"}' }));
      const event = await receive(queue);
      expect(await handler(event ?? { Records: [] }, context)).toEqual({
        batchItemFailures: [{ itemIdentifier: event?.Records[0]?.messageId }],
      });
      expect(await receive(queue)).toBeUndefined();
    },
  );

  test('name their jobs by what is told apart in a list', async () => {
    const ids: string[] = [];
    for await (const { key } of host.store.list('jobs/'))
      if (key.endsWith('job.json')) ids.push(key.split('/')[1] ?? '');
    expect(ids).toHaveLength(3);
    for (const id of ids) expect(parseJobId(id)).toBe(id);
    expect(ids).toEqual([...ids].sort());
  });
});

test('messages that were given up get another chance when the host starts again', async () => {
  const deadLetters = (process.env['BULK_INVITE_CHUNKS_QUEUE_URL'] ?? '').replace(/chunks$/u, 'chunks-dead-letters');
  await sqs.send(new SendMessageCommand({ QueueUrl: deadLetters, MessageBody: 'given up' }));
  expect(host.deadLetters()).toEqual([{ queue: 'chunks', body: 'given up' }]);
  await host.close();
  host = await startLocalHost({
    dataFolder: folder,
    apiUrl: sandbox.url,
    apiKey: 'test',
    workers: 2,
    concurrency: 5,
    invitesGone: false,
    allowedDomains: [],
  });
  sqs.destroy();
  sqs = new SQSClient();
  expect(host.deadLetters()).toEqual([]);
  expect((await receive('chunks'))?.Records[0]?.body).toBe('given up');
});
