/**
 * Queues on SQS.
 */
import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { redeliveryLimits } from '../core/limits.ts';
import type { IncomingQueue, OutgoingMessage, OutgoingQueue } from '../ports.ts';

const { batchMessagesMax, batchTriesMax } = redeliveryLimits;

export function sqsOutgoingQueue(client: SQSClient, queueUrl: string): OutgoingQueue {
  return {
    sendAll: async (messages) => {
      for (let start = 0; start < messages.length; start += batchMessagesMax) {
        await sendBatch(client, queueUrl, messages.slice(start, start + batchMessagesMax));
      }
    },
  };
}

export function sqsIncomingQueue(client: SQSClient, queueUrl: string): IncomingQueue {
  return {
    hide: async (receiptHandle, seconds) => {
      const input = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
      await client.send(new ChangeMessageVisibilityCommand(input));
    },
  };
}

async function sendBatch(client: SQSClient, queueUrl: string, messages: readonly OutgoingMessage[]): Promise<void> {
  let entries = messages.map(({ body, groupId }, index) => ({
    Id: String(index),
    MessageBody: body,
    MessageGroupId: groupId,
  }));
  let codes: string[] = [];
  for (let tries = 0; tries < batchTriesMax && entries.length > 0; tries += 1) {
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
    const failedIds = new Set(Failed.map(({ Id }) => Id));
    entries = entries.filter(({ Id }) => failedIds.has(Id));
    codes = Failed.map(({ Code }) => Code ?? 'no code');
  }
  if (entries.length === 0) return;
  throw new Error(
    `SQS did not take ${entries.length} of ${messages.length} messages in ${batchTriesMax} tries: ${codes.join(', ')}.`,
  );
}
