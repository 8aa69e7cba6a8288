/**
 * The stack: everything that one tenant needs on AWS.
 */
import { type App, Aws, CfnOutput, Stack } from 'aws-cdk-lib';
import { fillSecretCommand } from '../lambdas/core/apiKeySecret.ts';
import type { FunctionName } from '../lambdas/core/limits.ts';
import { type Access, addAccess } from './access.ts';
import { addAlarms } from './alarms.ts';
import { addApiKeySecret } from './apiKeySecret.ts';
import { addBucket } from './bucket.ts';
import { addDashboard } from './dashboard.ts';
import { addFunctions } from './functions.ts';
import { outputNames } from './outputs.ts';
import { addQueues, type Queues } from './queues.ts';
import { addRosters } from './rosters.ts';
import type { Settings } from './settings.ts';

/** @param bundleFolder Where the bundle of a function lies. */
export function bulkInviteStack(app: App, settings: Settings, bundleFolder: (name: FunctionName) => string): Stack {
  const stack = new Stack(app, settings.stack, {
    description: 'bulk-invite: invites everyone in a CSV to a DoiT organization, once, and reports on every row.',
  });
  const queues = addQueues(stack);
  const bucket = addBucket(stack, settings, queues.uploads.queue);
  const secret = addApiKeySecret(stack, settings);
  const functions = addFunctions(stack, { settings, bucket, queues, secret, bundleFolder });
  const access = addAccess(stack, bucket, queues, settings);
  const rosters = addRosters(stack, settings.rosters, queues.uploads.queue);
  const alarms = addAlarms(stack, settings, queues, functions, rosters);
  const dashboard = addDashboard(stack, { settings, queues, functions, alarms });
  output(stack, {
    bucket: bucket.bucketName,
    ...describeQueues(queues),
    ...describeAccess(access),
    apiKeySecretArn: secret.arn,
    ...(settings.apiKeySecretArn === undefined ? { fillApiKey: fillSecretCommand(secret.arn, Aws.REGION) } : {}),
    ingestSourceId: functions.ingest.source.eventSourceMappingId,
    workerSourceId: functions.worker.source.eventSourceMappingId,
    alarmTopicArn: alarms.topic.topicArn,
    dashboardUrl: `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards:name=${dashboard.dashboardName}`,
  });
  return stack;
}

type Outputs = { readonly [name in keyof typeof outputNames]?: string };

function describeQueues({ uploads, chunks, reports }: Queues): Outputs {
  return {
    uploadsDeadLettersUrl: uploads.deadLetters.queueUrl,
    chunksDeadLettersUrl: chunks.deadLetters.queueUrl,
    reportsDeadLettersUrl: reports.deadLetters.queueUrl,
    uploadsDeadLettersArn: uploads.deadLetters.queueArn,
    chunksDeadLettersArn: chunks.deadLetters.queueArn,
    reportsDeadLettersArn: reports.deadLetters.queueArn,
  };
}

function describeAccess(access: Access): Outputs {
  const { uploaderPolicy, readerPolicy, commandPolicy, approverPolicy, uploaderRole, readerRole, approverRole } =
    access;
  return {
    uploaderPolicyArn: uploaderPolicy.managedPolicyArn,
    readerPolicyArn: readerPolicy.managedPolicyArn,
    commandPolicyArn: commandPolicy.managedPolicyArn,
    approverPolicyArn: approverPolicy.managedPolicyArn,
    ...(uploaderRole === undefined ? {} : { uploaderRoleArn: uploaderRole.roleArn }),
    ...(readerRole === undefined ? {} : { readerRoleArn: readerRole.roleArn }),
    ...(approverRole === undefined ? {} : { approverRoleArn: approverRole.roleArn }),
  };
}

function output(stack: Stack, values: Outputs): void {
  for (const [name, outputName] of Object.entries(outputNames)) {
    const value = values[name as keyof typeof outputNames];
    if (value !== undefined) new CfnOutput(stack, outputName, { value });
  }
}
