/**
 * Asks a deployed stack whether messages were given up. Nobody handles them any more until somebody has mended the cause.
 */
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueName } from '../../lambdas/core/limits.ts';
import { UserError } from '../userError.ts';

/** @param queueUrls Of the dead letters of each queue. @returns Sentences; one that says why, where AWS does not tell. */
export async function describeDeadLetters(
  client: SQSClient,
  queueUrls: Readonly<Record<QueueName, string>>,
): Promise<string[]> {
  try {
    const found = await Promise.all(
      Object.entries(queueUrls).map(async ([name, url]) => ({ name, count: await countMessages(client, url) })),
    );
    return found.filter(({ count }) => count > 0).map(({ name, count }) => describe(name, count));
  } catch (error) {
    // Jobs can be told of without it.
    if (!(error instanceof UserError)) throw error;
    return [`Whether messages were given up is not known: ${error.message}`];
  }
}

/** Those that somebody looks at just now included. */
async function countMessages(client: SQSClient, queueUrl: string): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

function describe(name: string, count: number): string {
  const messages = count === 1 ? '1 message' : `${count} messages`;
  return `The dead-letter queue of “${name}” holds ${messages}: that work was given up and stands still. docs/operating.md#dead-letters tells what to do.`;
}
