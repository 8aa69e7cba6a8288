/**
 * Feeds a handler from its queue, as Lambda's event source does: a batch of one, several invocations at once, partial
 * batch responses. What a handler does not acknowledge stays hidden as long as the queue, or the handler itself, said.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';

export type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

export interface EventSource {
  readonly functionName: string;
  readonly queueUrl: string;
  readonly handler: Handler;
  /** Invocations at once. */
  readonly concurrency: number;
  /** Time limit of one invocation. */
  readonly timeLimitMs: number;
}

const pollSeconds = 20;
const pauseAfterFaultMs = 1000;

/**
 * Runs until the signal is aborted and the invocations under way have ended. From the abort on they are told that no
 * time remains, so they end as they would at the end of their time.
 */
export async function runEventSource(sqs: SQSClient, source: EventSource, signal: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: source.concurrency }, () => poll(sqs, source, signal)));
}

async function poll(sqs: SQSClient, source: EventSource, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const message = await receive(sqs, source.queueUrl, signal);
      if (message !== undefined) await invoke(sqs, source, message, signal);
    } catch (error) {
      if (signal.aborted) return;
      console.error(
        JSON.stringify({
          level: 'ERROR',
          message: 'event_source_failed',
          function: source.functionName,
          error: String(error),
        }),
      );
      await wait(pauseAfterFaultMs);
    }
  }
}

async function receive(sqs: SQSClient, queueUrl: string, signal: AbortSignal): Promise<Message | undefined> {
  const input = {
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 1,
    WaitTimeSeconds: pollSeconds,
    MessageSystemAttributeNames: ['All' as const],
  };
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input), { abortSignal: signal });
  return Messages[0];
}

async function invoke(sqs: SQSClient, source: EventSource, message: Message, signal: AbortSignal): Promise<void> {
  const { MessageId = '', ReceiptHandle = '' } = message;
  const { batchItemFailures } = await source.handler(
    eventOf(message, source.queueUrl),
    contextOf(source, MessageId, signal),
  );
  if (batchItemFailures.some(({ itemIdentifier }) => itemIdentifier === MessageId)) return;
  await sqs.send(new DeleteMessageCommand({ QueueUrl: source.queueUrl, ReceiptHandle }));
}

function eventOf(
  { MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }: Message,
  queueUrl: string,
): SQSEvent {
  const attributes = {
    ApproximateReceiveCount: Attributes.ApproximateReceiveCount ?? '1',
    SentTimestamp: Attributes.SentTimestamp ?? '0',
    SenderId: Attributes.SenderId ?? '',
    ApproximateFirstReceiveTimestamp: Attributes.ApproximateFirstReceiveTimestamp ?? '0',
  };
  const record = {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes,
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split('/').at(-1)}`,
    awsRegion: 'us-east-1',
  };
  return { Records: [record] };
}

function contextOf({ functionName, timeLimitMs }: EventSource, messageId: string, signal: AbortSignal): Context {
  const endsAtMs = Date.now() + timeLimitMs;
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '1024',
    awsRequestId: `${messageId}-${Date.now().toString(36)}`,
    logGroupName: functionName,
    logStreamName: functionName,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => (signal.aborted ? 0 : Math.max(0, endsAtMs - Date.now())),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}
