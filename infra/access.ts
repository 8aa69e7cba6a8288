/**
 * Ways in for people and systems: a policy that can only upload, one that can only read reports, one with all that the command
 * needs but for decisions, and one with all that it takes to decide about jobs, which cannot upload. Each is enough by itself, to be
 * attached to whoever needs it; and, for a principal that the settings name, a role with one of them.
 */
import { Aws, Stack } from 'aws-cdk-lib';
import { ArnPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { anyJob, approvalKey, incomingPrefix, jobsPrefix, reportsPrefix, stopKey } from '../lambdas/core/keys.ts';
import { acknowledge } from './acknowledge.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';

export interface Access {
  readonly uploaderPolicy: ManagedPolicy;
  readonly readerPolicy: ManagedPolicy;
  readonly commandPolicy: ManagedPolicy;
  readonly approverPolicy: ManagedPolicy;
  readonly uploaderRole: Role | undefined;
  readonly readerRole: Role | undefined;
  readonly approverRole: Role | undefined;
}

export function addAccess(scope: Construct, bucket: Bucket, queues: Queues, settings: Settings): Access {
  const uploaderPolicy = new ManagedPolicy(scope, 'UploaderPolicy', {
    description: 'May put files of people to invite into the bucket, and nothing else.',
    statements: [
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(`${incomingPrefix}*`)] }),
    ],
  });
  const readerPolicy = new ManagedPolicy(scope, 'ReaderPolicy', {
    description: 'May find the stack, find and read the reports in its bucket, and nothing else.',
    statements: [
      findStack(scope),
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects(`${reportsPrefix}*`)] }),
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': `${reportsPrefix}*` } },
      }),
    ],
  });
  const commandPolicy = addCommandPolicy(scope, bucket, queues);
  const approverPolicy = addApproverPolicy(scope, bucket, queues);
  acknowledgePrefix(uploaderPolicy, bucket, incomingPrefix, 'Who uploads chooses the name.');
  acknowledgeStack(readerPolicy);
  acknowledgePrefix(readerPolicy, bucket, reportsPrefix, 'Who reads reports may read every one of them.');
  return {
    uploaderPolicy,
    readerPolicy,
    commandPolicy,
    approverPolicy,
    uploaderRole: addRole(scope, 'UploaderRole', uploaderPolicy, settings.uploaderPrincipalArn),
    readerRole: addRole(scope, 'ReaderRole', readerPolicy, settings.readerPrincipalArn),
    approverRole: addRole(scope, 'ApproverRole', approverPolicy, settings.approverPrincipalArn),
  };
}

/** What `bulk-invite submit`, `status`, `watch`, `report` and `upload-link` ask for. It changes no job and reads no key. */
function addCommandPolicy(scope: Construct, bucket: Bucket, queues: Queues): ManagedPolicy {
  const policy = new ManagedPolicy(scope, 'CommandPolicy', {
    description: 'May use the bulk-invite command: upload files, see the jobs and fetch the reports.',
    statements: [
      ...seeJobs(scope, bucket, queues),
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:GetObjectVersion', 's3:PutObject'],
        resources: [bucket.arnForObjects(`${incomingPrefix}*`)],
      }),
    ],
  });
  acknowledgeSeen(policy, bucket);
  return policy;
}

/**
 * What `bulk-invite approve`, `reject`, `cancel`, `status`, `watch` and `report` ask for. Nothing else may write an approval; and
 * who has this may upload nothing, so that nobody has to be able to approve what they have uploaded.
 */
function addApproverPolicy(scope: Construct, bucket: Bucket, queues: Queues): ManagedPolicy {
  const decisions = [approvalKey(anyJob), stopKey(anyJob)];
  const policy = new ManagedPolicy(scope, 'ApproverPolicy', {
    description: 'May see the jobs, fetch the reports, and approve, reject and cancel jobs; may not upload.',
    statements: [
      ...seeJobs(scope, bucket, queues),
      new PolicyStatement({
        actions: ['s3:PutObject'],
        resources: decisions.map((key) => bucket.arnForObjects(key)),
      }),
    ],
  });
  acknowledgeSeen(policy, bucket);
  for (const key of decisions) acknowledgePattern(policy, bucket, key, 'Who approves may decide about every job.');
  return policy;
}

const seen = [incomingPrefix, jobsPrefix, reportsPrefix];

/** Whatever is done about a job begins with seeing it. */
function seeJobs(scope: Construct, bucket: Bucket, queues: Queues): PolicyStatement[] {
  return [
    findStack(scope),
    new PolicyStatement({
      actions: ['s3:GetObject'],
      resources: seen.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
    }),
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': seen.map((prefix) => `${prefix}*`) } },
    }),
    // How many messages were given up; not what is in them.
    new PolicyStatement({
      actions: ['sqs:GetQueueAttributes'],
      resources: Object.values(queues).map(({ deadLetters }) => deadLetters.queueArn),
    }),
  ];
}

function acknowledgeSeen(policy: ManagedPolicy, bucket: Bucket): void {
  acknowledgeStack(policy);
  for (const prefix of seen)
    acknowledgePrefix(policy, bucket, prefix, 'The command shows every upload, job and report of this stack.');
}

/** The command begins with it. CloudFormation is asked by name, and then looks for a permission on all stacks of this name. */
function findStack(scope: Construct): PolicyStatement {
  const stacksOfThisName = Stack.of(scope).formatArn({
    service: 'cloudformation',
    resource: 'stack',
    resourceName: `${Aws.STACK_NAME}/*`,
  });
  return new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stacksOfThisName] });
}

function acknowledgeStack(policy: ManagedPolicy): void {
  acknowledge(
    policy,
    'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/<AWS::StackName>/*]',
    'CloudFormation is asked by name, and the id of the stack is then left open.',
  );
}

function acknowledgePrefix(policy: ManagedPolicy, bucket: Bucket, prefix: string, reason: string): void {
  acknowledgePattern(policy, bucket, `${prefix}*`, reason);
}

function acknowledgePattern(policy: ManagedPolicy, bucket: Bucket, pattern: string, reason: string): void {
  const bucketId = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket);
  acknowledge(policy, `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${pattern}]`, reason);
}

function addRole(
  scope: Construct,
  id: string,
  policy: ManagedPolicy,
  principalArn: string | undefined,
): Role | undefined {
  if (principalArn === undefined) return undefined;
  return new Role(scope, id, { assumedBy: new ArnPrincipal(principalArn), managedPolicies: [policy] });
}
