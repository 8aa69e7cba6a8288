/**
 * Which permission a request needs, and who can give it.
 *
 * Source: Service Authorization Reference, Amazon S3, Amazon SQS, AWS STS and AWS CloudFormation.
 */
import { anyJob, approvalKey, incomingPrefix, jobsPrefix, reportsPrefix, stopKey } from '../../lambdas/core/keys.ts';
import type { AwsContext } from './awsSentences.ts';

interface Input {
  readonly Bucket?: string;
  readonly Key?: string;
  readonly Prefix?: string;
  readonly VersionId?: string;
  readonly QueueUrl?: string;
}

interface Permission {
  readonly action: string;
  readonly resource: string;
  /** The folder of the bucket that it is about. */
  readonly folder: string;
  /** Whether it is to let a held job go on, or to end a job. */
  readonly isDecision?: boolean;
}

/** A sentence on a permission that the person lacks. */
export function describePermission(commandName: string, input: Input, context: AwsContext): string {
  const permission = permissionOf(commandName, input, context);
  const { action, resource } = permission;
  const remedy = remedyFor(permission, context);
  // Without the right to list, S3 gives this answer for an object that does not exist, too.
  const alsoList =
    action === 's3:GetObject'
      ? ' If you have it, s3:ListBucket is what is missing: it comes with the same policy.'
      : '';
  return `You lack the permission ${action} on ${resource}. ${remedy}${alsoList}`;
}

function permissionOf(commandName: string, input: Input, context: AwsContext): Permission {
  const { Bucket = '', Key = '', Prefix, VersionId, QueueUrl = '' } = input;
  const partition = context.policies?.uploader.split(':')[1] ?? 'aws';
  const folder = [incomingPrefix, jobsPrefix, reportsPrefix].find((prefix) => (Prefix ?? Key).startsWith(prefix)) ?? '';
  const objects = `arn:${partition}:s3:::${Bucket}/${folder}*`;
  const permission = (action: string, resource = objects): Permission => ({ action, resource, folder });
  switch (commandName) {
    case 'DescribeStacksCommand':
      return permission('cloudformation:DescribeStacks', `the stack “${context.stack}”`);
    case 'ListObjectsV2Command':
      return permission('s3:ListBucket', `arn:${partition}:s3:::${Bucket} (prefix ${folder})`);
    case 'HeadObjectCommand':
    case 'GetObjectCommand':
      return permission(VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion');
    case 'GetQueueAttributesCommand':
      return permission('sqs:GetQueueAttributes', `the queue ${QueueUrl}`);
    case 'AbortMultipartUploadCommand':
      return permission('s3:AbortMultipartUpload');
    case 'GetCallerIdentityCommand':
      return permission('sts:GetCallerIdentity', 'yourself');
    default: {
      const decision = decisions.find((end) => folder === jobsPrefix && Key.endsWith(end));
      if (decision === undefined) return permission('s3:PutObject');
      return {
        ...permission('s3:PutObject', `arn:${partition}:s3:::${Bucket}/${folder}*${decision}`),
        isDecision: true,
      };
    }
  }
}

const decisions = [approvalKey(anyJob), stopKey(anyJob)].map((key) => key.slice(key.lastIndexOf('/')));

function remedyFor(permission: Permission, context: AwsContext): string {
  const { action, resource, folder } = permission;
  const policy = policyFor(permission, context);
  if (policy === undefined)
    return `Ask whoever administers the AWS account for a policy that allows ${action} on ${resource}.`;
  const approver = context.policies?.approver;
  // Who looks at a job may be about to decide about it.
  if (folder === jobsPrefix && policy !== approver && approver !== undefined)
    return `The policy ${policy} gives it, and so does ${approver} to those who approve jobs: ask whoever administers the AWS account to attach one of them to you.`;
  return `The policy ${policy} gives it: ask whoever administers the AWS account to attach that to you.`;
}

/**
 * The narrowest policy of the stack that gives it: one can only upload, one can only read reports, one is for all of the
 * command but decisions about jobs, and one for those and for seeing the jobs.
 */
function policyFor({ action, folder, isDecision }: Permission, { policies }: AwsContext): string | undefined {
  if (isDecision === true) return policies?.approver;
  if (action === 's3:PutObject' && folder === incomingPrefix) return policies?.uploader;
  const reads = action === 's3:GetObject' || action === 's3:ListBucket';
  return reads && folder === reportsPrefix ? policies?.reader : policies?.command;
}
