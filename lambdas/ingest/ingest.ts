/**
 * From an upload to chunks: nobody is invited until the whole file has been read and every row judged.
 *
 * Every step may be repeated. What a repetition must not change is written once (`job.json`, the directory snapshot, the
 * chunks), and no chunk is handed to a worker before the manifest is there.
 */

import type { HandleMessage, Verdict } from '../consume.ts';
import { type ApiCalls, addApiCall } from '../core/apiCalls.ts';
import { chunkRowsFor } from '../core/chunking.ts';
import { type Columns, describeColumns, readColumns } from '../core/columns.ts';
import { BrokenInvariant, type Fault, WholeFileFault } from '../core/fault.ts';
import { type JobId, jobIdOf } from '../core/jobId.ts';
import { chunkPartKey, ingestPartKey, partsPrefixOf, reportKey } from '../core/keys.ts';
import { uploadLimits } from '../core/limits.ts';
import { outageDelayMs, waitedMsBefore } from '../core/outage.ts';
import { findReading, headerOnly, isRow, type Reading } from '../core/reading.ts';
import type { TextRecord } from '../core/recordReader.ts';
import { checkCompletion } from '../ledger/checkCompletion.ts';
import { fixJob, type Job } from '../ledger/job.ts';
import { type Manifest, readManifest, writeManifest } from '../ledger/manifest.ts';
import { chunkMessage } from '../ledger/messages.ts';
import { writePart } from '../ledger/part.ts';
import type {
  Clock,
  ConnectApi,
  CsvFormat,
  InviteApi,
  Log,
  Metrics,
  NewToken,
  ObjectInfo,
  ObjectStore,
  OutgoingQueue,
} from '../ports.ts';
import { chooseMapping } from './chooseMapping.ts';
import { cutIntoChunks, judgeContext } from './cutIntoChunks.ts';
import { ApiUnavailable, takeSnapshot } from './takeSnapshot.ts';
import { readUploadEvents, type UploadEvent } from './uploadEvents.ts';

export interface IngestSettings {
  readonly bucket: string;
  /** Worker invocations at once: a small upload is cut into enough chunks for all of them. */
  readonly workers: number;
  readonly role?: string;
  readonly organization?: string;
  /** People whose row says that they have left or are disabled are invited, too. */
  readonly invitesGone: boolean;
  /** In lower case; where there are some, addresses of other domains are invalid. */
  readonly allowedDomains: readonly string[];
  /** How long an outage of the API may last before the job fails. */
  readonly giveUpMs: number;
  /** The first wait for an API that is down; it doubles. */
  readonly outageDelayMs: number;
}

export interface IngestPorts {
  readonly store: ObjectStore;
  readonly chunksQueue: OutgoingQueue;
  readonly reportsQueue: OutgoingQueue;
  readonly connectApi: ConnectApi;
  readonly csv: CsvFormat;
  readonly clock: Clock;
  readonly newToken: NewToken;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function ingest(settings: IngestSettings, ports: IngestPorts): HandleMessage {
  return async (body, { deliveries }) => {
    let delayMs = 0;
    for (const event of readUploadEvents(body)) {
      const verdict = await ingestUpload(event, deliveries, settings, ports);
      if (verdict.kind === 'later') delayMs = Math.max(delayMs, verdict.delayMs);
    }
    return delayMs === 0 ? { kind: 'done' } : { kind: 'later', delayMs };
  };
}

async function ingestUpload(
  event: UploadEvent,
  deliveries: number,
  settings: IngestSettings,
  ports: IngestPorts,
): Promise<Verdict> {
  const { store, log } = ports;
  const object = await store.head(event.key, event.versionId);
  if (object === undefined || object.etag !== event.etag) {
    log.warn('upload_gone', { reason: object === undefined ? 'deleted' : 'replaced' });
    return { kind: 'done' };
  }
  const job = await startJob(object, settings, ports);
  if ((await store.head(reportKey(job.source.key, job.jobId, 'summary.json'))) !== undefined) {
    log.info('job_reported_before', { jobId: job.jobId });
    return { kind: 'done' };
  }
  try {
    const manifest = (await readManifest(store, job.jobId)) ?? (await readUpload(job, ports));
    await sendOpenChunks(job.jobId, manifest, ports);
    await checkCompletion(store, ports.reportsQueue, job.jobId);
    return { kind: 'done' };
  } catch (error) {
    if (!(error instanceof ApiUnavailable)) throw error;
    return await waitForApi(job, error, deliveries, settings, ports);
  }
}

async function startJob(
  object: ObjectInfo,
  settings: IngestSettings,
  { store, clock, log, metrics }: IngestPorts,
): Promise<Job> {
  const { key, etag, versionId, bytes, modifiedAtMs: uploadedAtMs } = object;
  const chosen = await chooseMapping(object, store);
  const jobId = jobIdOf({ bucket: settings.bucket, key, version: versionId ?? etag, uploadedAtMs });
  const { value: job, wasThere } = await fixJob(store, {
    jobId,
    source: { key, etag, ...(versionId === undefined ? {} : { versionId }), bytes, uploadedAtMs },
    settings: {
      chunkRows: chunkRowsFor(textBytesOf(object), settings.workers),
      ...chosen,
      invitesGone: settings.invitesGone,
      allowedDomains: [...settings.allowedDomains],
      ...(settings.role === undefined ? {} : { role: settings.role }),
      ...(settings.organization === undefined ? {} : { organization: settings.organization }),
    },
    startedAtMs: clock.now(),
  });
  log.info(wasThere ? 'job_continued' : 'job_started', { jobId, bytes });
  if (!wasThere) metrics.count('Jobs', 1, { state: 'started' });
  return job;
}

/** What a compressed file holds is known only when it is unpacked; exports shrink to about an eighth. */
function textBytesOf({ key, bytes }: ObjectInfo): number {
  return key.endsWith('.gz') ? bytes * 8 : bytes;
}

/** Reads and judges the upload, and ends with the manifest: of what was found, or of the fault of the whole upload. */
async function readUpload(job: Job, ports: IngestPorts): Promise<Manifest> {
  const { store, connectApi, clock, log, metrics } = ports;
  let apiCalls: ApiCalls = {};
  const api = connectApi((operation, answer) => {
    apiCalls = addApiCall(apiCalls, operation, answer);
  });
  let found: Found | undefined;
  let columns: Columns | undefined;
  try {
    found = await inspectUpload(job, ports);
    columns = readColumns(found.header, job.settings.mapping);
    const { rows, invitees, chunks, settled, warnings } = await judgeAll(job, found.reading, columns, api, ports);
    log.info('upload_read', { jobId: job.jobId, rows, invitees, chunks });
    const counts = { rows, invitees, chunks, warnings: [...columns.warnings, ...warnings] };
    const manifest = await writeManifest(store, job.jobId, {
      ...counts,
      ...describe(found, columns),
      apiCalls,
      endedAtMs: clock.now(),
    });
    for (const [status, count] of Object.entries(settled)) if (count > 0) metrics.count('Rows', count, { status });
    return manifest;
  } catch (error) {
    if (!(error instanceof WholeFileFault)) throw error;
    log.error('upload_refused', { jobId: job.jobId, code: error.fault.code }, undefined);
    return await writeManifest(store, job.jobId, faulty(error.fault, describe(found, columns), apiCalls, clock.now()));
  }
}

type Found = ReturnType<typeof findReading>;

/** The file is looked at as a whole first: one that cannot work fails before any call to the API. */
async function inspectUpload(job: Job, ports: IngestPorts): Promise<Found> {
  const { bytes } = job.source;
  if (bytes > uploadLimits.uploadBytesMax) {
    const limit = `${uploadLimits.uploadBytesMax / 1024 / 1024} MiB`;
    throw new WholeFileFault(
      'file_too_large',
      `The file has ${bytes} bytes, and at most ${limit} are read. Split it and upload the pieces.`,
    );
  }
  const { mapping, mappingFault } = job.settings;
  if (mappingFault !== undefined) throw new WholeFileFault('bad_mapping', mappingFault);
  return findReading(await ports.csv.inspect(await openUpload(job, ports)), mapping);
}

async function judgeAll(job: Job, reading: Reading, columns: Columns, api: InviteApi, ports: IngestPorts) {
  const { store, clock, newToken, csv } = ports;
  const { role, organization } = job.settings;
  const directory = await takeSnapshot(store, clock, api, job.jobId, {
    roles: columns.indexByField.role !== undefined || role !== undefined,
    organizations: columns.indexByField.organization !== undefined || organization !== undefined,
  });
  const context = judgeContext(job, reading, columns, directory);
  const records = csv.read(await openUpload(job, ports), reading);
  const part = writePart(store, ingestPartKey(job.jobId));
  try {
    const cut = await cutIntoChunks(job, context, directory, rowsOf(records, reading), part, store, newToken);
    if (cut.rows === 0) throw headerOnly();
    await part.close({}, clock.now());
    return cut;
  } catch (error) {
    await part.abort();
    throw error;
  }
}

async function* rowsOf(batches: AsyncIterable<readonly TextRecord[]>, reading: Reading): AsyncGenerator<TextRecord[]> {
  for await (const batch of batches) yield batch.filter((record) => isRow(record, reading));
}

async function openUpload(job: Job, { store }: IngestPorts): Promise<AsyncIterable<Uint8Array>> {
  const bytes = await store.readBytes(job.source);
  if (bytes !== undefined) return bytes;
  throw new WholeFileFault(
    'upload_replaced',
    'The file was replaced or deleted before it was read. What replaced it is a job of its own.',
  );
}

/** What is known of the upload, for the report. */
function describe(found: Found | undefined, columns: Columns | undefined): Pick<Manifest, 'reading' | 'columns'> {
  const reading = found === undefined ? {} : { reading: found.reading };
  if (columns === undefined) return reading;
  return { ...reading, columns: describeColumns(columns) };
}

function faulty(
  fault: Fault,
  known: Pick<Manifest, 'reading' | 'columns'>,
  apiCalls: ApiCalls,
  endedAtMs: number,
): Manifest {
  return { chunks: 0, invitees: 0, warnings: [], fault, ...known, apiCalls, endedAtMs };
}

/** A message for each chunk that has no part yet: all of them at first, what is left when ingest is repeated. */
async function sendOpenChunks(jobId: JobId, manifest: Manifest, { store, chunksQueue }: IngestPorts): Promise<void> {
  const done = new Set<string>();
  for await (const { key } of store.list(partsPrefixOf(jobId))) done.add(key);
  const open = Array.from({ length: manifest.chunks }, (_, chunk) => chunk).filter(
    (chunk) => !done.has(chunkPartKey(jobId, chunk)),
  );
  await chunksQueue.sendAll(open.map((chunk) => ({ body: chunkMessage(jobId, chunk), groupId: jobId })));
}

/** Each delivery waits longer than the one before. */
async function waitForApi(
  job: Job,
  error: ApiUnavailable,
  deliveries: number,
  settings: IngestSettings,
  ports: IngestPorts,
): Promise<Verdict> {
  const { store, clock, log, metrics, reportsQueue } = ports;
  // Not every delivery before this one ended with a wait for the API.
  const waitedMs = Math.min(waitedMsBefore(deliveries, settings.outageDelayMs), clock.now() - job.startedAtMs);
  if (waitedMs < settings.giveUpMs) {
    const delayMs = outageDelayMs(deliveries, settings.outageDelayMs);
    log.warn('api_unavailable', { jobId: job.jobId, delayMs });
    metrics.count('MessagesPutAside', 1, { reason: 'api_down' });
    return { kind: 'later', delayMs };
  }
  const hours = Math.round(waitedMs / 360_000) / 10;
  const message = `${error.message} It was tried for ${hours} hours. Nobody was invited; upload the file again when the API is back.`;
  const found = await inspectUpload(job, ports).catch(unlessFault);
  const known = describe(found, undefined);
  await writeManifest(store, job.jobId, faulty({ code: 'api_unreachable', message }, known, {}, clock.now()));
  if (!(await checkCompletion(store, reportsQueue, job.jobId)))
    throw new BrokenInvariant(`Job ${job.jobId} failed and is not complete.`);
  return { kind: 'done' };
}

/** The upload is gone by now: then the report does without it. */
function unlessFault(error: unknown): undefined {
  if (!(error instanceof WholeFileFault)) throw error;
  return undefined;
}
