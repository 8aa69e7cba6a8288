/**
 * One machine in the place of AWS: the three handlers, fed from the queues of the embedded services.
 */
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { functionLimits } from '../../lambdas/core/limits.ts';
import { setVariables } from '../setVariables.ts';
import { bucketName, type DeadLetter, type EmbeddedServices, type QueueName } from './embeddedServices.ts';
import { type Handler, runEventSource } from './eventSource.ts';
import { type LocalStorage, openLocalStorage } from './localStorage.ts';

export interface HandlerOptions {
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
  /** More invitations than this hold an upload. */
  readonly newPeopleMax?: number;
  /** More rejected rows among the last ones than this stop a job. */
  readonly rejectedPercentMax?: number;
  readonly callTimeoutSeconds?: number;
  /** What a person adds to a command to mean this data folder. */
  readonly commandOptions?: string;
  readonly retryDelaySeconds?: number;
  readonly outageDelaySeconds?: number;
}

export interface LocalHost extends Pick<LocalStorage, 'store' | 's3' | 'bucket'> {
  /** Messages that were given up. */
  deadLetters(): readonly DeadLetter[];
  /** Runs the handlers until the signal is aborted and they have ended in order. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** @param dataFolder Where the state of the embedded services is kept. They end with the host. */
export async function startLocalHost({
  dataFolder,
  ...options
}: HandlerOptions & { readonly dataFolder: string }): Promise<LocalHost> {
  const storage = await openLocalStorage(dataFolder);
  const host = await startHandlers(storage, options);
  const close = async () => {
    await host.close();
    await storage.close();
  };
  return { ...host, close };
}

/** Takes over what an earlier process has left. At most one host in a process: the handlers are loaded once. */
export async function startHandlers(storage: LocalStorage, options: HandlerOptions): Promise<LocalHost> {
  const { services, store, s3, bucket } = storage;
  setEnvironment(options, services);
  const sqs = new SQSClient();
  await services.redrive();
  await takeOver(services, sqs);
  return {
    store,
    s3,
    bucket,
    deadLetters: services.deadLetters,
    run: (signal) => runHandlers(options, services, sqs, signal),
    close: async () => sqs.destroy(),
  };
}

/** The handlers read their settings from the environment, here as on AWS. */
function setEnvironment(options: HandlerOptions, { queueUrls }: EmbeddedServices): void {
  setVariables({
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
    BULK_INVITE_NEW_PEOPLE_MAX: options.newPeopleMax,
    BULK_INVITE_REJECTED_PERCENT_MAX: options.rejectedPercentMax,
    BULK_INVITE_CALL_TIMEOUT_SECONDS: options.callTimeoutSeconds,
    BULK_INVITE_COMMAND_OPTIONS: options.commandOptions,
    BULK_INVITE_RETRY_DELAY_SECONDS: options.retryDelaySeconds,
    BULK_INVITE_OUTAGE_DELAY_SECONDS: options.outageDelaySeconds,
    DCI_API_KEY: options.apiKey,
    BULK_INVITE_API_KEY_SECRET_ARN: undefined,
    POWERTOOLS_METRICS_DISABLED: 'true',
  });
}

/** Nobody else uses the data folder, so messages that are still hidden belong to a process that has ended. */
async function takeOver(services: EmbeddedServices, sqs: SQSClient): Promise<void> {
  for (const { queue, receiptHandle } of services.abandoned()) {
    const input = { QueueUrl: services.queueUrls[queue], ReceiptHandle: receiptHandle, VisibilityTimeout: 1 };
    await sqs.send(new ChangeMessageVisibilityCommand(input));
  }
}

async function runHandlers(
  options: HandlerOptions,
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
