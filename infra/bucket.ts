/**
 * The bucket: uploads come in, the ledger of the jobs lies there, reports go out. And a second one for its access logs.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import {
  anyJob,
  approvalKey,
  begunPrefix,
  endedPrefix,
  incomingPrefix,
  jobsPrefix,
  reportsPrefix,
  resentPrefix,
  rostersPrefix,
  stopKey,
} from '../lambdas/core/keys.ts';
import { rosterLimits } from '../lambdas/core/limits.ts';
import type { Settings } from './settings.ts';

/** Nothing here is thrown away with the stack: it holds what people uploaded and what became of it. */
const safe = {
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
};

const accessLogDays = 90;
/** An upload that was replaced is still needed by its job; a report that was deleted by mistake can be fetched back. */
const replacedDays = 14;
/** A chunk is replaced with every save of its progress, and nobody reads what it was before. */
const replacedJobDays = 1;
/** Written anew by every run, so it is as old as the last one; longer than a year, for a roster that is run once a year. */
const rosterDays = 400;
/** A note is of use until the invitation may be sent once more. S3 deletes no sooner than after so many whole days. */
const resentDays = Math.ceil(rosterLimits.resendEveryMs / Duration.days(1).toMilliseconds());

export function addBucket(scope: Construct, settings: Settings, uploadsQueue: Queue): Bucket {
  const accessLogs = new Bucket(scope, 'AccessLogs', {
    ...safe,
    lifecycleRules: [{ expiration: Duration.days(accessLogDays) }],
  });
  const bucket = new Bucket(scope, 'Bucket', {
    ...safe,
    versioned: true,
    // Its class and its interface disagree on whether a property may be undefined.
    serverAccessLogsBucket: accessLogs as IBucket,
    lifecycleRules: [
      expire(incomingPrefix, settings.uploadDays, replacedDays),
      expire(jobsPrefix, settings.uploadDays, replacedJobDays),
      expire(begunPrefix, settings.uploadDays, replacedJobDays),
      expire(endedPrefix, settings.uploadDays, replacedJobDays),
      expire(reportsPrefix, settings.reportDays, replacedDays),
      expire(rostersPrefix, rosterDays, replacedJobDays),
      expire(resentPrefix, resentDays, replacedJobDays),
      { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
  });
  announceWrites(bucket, uploadsQueue);
  // Without them, the buckets that stay would take connections that are not encrypted, and no more access logs.
  for (const { policy } of [bucket, accessLogs]) policy?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return bucket;
}

function expire(prefix: string, days: number, replacedDays: number) {
  return {
    id: prefix.slice(0, -1),
    prefix,
    expiration: Duration.days(days),
    noncurrentVersionExpiration: Duration.days(replacedDays),
  };
}

/** Uploads, and what is decided about jobs. S3 lets prefixes overlap as long as the suffixes do not. */
const announced = [
  { prefix: incomingPrefix },
  ...[approvalKey(anyJob), stopKey(anyJob)].map((key) => ({
    prefix: jobsPrefix,
    suffix: key.slice(key.indexOf('*') + 1),
  })),
];

/** Said to CloudFormation itself: the CDK's own way adds a function that may change the notifications of every bucket. */
function announceWrites(bucket: Bucket, uploadsQueue: Queue): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = {
    queueConfigurations: announced.map((rules) => ({
      event: 's3:ObjectCreated:*',
      filter: { s3Key: { rules: Object.entries(rules).map(([name, value]) => ({ name, value })) } },
      queue: uploadsQueue.queueArn,
    })),
  };
  // S3 tries to write to the queue at once.
  resource.node.addDependency(uploadsQueue.node.findChild('Policy'));
}
