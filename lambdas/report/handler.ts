/**
 * The report function: takes report messages from the reports queue.
 */
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { csvFormat } from '../adapters/csvFormat.ts';
import { powertoolsLog } from '../adapters/log.ts';
import { powertoolsMetrics } from '../adapters/metrics.ts';
import { s3ObjectStore } from '../adapters/s3ObjectStore.ts';
import { readSettings, reportSettings } from '../adapters/settings.ts';
import { sqsIncomingQueue } from '../adapters/sqsQueues.ts';
import { systemClock } from '../adapters/systemClock.ts';
import { consume } from '../consume.ts';
import { report } from './report.ts';

const settings = readSettings(reportSettings, process.env);
const sqs = new SQSClient();
const log = powertoolsLog('report');
const store = s3ObjectStore(new S3Client(), settings.BULK_INVITE_BUCKET);
const metrics = powertoolsMetrics();
const handleReport = report(
  { store, clock: systemClock, csv: csvFormat, log, metrics },
  { commandOptions: settings.BULK_INVITE_COMMAND_OPTIONS },
);

const queue = sqsIncomingQueue(sqs, settings.BULK_INVITE_REPORTS_QUEUE_URL);

export const handler = consume(handleReport, queue, log, metrics);
