/**
 * Feeds the messages of an SQS event to a use case, one after the other, and answers with those that are to come again.
 */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { redeliveryLimits } from './core/limits.ts';
import type { IncomingQueue, Log, Metrics } from './ports.ts';

/** What a use case says of a message. */
export type Verdict =
  /** Acknowledge it. */
  | { readonly kind: 'done' }
  /** Not an error: the message is to come again after this time. */
  | { readonly kind: 'later'; readonly delayMs: number };

export interface Invocation {
  /** Names this invocation in the logs, and nobody else's. */
  readonly id: string;
  remainingMs(): number;
  /** How often the message has been delivered, this time included. */
  readonly deliveries: number;
}

export type HandleMessage = (body: string, invocation: Invocation) => Promise<Verdict>;

export type SqsHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/**
 * A message whose handling throws comes again after a delay that doubles with every delivery; the queue's own limit then
 * moves it to the dead-letter queue.
 */
export function consume(handle: HandleMessage, queue: IncomingQueue, log: Log, metrics: Metrics): SqsHandler {
  return async (event, context) => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { body, messageId, receiptHandle, attributes } of event.Records) {
      const verdict = await handleOne(body, Number(attributes.ApproximateReceiveCount), context);
      if (verdict.kind === 'done') continue;
      batchItemFailures.push({ itemIdentifier: messageId });
      await hide(receiptHandle, verdict.delayMs);
    }
    metrics.publish();
    return { batchItemFailures };
  };

  async function handleOne(body: string, receiveCount: number, context: Context): Promise<Verdict> {
    try {
      return await handle(body, {
        id: context.awsRequestId,
        deliveries: receiveCount,
        remainingMs: () => context.getRemainingTimeInMillis(),
      });
    } catch (error) {
      log.error('message_failed', { receiveCount }, error);
      metrics.count('MessagesFailed', 1, { function: context.functionName });
      return { kind: 'later', delayMs: redeliveryDelayMs(receiveCount) };
    }
  }

  /** Without this the message still comes again, only later: when its visibility time-out ends. */
  async function hide(receiptHandle: string, delayMs: number): Promise<void> {
    const seconds = Math.ceil(delayMs / 1000);
    const bounded = Math.min(redeliveryLimits.hiddenSecondsMax, Math.max(redeliveryLimits.hiddenSecondsMin, seconds));
    try {
      await queue.hide(receiptHandle, bounded);
    } catch (error) {
      log.error('message_not_hidden', { seconds: bounded }, error);
    }
  }
}

export function redeliveryDelayMs(receiveCount: number): number {
  const doublings = Math.min(Math.max(receiveCount, 1) - 1, 10);
  return Math.min(redeliveryLimits.delayMaxMs, redeliveryLimits.firstDelayMs * 2 ** doublings);
}
