/**
 * Ways in for people and systems: a policy that can only upload and one that can only read reports, to be attached to whoever
 * needs it; and, for a principal that the settings name, a role with one of them.
 */
import { Stack } from 'aws-cdk-lib';
import { ArnPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { incomingPrefix, reportsPrefix } from '../lambdas/core/keys.ts';
import { acknowledge } from './acknowledge.ts';
import type { Settings } from './settings.ts';

export interface Access {
  readonly uploaderPolicy: ManagedPolicy;
  readonly readerPolicy: ManagedPolicy;
  readonly uploaderRole: Role | undefined;
  readonly readerRole: Role | undefined;
}

export function addAccess(scope: Construct, bucket: Bucket, settings: Settings): Access {
  const uploaderPolicy = new ManagedPolicy(scope, 'UploaderPolicy', {
    description: 'May put files of people to invite into the bucket, and nothing else.',
    statements: [
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(`${incomingPrefix}*`)] }),
    ],
  });
  const readerPolicy = new ManagedPolicy(scope, 'ReaderPolicy', {
    description: 'May find and read the reports in the bucket, and nothing else.',
    statements: [
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects(`${reportsPrefix}*`)] }),
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': `${reportsPrefix}*` } },
      }),
    ],
  });
  acknowledgePrefix(uploaderPolicy, bucket, incomingPrefix, 'Who uploads chooses the name.');
  acknowledgePrefix(readerPolicy, bucket, reportsPrefix, 'Who reads reports may read every one of them.');
  return {
    uploaderPolicy,
    readerPolicy,
    uploaderRole: addRole(scope, 'UploaderRole', uploaderPolicy, settings.uploaderPrincipalArn),
    readerRole: addRole(scope, 'ReaderRole', readerPolicy, settings.readerPrincipalArn),
  };
}

function acknowledgePrefix(policy: ManagedPolicy, bucket: Bucket, prefix: string, reason: string): void {
  const bucketId = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket);
  acknowledge(policy, `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${prefix}*]`, reason);
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
