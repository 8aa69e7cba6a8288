/**
 * A whole job in the small world: ingest, worker and report as the queues would run them.
 */

import { csvFormat } from '../../lambdas/adapters/csvFormat.ts';
import type { HandleMessage, Verdict } from '../../lambdas/consume.ts';
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import { incomingPrefix, reportKey } from '../../lambdas/core/keys.ts';
import { selfStopLimits } from '../../lambdas/core/limits.ts';
import { type IngestSettings, ingest } from '../../lambdas/ingest/ingest.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { report } from '../../lambdas/report/report.ts';
import { type WorkerSettings, work } from '../../lambdas/worker/work.ts';
import { connect, invocation, type World } from './world.ts';

const settings: IngestSettings = {
  bucket: 'bucket',
  workers: 2,
  invitesGone: false,
  allowedDomains: [],
  newPeopleMax: 10_000,
  outageDelayMs: 30_000,
  giveUpMs: 6 * 60 * 60_000,
};

const uploadKey = `${incomingPrefix}people.csv`;

/** Stores the text as an upload, and gives the message that S3 would send. */
export async function upload(
  world: World,
  content: string | Buffer,
  key = uploadKey,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const result = world.store.upload(key, content, metadata);
  const eTag = result.kind === 'written' ? result.etag.replaceAll('"', '') : '';
  const versionId = (await world.store.head(key))?.versionId;
  const object = { key: encodeURIComponent(key).replaceAll('%20', '+'), eTag, ...(versionId && { versionId }) };
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object } }] });
}

/** The use cases, by the queue that feeds them. */
export function useCasesOf(
  world: World,
  changes: Partial<IngestSettings> = {},
  { rejectedShareMax }: Pick<WorkerSettings, 'rejectedShareMax'> = selfStopLimits,
): Readonly<Record<'uploads' | 'chunks' | 'reports', HandleMessage>> {
  const ports = { ...world, connectApi: connect(world.api), csv: csvFormat };
  const workerSettings = {
    concurrency: 5,
    callTimeoutMs: 30_000,
    retryDelayMinMs: 0,
    retryDelayMaxMs: 0,
    outageDelayMs: 30_000,
    giveUpMs: settings.giveUpMs,
    rejectedShareMax,
  };
  return {
    uploads: ingest({ ...settings, ...changes }, ports),
    chunks: work(workerSettings, ports),
    reports: report(ports),
  };
}

export async function runIngest(
  world: World,
  message: string,
  changes: Partial<IngestSettings> = {},
  deliveries = 1,
): Promise<Verdict> {
  return await useCasesOf(world, changes).uploads(message, invocation('ingest', undefined, deliveries));
}

export async function runWorkers(world: World): Promise<void> {
  const handle = useCasesOf(world).chunks;
  for (const body of world.chunksQueue.bodies.splice(0)) {
    for (let verdict = await handle(body, invocation('worker')); verdict.kind === 'later'; ) {
      world.clock.advance(verdict.delayMs);
      verdict = await handle(body, invocation('worker'));
    }
  }
}

export async function runReports(world: World): Promise<void> {
  const handle = useCasesOf(world).reports;
  for (const body of world.reportsQueue.bodies.splice(0)) await handle(body, invocation('report'));
}

/** From the text of an upload to the files of its report. */
export async function wholeJob(world: World, text: string | Buffer, changes: Partial<IngestSettings> = {}) {
  const verdict = await runIngest(world, await upload(world, text), changes);
  await runWorkers(world);
  await runReports(world);
  return { verdict, ...reportFiles(world) };
}

export function jobIdsOf(world: World): JobId[] {
  const names = [...world.store.texts().keys()].map((key) => /^jobs\/([^/]+)\/job\.json$/u.exec(key)?.[1]);
  return names.map((name) => parseJobId(name ?? '')).filter((jobId) => jobId !== undefined);
}

export function reportFiles(world: World, key = uploadKey) {
  const [jobId] = jobIdsOf(world);
  if (jobId === undefined) throw new Error('There is no job.');
  const texts = world.store.texts();
  const read = (file: Parameters<typeof reportKey>[2]) => texts.get(reportKey(key, jobId, file)) ?? '';
  const summary: Summary | undefined = read('summary.json') === '' ? undefined : JSON.parse(read('summary.json'));
  return { jobId, results: read('results.csv'), retry: read('retry.csv'), html: read('report.html'), summary };
}
