/**
 * One machine in the place of AWS: the embedded services, and the three handlers fed from their queues.
 */
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { s3ObjectStore } from '../../lambdas/adapters/s3ObjectStore.ts';
import { functionLimits } from '../../lambdas/core/limits.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { bucketName, type EmbeddedServices, type QueueName, startEmbeddedServices } from './embeddedServices.ts';
import { type Handler, runEventSource } from './eventSource.ts';

export interface LocalHostOptions {
  readonly dataFolder: string;
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly tenantId?: string;
  /** Worker invocations at once. */
  readonly workers: number;
  /** Calls at once in each of them. */
  readonly concurrency: number;
  readonly role?: string;
  readonly organization?: string;
  readonly invitesGone: boolean;
  readonly allowedDomains: readonly string[];
  readonly callTimeoutSeconds?: number;
  readonly retryDelaySeconds?: number;
  readonly outageDelaySeconds?: number;
}

export interface LocalHost {
  readonly store: ObjectStore;
  readonly s3: S3Client;
  readonly bucket: string;
  /** Sends the event of an upload once more; a second one of the same upload changes nothing. */
  announce(key: string, etag: string): void;
  /** Queues whose messages were given up. */
  deadLetters(): readonly QueueName[];
  /** Runs the handlers until the signal is aborted and they have ended in order. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const services = await startEmbeddedServices(options.dataFolder);
  setEnvironment(options, services);
  const s3 = new S3Client();
  const sqs = new SQSClient();
  await services.redrive();
  await takeOver(services, sqs);
  return {
    store: s3ObjectStore(s3, bucketName),
    s3,
    bucket: bucketName,
    announce: services.announce,
    deadLetters: services.deadLetters,
    run: (signal) => runHandlers(options, services, sqs, signal),
    close: async () => {
      s3.destroy();
      sqs.destroy();
      await services.close();
    },
  };
}

/** The handlers read their settings from the environment, here as on AWS. */
function setEnvironment(options: LocalHostOptions, services: EmbeddedServices): void {
  const { queueUrls, endpoint } = services;
  const settings: Record<string, string | number | undefined> = {
    BULK_INVITE_BUCKET: bucketName,
    BULK_INVITE_UPLOADS_QUEUE_URL: queueUrls.uploads,
    BULK_INVITE_CHUNKS_QUEUE_URL: queueUrls.chunks,
    BULK_INVITE_REPORTS_QUEUE_URL: queueUrls.reports,
    BULK_INVITE_API_URL: options.apiUrl,
    BULK_INVITE_TENANT_ID: options.tenantId,
    BULK_INVITE_WORKERS: options.workers,
    BULK_INVITE_CONCURRENCY: options.concurrency,
    BULK_INVITE_ROLE: options.role,
    BULK_INVITE_ORGANIZATION: options.organization,
    BULK_INVITE_INVITE_GONE: String(options.invitesGone),
    BULK_INVITE_ALLOWED_DOMAINS: options.allowedDomains.join(','),
    BULK_INVITE_CALL_TIMEOUT_SECONDS: options.callTimeoutSeconds,
    BULK_INVITE_RETRY_DELAY_SECONDS: options.retryDelaySeconds,
    BULK_INVITE_OUTAGE_DELAY_SECONDS: options.outageDelaySeconds,
    DCI_API_KEY: options.apiKey,
    BULK_INVITE_API_KEY_SECRET_ARN: undefined,
    POWERTOOLS_METRICS_DISABLED: 'true',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: services.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: services.credentials.secretAccessKey,
    AWS_ENDPOINT_URL: endpoint,
    // What a person has set for real AWS must not reach the embedded services.
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: join(options.dataFolder, 'no-aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(options.dataFolder, 'no-aws-config'),
  };
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = String(value);
  }
}

/** Nobody else uses the data folder, so messages that are still hidden belong to a process that has ended. */
async function takeOver(services: EmbeddedServices, sqs: SQSClient): Promise<void> {
  for (const { queue, receiptHandle } of services.abandoned()) {
    const input = { QueueUrl: services.queueUrls[queue], ReceiptHandle: receiptHandle, VisibilityTimeout: 1 };
    await sqs.send(new ChangeMessageVisibilityCommand(input));
  }
}

async function runHandlers(
  options: LocalHostOptions,
  services: EmbeddedServices,
  sqs: SQSClient,
  signal: AbortSignal,
): Promise<void> {
  // Loaded only now: each reads its settings as it is loaded.
  const [ingest, worker, report] = await Promise.all([
    import('../../lambdas/ingest/handler.ts'),
    import('../../lambdas/worker/handler.ts'),
    import('../../lambdas/report/handler.ts'),
  ]);
  const source = (
    functionName: keyof typeof functionLimits,
    queue: QueueName,
    handler: Handler,
    concurrency: number,
  ) => {
    const { timeLimitMs } = functionLimits[functionName];
    const queueUrl = services.queueUrls[queue];
    return runEventSource(sqs, { functionName, queueUrl, handler, concurrency, timeLimitMs }, signal);
  };
  await Promise.all([
    source('ingest', 'uploads', ingest.handler, 1),
    source('worker', 'chunks', worker.handler, options.workers),
    source('report', 'reports', report.handler, 1),
  ]);
}
