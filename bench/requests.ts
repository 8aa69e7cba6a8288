/**
 * What a job costs on AWS: the requests of a measured local run, at the published prices (`prices.ts`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { chunkRowsFor } from '../lambdas/core/chunking.ts';
import { workerLimits } from '../lambdas/core/limits.ts';
import { type AwsRequests, sumRequests } from './awsRequests.ts';
import { outputOf } from './command.ts';
import { type Figure, figure, noTarget } from './figure.ts';
import { metricsIn } from './metricsIn.ts';
import { withSandbox } from './observedSandbox.ts';
import { otherDesigns } from './otherDesigns.ts';
import { inventEmails, writePeople } from './people.ts';
import { dollars, inDollars } from './prices.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

/** The default settings, and an API that answers in half a second. */
const assumed = { workers: 2, concurrency: 5, callSeconds: 0.5, workerGigabytes: 0.5 };

const measuredRows = [1000, 20_000] as const;
const pricedRows = [1000, 100_000, 1_000_000] as const;
const script = fileURLToPath(import.meta.resolve('./countRequests.ts'));

interface Requests extends AwsRequests {
  readonly chunks: number;
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
    ...pricedRows.flatMap((rows) => figuresOfPrice(rows, price(rows, small, large))),
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
  return {
    chunks: Math.ceil(rows / chunkRowsFor(readFileSync(file).length, assumed.workers)),
    ...sumRequests(counts),
    logBytes: lines.slice(0, -1).reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0),
    metrics: new Set(lines.slice(0, -1).flatMap(metricsIn)).size,
  };
}

function describe(rows: number, counted: Requests): Figure[] {
  return Object.entries(counted).map(([name, value]) => figure(`${rows} rows, ${name}`, value, noTarget));
}

interface Price {
  readonly requests: number;
  readonly everyFewSeconds: number;
  readonly workers: number;
  readonly logs: number;
  readonly metrics: number;
}

function figuresOfPrice(rows: number, parts: Price): Figure[] {
  const sum = Object.values({ ...parts }).reduce((total, part) => total + part, 0);
  const inDollarsOf = (what: string, value: number) =>
    figure(`price of ${rows} rows${what}`, value, noTarget, inDollars);
  return [
    inDollarsOf('', sum),
    ...Object.entries({ ...parts }).map(([name, value]) => inDollarsOf(`, ${name}`, value)),
    ...Object.entries(otherDesigns).map(([name, each]) => inDollarsOf(`, ${name}`, each * rows)),
  ];
}

/**
 * Requests grow with the number of chunks, logs with the number of calls and so with rows; both between the two measured
 * jobs. What grows with time is added: every few seconds a worker lists the other jobs, saves its progress and looks for a stop;
 * and in each hour the metrics are paid for anew.
 */
function price(rows: number, small: Requests, large: Requests): Price {
  const bytes = rows * 45;
  const chunks = Math.ceil(rows / chunkRowsFor(bytes, assumed.workers));
  const byChunks = (name: keyof AwsRequests) =>
    small[name] + ((large[name] - small[name]) * (chunks - small.chunks)) / (large.chunks - small.chunks);
  const logBytes = (large.logBytes / measuredRows[1]) * rows;
  const workerSeconds = (rows * assumed.callSeconds) / assumed.concurrency;
  const saves = (workerSeconds * 1000) / workerLimits.saveEveryMs;
  const hours = Math.ceil(workerSeconds / assumed.workers / 3600);
  return {
    requests:
      byChunks('s3Writes') * dollars.s3Write +
      byChunks('s3Reads') * dollars.s3Read +
      byChunks('sqsRequests') * dollars.sqsFairRequest +
      byChunks('invocations') * dollars.lambdaRequest,
    everyFewSeconds: saves * (2 * dollars.s3Write + dollars.s3Read),
    workers: workerSeconds * assumed.workerGigabytes * dollars.lambdaGigabyteSecond,
    logs: (logBytes / 1e9) * dollars.logGigabyte,
    metrics: hours * large.metrics * dollars.metricHour,
  };
}
