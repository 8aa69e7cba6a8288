/**
 * The three queues, each with one for its dead letters.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type QueueName, queueLimits, retentionLimits } from '../lambdas/core/limits.ts';
import { acknowledge } from './acknowledge.ts';

export interface QueueWithDeadLetters {
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

export type Queues = Readonly<Record<QueueName, QueueWithDeadLetters>>;

/** Encrypted by SQS itself: a key of KMS would cost more than the queues, and S3 could not write without being let in. */
export const safeQueue = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };

export function addQueues(scope: Construct): Queues {
  const queues: Queues = {
    uploads: addQueue(scope, 'Uploads', 'uploads'),
    chunks: addQueue(scope, 'Chunks', 'chunks'),
    reports: addQueue(scope, 'Reports', 'reports'),
  };
  letBucketsWrite(queues.uploads.queue);
  return queues;
}

function addQueue(scope: Construct, id: string, name: QueueName): QueueWithDeadLetters {
  const deadLetters = new Queue(scope, `${id}DeadLetters`, {
    ...safeQueue,
    retentionPeriod: Duration.millis(retentionLimits.deadLetterMs),
  });
  acknowledge(deadLetters, 'Serverless-SQSRedrivePolicy', 'It is itself where messages go that were given up.');
  const { visibilityMs, receivesMax } = queueLimits[name];
  const queue = new Queue(scope, `${id}Queue`, {
    ...safeQueue,
    visibilityTimeout: Duration.millis(visibilityMs),
    retentionPeriod: Duration.millis(retentionLimits.messageMs),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: receivesMax },
  });
  return { queue, deadLetters };
}

/**
 * Buckets of this account. The bucket cannot be named here, because it is made after this policy: S3 tries to write when
 * it is told of the queue. An event of another bucket does no harm, since ingest looks in its own.
 */
function letBucketsWrite(queue: Queue): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      actions: ['sqs:SendMessage'],
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      resources: [queue.queueArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
}
