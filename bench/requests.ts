/**
 * What a job costs on AWS: the requests of a measured local run, at the published prices.
 *
 * Prices: us-east-1, as AWS published them in November 2026 (aws.amazon.com/s3/pricing, /sqs/pricing, /lambda/pricing,
 * /cloudwatch/pricing), without anything that is free. docs/deploy.md has the table.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { chunkRowsFor } from '../lambdas/core/chunking.ts';
import { workerLimits } from '../lambdas/core/limits.ts';
import { outputOf } from './command.ts';
import { type Figure, figure, noTarget } from './figure.ts';
import { withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const dollars = {
  /** PutObject, the parts of a large upload, lists. */
  s3Write: 0.005 / 1000,
  s3Read: 0.0004 / 1000,
  /** A queue whose messages have a group costs a quarter more. */
  sqsRequest: 0.5 / 1_000_000,
  lambdaRequest: 0.2 / 1_000_000,
  /** For ARM. */
  lambdaGigabyteSecond: 0.0000133334,
  logGigabyte: 0.5,
  /** A month of a custom metric, metered by the hour in which it has a value; of the first 10,000. */
  metricHour: 0.3 / 730,
};

/** The default settings, and an API that answers in half a second. */
const assumed = { workers: 2, concurrency: 5, callSeconds: 0.5, workerGigabytes: 0.5 };

const measuredRows = [1000, 20_000] as const;
const pricedRows = [1000, 100_000, 1_000_000] as const;
const script = fileURLToPath(import.meta.resolve('./countRequests.ts'));

interface Requests {
  readonly chunks: number;
  readonly s3Writes: number;
  readonly s3Reads: number;
  readonly sqsRequests: number;
  readonly invocations: number;
  readonly logBytes: number;
  /** Custom metrics, each with other dimensions. */
  readonly metrics: number;
}

export async function requests(): Promise<Figure[]> {
  const small = await measure(measuredRows[0]);
  const large = await measure(measuredRows[1]);
  return [
    ...describe(measuredRows[0], small),
    ...describe(measuredRows[1], large),
    ...pricedRows.map((rows) => figure(`price of ${rows} rows`, price(rows, small, large), noTarget, inDollars)),
  ];
}

async function measure(rows: number): Promise<Requests> {
  return await withSandbox({}, ({ url }) => withWorkspace((workspace) => countIn(workspace, rows, url)));
}

async function countIn(workspace: Workspace, rows: number, url: string): Promise<Requests> {
  const file = writePeople(workspace.folder, inventEmails('requests', rows));
  const child = workspace.start([script, join(workspace.folder, 'data'), file, url, '20'], {});
  const [output, errors] = await outputOf(child);
  if (child.exitCode !== 0) throw new Error(`The requests could not be counted:\n${errors}`);
  const lines = output.trimEnd().split('\n');
  const counts = z.record(z.string(), z.number()).parse(JSON.parse(lines.at(-1) ?? ''));
  const sum = (...names: string[]) => names.reduce((total, name) => total + (counts[name] ?? 0), 0);
  return {
    chunks: Math.ceil(rows / chunkRowsFor(readFileSync(file).length, assumed.workers)),
    s3Writes: sum('PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'ListObjectsV2'),
    s3Reads: sum('GetObject', 'HeadObject'),
    sqsRequests: sum('SendMessageBatch', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'),
    invocations: sum('ReceiveMessage'),
    logBytes: lines.slice(0, -1).reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0),
    metrics: new Set(lines.slice(0, -1).flatMap(metricsIn)).size,
  };
}

const metricsSchema = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
});

/**
 * What a line of the log makes CloudWatch keep: each metric by its name and the values of its dimensions.
 *
 * Source: Amazon CloudWatch User Guide, embedded metric format.
 */
function metricsIn(line: string): string[] {
  const { success, data } = metricsSchema.safeParse(JSON.parse(line));
  if (!success) return [];
  return data._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name }) =>
      Dimensions.map((names) => JSON.stringify([Namespace, Name, ...names.map((name) => [name, data[name]])])),
    ),
  );
}

function describe(rows: number, counted: Requests): Figure[] {
  return Object.entries(counted).map(([name, value]) => figure(`${rows} rows, ${name}`, value, noTarget));
}

/**
 * Requests grow with the number of chunks, logs with the number of calls and so with rows; both between the two measured
 * jobs. What grows with time is added: every few seconds a worker lists the other jobs, saves its progress and looks for a stop;
 * and in each hour the metrics are paid for anew.
 */
function price(rows: number, small: Requests, large: Requests): number {
  const bytes = rows * 45;
  const chunks = Math.ceil(rows / chunkRowsFor(bytes, assumed.workers));
  const byChunks = (name: 's3Writes' | 's3Reads' | 'sqsRequests' | 'invocations') =>
    small[name] + ((large[name] - small[name]) * (chunks - small.chunks)) / (large.chunks - small.chunks);
  const logBytes = (large.logBytes / measuredRows[1]) * rows;
  const workerSeconds = (rows * assumed.callSeconds) / assumed.concurrency;
  const saves = (workerSeconds * 1000) / workerLimits.saveEveryMs;
  const hours = Math.ceil(workerSeconds / assumed.workers / 3600);
  return (
    (byChunks('s3Writes') + 2 * saves) * dollars.s3Write +
    (byChunks('s3Reads') + saves) * dollars.s3Read +
    byChunks('sqsRequests') * dollars.sqsRequest +
    byChunks('invocations') * dollars.lambdaRequest +
    workerSeconds * assumed.workerGigabytes * dollars.lambdaGigabyteSecond +
    (logBytes / 1e9) * dollars.logGigabyte +
    hours * large.metrics * dollars.metricHour
  );
}

function inDollars(value: number): string {
  return `$${value.toFixed(4)}`;
}
