/**
 * What each function may do, written out: which objects by prefix, which queues. None may delete anything, none may
 * approve a job, and none may do anything with a queue that is not its business.
 */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import {
  anyJob,
  approvalKey,
  begunPrefix,
  chunksPrefixOf,
  directoryKey,
  driftKey,
  endedPrefix,
  endKey,
  incomingPrefix,
  ingestPartKey,
  jobKey,
  jobsPrefix,
  manifestKey,
  openInvitationsKey,
  partsPrefixOf,
  reportsPrefix,
  resentPrefix,
  rosterKey,
  rostersPrefix,
  stopKey,
} from '../lambdas/core/keys.ts';
import type { FunctionName } from '../lambdas/core/limits.ts';
import { acknowledge } from './acknowledge.ts';
import type { ApiKeySecret } from './apiKeySecret.ts';
import type { Queues } from './queues.ts';

const uploads = `${incomingPrefix}*`;
const job = jobKey(anyJob);
const directory = directoryKey(anyJob);
const chunks = `${chunksPrefixOf(anyJob)}*`;
const ingestPart = ingestPartKey(anyJob);
const parts = `${partsPrefixOf(anyJob)}*`;
const manifest = manifestKey(anyJob);
const stop = stopKey(anyJob);
const approval = approvalKey(anyJob);
const end = endKey(anyJob);
const drift = driftKey(anyJob);
const anyRoster = '*';
const rosterRun = rosterKey(anyRoster);
const rosterOpen = openInvitationsKey(anyRoster);
const resent = `${resentPrefix}*`;
const begun = `${begunPrefix}*`;
const ended = `${endedPrefix}*`;
const reports = `${reportsPrefix}*`;
const summaries = `${reportsPrefix}*/summary.json`;

const ofEveryJob = 'A job makes a folder of its own, so its name is open; which objects in it are meant is not.';
const ofEveryUpload = 'People and systems choose the names of uploads, and a report lies under the name of its upload.';
const ofEveryRoster = 'The settings name the rosters; which objects of one are meant is not open.';
const ofEveryPerson = 'A note is named after the person whose invitation was sent again.';
const whyOpen: readonly (readonly [pattern: string, reason: string])[] = [
  ...[job, directory, chunks, ingestPart, parts, manifest, stop, approval, end, drift, begun, ended].map(
    (pattern) => [pattern, ofEveryJob] as const,
  ),
  ...[rosterRun, rosterOpen].map((pattern) => [pattern, ofEveryRoster] as const),
  [resent, ofEveryPerson],
  ...[uploads, reports, summaries].map((pattern) => [pattern, ofEveryUpload] as const),
];

export function permissionsOf(
  name: FunctionName,
  bucket: Bucket,
  queues: Queues,
  secret: ApiKeySecret,
): readonly PolicyStatement[] {
  switch (name) {
    case 'ingest':
      return [
        // An upload is read as the version that the event names; the mapping beside it as it is now.
        allow(['s3:GetObjectVersion'], objects(bucket, uploads)),
        allow(['s3:GetObject'], objects(bucket, uploads, job, directory, chunks, manifest, summaries)),
        allow(['s3:GetObject'], objects(bucket, approval, stop, rosterRun, rosterOpen)),
        allow(['s3:PutObject'], objects(bucket, job, directory, chunks, ingestPart, manifest, begun, ended)),
        // It stops a run of a roster that waits for approval when the next one comes.
        allow(['s3:PutObject'], objects(bucket, stop, drift, rosterRun, rosterOpen)),
        allow(['s3:AbortMultipartUpload'], objects(bucket, directory, ingestPart, drift)),
        missUploads(bucket),
        list(bucket, jobsPrefix, begunPrefix, endedPrefix, reportsPrefix, rostersPrefix),
        consume(queues.uploads.queue),
        send(queues.chunks.queue, queues.reports.queue),
        ...secret.readStatements,
      ];
    case 'worker':
      return [
        allow(['s3:GetObject'], objects(bucket, chunks, parts, manifest, stop, resent)),
        allow(['s3:PutObject'], objects(bucket, chunks, parts, stop, resent)),
        allow(['s3:AbortMultipartUpload'], objects(bucket, parts)),
        list(bucket, jobsPrefix, begunPrefix, endedPrefix, resentPrefix),
        consume(queues.chunks.queue),
        send(queues.reports.queue),
        ...secret.readStatements,
      ];
    case 'report':
      return [
        allow(['s3:GetObjectVersion'], objects(bucket, uploads)),
        allow(
          ['s3:GetObject'],
          objects(bucket, job, manifest, stop, approval, end, chunks, parts, drift, summaries, rosterRun, rosterOpen),
        ),
        allow(['s3:PutObject'], objects(bucket, ended, end, rosterRun, rosterOpen)),
        allow(['s3:PutObject', 's3:AbortMultipartUpload'], objects(bucket, reports)),
        missUploads(bucket),
        list(bucket, jobsPrefix, reportsPrefix, rostersPrefix),
        consume(queues.reports.queue),
      ];
    default:
      return name satisfies never;
  }
}

/** For the patterns above and no others: a new one has to be given its reason there. */
export function acknowledgePatterns(role: Role, bucket: Bucket, statements: readonly PolicyStatement[]): void {
  const used = new Set(statements.flatMap(({ resources }) => resources));
  const bucketId = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket);
  for (const [pattern, reason] of whyOpen) {
    if (used.has(bucket.arnForObjects(pattern)))
      acknowledge(role, `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${pattern}]`, reason);
  }
}

function allow(actions: readonly string[], resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources] });
}

function objects(bucket: Bucket, ...patterns: readonly string[]): string[] {
  return patterns.map((pattern) => bucket.arnForObjects(pattern));
}

/**
 * To list, and to be told 404 instead of 403 where an object is missing: S3 then asks for this very permission, with the
 * missing key in the place of the prefix.
 */
function list(bucket: Bucket, ...prefixes: readonly string[]): PolicyStatement {
  return listWith(['s3:ListBucket'], bucket, prefixes);
}

/**
 * The same for uploads, which are read by version. AWS does not say which of the two S3 asks for where a version is missing.
 * With a 403, an upload that was deleted for good would be a fault, tried again until the message is given up; and to take every
 * 403 for a missing upload would hide that a policy stands in the way.
 */
function missUploads(bucket: Bucket): PolicyStatement {
  return listWith(['s3:ListBucket', 's3:ListBucketVersions'], bucket, [incomingPrefix]);
}

function listWith(actions: readonly string[], bucket: Bucket, prefixes: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
  });
}

/** The first three are what Lambda needs to feed a function; with the last one the function hides what it gives back. */
function consume(queue: IQueue): PolicyStatement {
  const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'];
  return allow(actions, [queue.queueArn]);
}

function send(...queues: readonly IQueue[]): PolicyStatement {
  return allow(
    ['sqs:SendMessage'],
    queues.map((queue) => queue.queueArn),
  );
}
