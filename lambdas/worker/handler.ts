/**
 * The worker function: takes chunk messages from the chunks queue.
 */
import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { apiKeyReader } from '../adapters/apiKey.ts';
import { connectInviteApi } from '../adapters/inviteApi.ts';
import { powertoolsLog } from '../adapters/log.ts';
import { measureCalls } from '../adapters/measureCalls.ts';
import { powertoolsMetrics } from '../adapters/metrics.ts';
import { s3ObjectStore } from '../adapters/s3ObjectStore.ts';
import { apiSettings, readSettings, workerSettings } from '../adapters/settings.ts';
import { sqsIncomingQueue, sqsOutgoingQueue } from '../adapters/sqsQueues.ts';
import { systemClock } from '../adapters/systemClock.ts';
import { consume, type HandleMessage } from '../consume.ts';
import { workerLimits } from '../core/limits.ts';
import { work } from './work.ts';

const settings = readSettings(workerSettings, process.env);
const sqs = new SQSClient();
const log = powertoolsLog('worker');
const metrics = powertoolsMetrics();
const readKey = apiKeyReader(settings, log);

const handleChunk = work(
  {
    concurrency: settings.BULK_INVITE_CONCURRENCY,
    callTimeoutMs: settings.BULK_INVITE_CALL_TIMEOUT_SECONDS * 1000,
    retryDelayMinMs: settings.BULK_INVITE_RETRY_DELAY_SECONDS * 1000,
    retryDelayMaxMs: workerLimits.retryDelayMaxMs,
    outageDelayMs: settings.BULK_INVITE_OUTAGE_DELAY_SECONDS * 1000,
    giveUpMs: settings.BULK_INVITE_GIVE_UP_SECONDS * 1000,
    rejectedShareMax: settings.BULK_INVITE_REJECTED_PERCENT_MAX / 100,
  },
  {
    store: s3ObjectStore(new S3Client(), settings.BULK_INVITE_BUCKET),
    reportsQueue: sqsOutgoingQueue(sqs, settings.BULK_INVITE_REPORTS_QUEUE_URL),
    connectApi: measureCalls(connectInviteApi(apiSettings(settings), readKey), metrics),
    clock: systemClock,
    newToken: randomUUID,
    log,
    metrics,
  },
);

/** The key is read before the chunk is claimed: no call may have to wait for it when it has seen that its lease is long enough. */
const handleWithKey: HandleMessage = async (body, invocation) => {
  await readKey();
  return await handleChunk(body, invocation);
};

const queue = sqsIncomingQueue(sqs, settings.BULK_INVITE_CHUNKS_QUEUE_URL);

export const handler = consume(handleWithKey, queue, log, metrics);
