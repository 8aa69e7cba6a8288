/**
 * The local host feeds handlers as Lambda's event source does.
 */
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedServices, startEmbeddedServices } from '../../cli/local/embeddedServices.ts';
import { type Handler, runEventSource } from '../../cli/local/eventSource.ts';

let services: EmbeddedServices;
let sqs: SQSClient;

beforeAll(async () => {
  services = await startEmbeddedServices(undefined);
  const { credentials } = services;
  sqs = new SQSClient({ endpoint: services.endpoint, region: 'us-east-1', credentials });
});

afterAll(async () => {
  sqs.destroy();
  await services.close();
});

async function queue(name: string, attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  return QueueUrl;
}

async function send(queueUrl: string, ...bodies: string[]): Promise<void> {
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
}

async function left(queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
  );
  return (
    Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  );
}

/** Runs the handler until it has been called so often. */
async function run(queueUrl: string, calls: number, concurrency: number, handler: Handler): Promise<void> {
  const stop = new AbortController();
  let called = 0;
  const counting: Handler = async (event, context) => {
    called += 1;
    const answer = await handler(event, context);
    if (called >= calls) setTimeout(() => stop.abort(), 100);
    return answer;
  };
  const source = { functionName: 'test', queueUrl, handler: counting, concurrency, timeLimitMs: 60_000 };
  await runEventSource(sqs, source, stop.signal);
}

function bodyOf(event: SQSEvent): string {
  expect(event.Records).toHaveLength(1);
  return event.Records[0]?.body ?? '';
}

function failed(event: SQSEvent) {
  return { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

test('a message that was handled is gone, one that was not stays for later', async () => {
  const queueUrl = await queue('partial', { VisibilityTimeout: '60' });
  await send(queueUrl, 'good', 'bad');
  await run(queueUrl, 2, 1, async (event) => (bodyOf(event) === 'bad' ? failed(event) : { batchItemFailures: [] }));
  expect(await left(queueUrl)).toBe(1);
});

test('a message whose handler throws stays for later', async () => {
  const queueUrl = await queue('throwing', { VisibilityTimeout: '1' });
  await send(queueUrl, 'x');
  let calls = 0;
  await run(queueUrl, 2, 1, async () => {
    calls += 1;
    if (calls === 1) throw new Error('a defect');
    return { batchItemFailures: [] };
  });
  expect(await left(queueUrl)).toBe(0);
});

test('a message that is given back too often lands in the dead-letter queue', async () => {
  const deadLetters = await queue('poison-dead');
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes['QueueArn'], maxReceiveCount: 2 });
  const queueUrl = await queue('poison', { VisibilityTimeout: '1', RedrivePolicy });
  await send(queueUrl, 'poison', 'good');
  let poisons = 0;
  await run(queueUrl, 3, 1, async (event) => {
    if (bodyOf(event) === 'good') return { batchItemFailures: [] };
    poisons += 1;
    return failed(event);
  });
  await expect
    .poll(async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }))).Messages ?? [])
    .toEqual([]);
  await expect.poll(async () => await left(deadLetters), { timeout: 5000 }).toBe(1);
  expect(poisons).toBe(2);
});

test('several invocations run at once, and never more than allowed', async () => {
  const queueUrl = await queue('several', { VisibilityTimeout: '60' });
  await send(queueUrl, ...Array.from({ length: 12 }, (_, index) => String(index)));
  let now = 0;
  let most = 0;
  await run(queueUrl, 12, 3, async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    now -= 1;
    return { batchItemFailures: [] };
  });
  expect(most).toBe(3);
  expect(await left(queueUrl)).toBe(0);
});

test('after the stop an invocation has no time left, and is waited for', async () => {
  const queueUrl = await queue('stopping', { VisibilityTimeout: '60' });
  await send(queueUrl, 'x', 'y');
  const stop = new AbortController();
  const remaining: number[] = [];
  let ended = 0;
  const handler: Handler = async (_event, context) => {
    remaining.push(context.getRemainingTimeInMillis());
    stop.abort();
    remaining.push(context.getRemainingTimeInMillis());
    await new Promise((resolve) => setTimeout(resolve, 50));
    ended += 1;
    return { batchItemFailures: [] };
  };
  await runEventSource(
    sqs,
    { functionName: 'test', queueUrl, handler, concurrency: 1, timeLimitMs: 60_000 },
    stop.signal,
  );
  expect(remaining[0]).toBeGreaterThan(50_000);
  expect(remaining[1]).toBe(0);
  expect(ended).toBe(1);
  expect(await left(queueUrl)).toBe(1);
});
