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
import { begunPrefix, endedPrefix, incomingPrefix, jobsPrefix, reportsPrefix } from '../lambdas/core/keys.ts';
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
      { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
  });
  announceUploads(bucket, uploadsQueue);
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

/** Said to CloudFormation itself: the CDK's own way adds a function that may change the notifications of every bucket. */
function announceUploads(bucket: Bucket, uploadsQueue: Queue): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = {
    queueConfigurations: [
      {
        event: 's3:ObjectCreated:*',
        filter: { s3Key: { rules: [{ name: 'prefix', value: incomingPrefix }] } },
        queue: uploadsQueue.queueArn,
      },
    ],
  };
  // S3 tries to write to the queue at once.
  resource.node.addDependency(uploadsQueue.node.findChild('Policy'));
}
