/**
 * The ingest function: takes S3 events from the uploads queue.
 */
import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { apiKeyReader } from '../adapters/apiKey.ts';
import { csvFormat } from '../adapters/csvFormat.ts';
import { connectDirectoryApi } from '../adapters/directoryApi.ts';
import { powertoolsLog } from '../adapters/log.ts';
import { measureCalls } from '../adapters/measureCalls.ts';
import { powertoolsMetrics } from '../adapters/metrics.ts';
import { s3ObjectStore } from '../adapters/s3ObjectStore.ts';
import { apiSettings, given, ingestSettings, readSettings } from '../adapters/settings.ts';
import { sqsIncomingQueue, sqsOutgoingQueue } from '../adapters/sqsQueues.ts';
import { systemClock } from '../adapters/systemClock.ts';
import { consume } from '../consume.ts';
import { ingest } from './ingest.ts';

const settings = readSettings(ingestSettings, process.env);
const sqs = new SQSClient();
const log = powertoolsLog('ingest');
const metrics = powertoolsMetrics();
const readKey = apiKeyReader(settings, log);

const handleUpload = ingest(
  {
    bucket: settings.BULK_INVITE_BUCKET,
    workers: settings.BULK_INVITE_WORKERS,
    invitesGone: settings.BULK_INVITE_INVITE_GONE,
    allowedDomains: settings.BULK_INVITE_ALLOWED_DOMAINS.toLowerCase()
      .split(/[\s,]+/u)
      .filter(Boolean),
    newPeopleMax: settings.BULK_INVITE_NEW_PEOPLE_MAX,
    outageDelayMs: settings.BULK_INVITE_OUTAGE_DELAY_SECONDS * 1000,
    giveUpMs: settings.BULK_INVITE_GIVE_UP_SECONDS * 1000,
    ...given('role', settings.BULK_INVITE_ROLE),
    ...given('organization', settings.BULK_INVITE_ORGANIZATION),
  },
  {
    store: s3ObjectStore(new S3Client(), settings.BULK_INVITE_BUCKET),
    chunksQueue: sqsOutgoingQueue(sqs, settings.BULK_INVITE_CHUNKS_QUEUE_URL),
    reportsQueue: sqsOutgoingQueue(sqs, settings.BULK_INVITE_REPORTS_QUEUE_URL),
    connectApi: measureCalls(connectDirectoryApi(apiSettings(settings), readKey), metrics),
    csv: csvFormat,
    clock: systemClock,
    newToken: randomUUID,
    log,
    metrics,
  },
);

export const handler = consume(
  handleUpload,
  sqsIncomingQueue(sqs, settings.BULK_INVITE_UPLOADS_QUEUE_URL),
  log,
  metrics,
);
