/**
 * The environment variables of each function: what its settings (`lambdas/adapters/settings.ts`) are read from.
 */
import { Aws } from 'aws-cdk-lib';
import type { FunctionName } from '../lambdas/core/limits.ts';
import { metricsNamespace } from '../lambdas/core/metrics.ts';
import { nodeOptions } from './bundling.ts';
import type { FunctionParts } from './functions.ts';
import { defaultStackName, type Settings } from './settings.ts';

export function environmentOf(name: FunctionName, parts: FunctionParts): Record<string, string> {
  const { settings, bucket, queues, secret } = parts;
  const all = {
    NODE_OPTIONS: nodeOptions,
    POWERTOOLS_METRICS_NAMESPACE: metricsNamespace(Aws.STACK_NAME),
    BULK_INVITE_BUCKET: bucket.bucketName,
    BULK_INVITE_REPORTS_QUEUE_URL: queues.reports.queue.queueUrl,
  };
  const calling = {
    ...all,
    BULK_INVITE_CHUNKS_QUEUE_URL: queues.chunks.queue.queueUrl,
    BULK_INVITE_API_URL: settings.apiUrl,
    BULK_INVITE_API_KEY_SECRET_ARN: secret.arn,
    BULK_INVITE_CALL_TIMEOUT_SECONDS: String(settings.callTimeoutSeconds),
    BULK_INVITE_GIVE_UP_SECONDS: String(settings.giveUpHours * 3600),
    ...given('BULK_INVITE_TENANT_ID', settings.tenantId),
  };
  switch (name) {
    case 'ingest':
      return {
        ...calling,
        BULK_INVITE_UPLOADS_QUEUE_URL: queues.uploads.queue.queueUrl,
        BULK_INVITE_WORKERS: String(settings.workers),
        BULK_INVITE_INVITE_GONE: String(settings.inviteGone),
        BULK_INVITE_NEW_PEOPLE_MAX: String(settings.newPeopleMax),
        ...given('BULK_INVITE_ALLOWED_DOMAINS', settings.allowedDomains.join(',')),
        ...given('BULK_INVITE_ROLE', settings.role),
        ...given('BULK_INVITE_ORGANIZATION', settings.organization),
      };
    case 'worker':
      return {
        ...calling,
        BULK_INVITE_CONCURRENCY: String(settings.concurrency),
        BULK_INVITE_REJECTED_PERCENT_MAX: String(settings.rejectedPercentMax),
      };
    case 'report':
      return { ...all, ...given('BULK_INVITE_COMMAND_OPTIONS', stackOption(settings)) };
    default:
      return name satisfies never;
  }
}

/** For the commands in the reports; the stack of the usual name need not be said. */
function stackOption({ stack }: Settings): string | undefined {
  return stack === defaultStackName ? undefined : ` --stack ${stack}`;
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === '' ? {} : { [name]: value };
}
