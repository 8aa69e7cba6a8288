import type { Context, SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { consume, type HandleMessage, redeliveryDelayMs, type Verdict } from '../../lambdas/consume.ts';
import type { IncomingQueue, Log } from '../../lambdas/ports.ts';
import { recordingMetrics } from '../support/world.ts';

const context: Context = {
  awsRequestId: 'request-1',
  getRemainingTimeInMillis: () => 12_345,
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'worker',
  functionVersion: '1',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:worker',
  memoryLimitInMB: '512',
  logGroupName: 'group',
  logStreamName: 'stream',
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};

const message = (name: string, receiveCount = 1): SQSRecord => ({
  messageId: `id of ${name}`,
  receiptHandle: `receipt of ${name}`,
  body: name,
  attributes: {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: '0',
    SenderId: 'sender',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:chunks',
  awsRegion: 'eu-west-1',
});

/** What a queue and a log were told. */
function listeners(hideFails = false) {
  const hidden: [receiptHandle: string, seconds: number][] = [];
  const logged: string[] = [];
  const queue: IncomingQueue = {
    hide: async (receiptHandle, seconds) => {
      hidden.push([receiptHandle, seconds]);
      if (hideFails) throw new Error('The queue is gone.');
    },
  };
  const ignore = () => undefined;
  const log: Log = { info: ignore, warn: ignore, error: (event) => logged.push(event) };
  return { hidden, logged, queue, log, metrics: recordingMetrics() };
}

async function run(handle: HandleMessage, records: readonly SQSRecord[], heard = listeners()) {
  const { queue, log, metrics } = heard;
  const { batchItemFailures } = await consume(handle, queue, log, metrics)({ Records: [...records] }, context);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

const done: Verdict = { kind: 'done' };
const later = (delayMs: number): Verdict => ({ kind: 'later', delayMs });
const fail = async (): Promise<Verdict> => {
  throw new Error('The bucket is gone.');
};

describe('feeding messages to a use case', () => {
  test('a message that is done is acknowledged, and nothing is hidden or logged', async () => {
    const heard = listeners();
    expect(await run(async () => done, [message('a')], heard)).toEqual([]);
    expect(heard).toMatchObject({ hidden: [], logged: [] });
  });

  test('the use case gets the body, the id of the invocation and the time that is left', async () => {
    const seen: unknown[] = [];
    await run(
      async (body, invocation) => {
        seen.push([body, invocation.id, invocation.remainingMs()]);
        return done;
      },
      [message('a')],
    );
    expect(seen).toEqual([['a', 'request-1', 12_345]]);
  });

  test('a message that is for later comes again after its delay, and that is no error', async () => {
    const heard = listeners();
    expect(await run(async () => later(45_000), [message('a')], heard)).toEqual(['id of a']);
    expect(heard).toMatchObject({ hidden: [['receipt of a', 45]], logged: [] });
    expect(heard.metrics.lines).toEqual(['published']);
  });

  test.each([
    { delayMs: 0, seconds: 1 },
    { delayMs: 1, seconds: 1 },
    { delayMs: 1001, seconds: 2 },
    { delayMs: -5000, seconds: 1 },
    { delayMs: 900_000, seconds: 900 },
    { delayMs: 7_200_000, seconds: 900 },
  ])('a delay of $delayMs ms hides a message for $seconds s', async ({ delayMs, seconds }) => {
    const heard = listeners();
    await run(async () => later(delayMs), [message('a')], heard);
    expect(heard.hidden).toEqual([['receipt of a', seconds]]);
  });

  test('a message whose handling throws is logged and comes again, later with every delivery', async () => {
    const heard = listeners();
    expect(await run(fail, [message('a', 1), message('b', 3)], heard)).toEqual(['id of a', 'id of b']);
    expect(heard.hidden).toEqual([
      ['receipt of a', 5],
      ['receipt of b', 20],
    ]);
    expect(heard.logged).toEqual(['message_failed', 'message_failed']);
    const failed = 'MessagesFailed 1 {"function":"worker"}';
    expect(heard.metrics.lines).toEqual([failed, failed, 'published']);
  });

  test('one bad message does not stop the others, which are handled one after the other', async () => {
    const order: string[] = [];
    const handle: HandleMessage = async (body) => {
      order.push(`${body} begins`);
      await Promise.resolve();
      if (body === 'b') throw new Error('The message is bad.');
      order.push(`${body} ends`);
      return body === 'c' ? later(1000) : done;
    };
    const failures = await run(
      handle,
      ['a', 'b', 'c', 'd'].map((name) => message(name)),
    );
    expect(failures).toEqual(['id of b', 'id of c']);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'c begins', 'c ends', 'd begins', 'd ends']);
  });

  test('a message that cannot be hidden still comes again, and the others are handled', async () => {
    const heard = listeners(true);
    expect(await run(async () => later(1000), [message('a'), message('b')], heard)).toEqual(['id of a', 'id of b']);
    expect(heard.logged).toEqual(['message_not_hidden', 'message_not_hidden']);
  });
});

test.each([
  [1, 5],
  [2, 10],
  [5, 80],
  [8, 640],
  [9, 900],
  [5000, 900],
  [0, 5],
])('delivery %i is tried again after %i s', (receiveCount, seconds) => {
  expect(redeliveryDelayMs(receiveCount)).toBe(seconds * 1000);
});
