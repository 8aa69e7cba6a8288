/**
 * From an upload to chunks: nobody is invited until the whole file has been read and every row judged.
 *
 * Every step may be repeated. What a repetition must not change is written once (`job.json`, the directory snapshot, the
 * chunks), and no chunk is handed to a worker before the manifest is there.
 */

import type { Verdict } from '../consume.ts';
import { type ApiCalls, addApiCall } from '../core/apiCalls.ts';
import { chunkRowsFor } from '../core/chunking.ts';
import type { Columns } from '../core/columns.ts';
import { BrokenInvariant, type Fault, WholeFileFault } from '../core/fault.ts';
import { type JobId, jobIdOf } from '../core/jobId.ts';
import { chunkPartKey, ingestPartKey, partsPrefixOf, reportKey } from '../core/keys.ts';
import { outageLimits, uploadLimits } from '../core/limits.ts';
import { checkCompletion } from '../ledger/checkCompletion.ts';
import { fixJob, type Job } from '../ledger/job.ts';
import { type Manifest, readManifest, writeManifest } from '../ledger/manifest.ts';
import { chunkMessage } from '../ledger/messages.ts';
import { writePart } from '../ledger/part.ts';
import type {
  Clock,
  ConnectApi,
  Csv,
  CsvFormat,
  InviteApi,
  Log,
  NewToken,
  ObjectInfo,
  ObjectStore,
  OutgoingQueue,
} from '../ports.ts';
import { cutIntoChunks } from './cutIntoChunks.ts';
import { readHeader } from './readHeader.ts';
import { ApiUnavailable, takeSnapshot } from './takeSnapshot.ts';
import { readUploadEvents, type UploadEvent } from './uploadEvents.ts';

export interface IngestSettings {
  readonly bucket: string;
  /** Worker invocations at once: a small upload is cut into enough chunks for all of them. */
  readonly workers: number;
  readonly role?: string;
  readonly organization?: string;
  /** How long an outage of the API may last before the job fails. */
  readonly giveUpMs: number;
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
}

export function ingest(settings: IngestSettings, ports: IngestPorts): (body: string) => Promise<Verdict> {
  return async (body) => {
    let delayMs = 0;
    for (const event of readUploadEvents(body)) {
      const verdict = await ingestUpload(event, settings, ports);
      if (verdict.kind === 'later') delayMs = Math.max(delayMs, verdict.delayMs);
    }
    return delayMs === 0 ? { kind: 'done' } : { kind: 'later', delayMs };
  };
}

async function ingestUpload(event: UploadEvent, settings: IngestSettings, ports: IngestPorts): Promise<Verdict> {
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
    return await waitForApi(job, error, settings.giveUpMs, ports);
  }
}

async function startJob(
  object: ObjectInfo,
  settings: IngestSettings,
  { store, clock, log }: IngestPorts,
): Promise<Job> {
  const { key, etag, versionId, bytes, modifiedAtMs: uploadedAtMs } = object;
  const jobId = jobIdOf({ bucket: settings.bucket, key, version: versionId ?? etag, uploadedAtMs });
  const { value: job, wasThere } = await fixJob(store, {
    jobId,
    source: { key, etag, ...(versionId === undefined ? {} : { versionId }), bytes, uploadedAtMs },
    settings: {
      chunkRows: chunkRowsFor(bytes, settings.workers),
      ...(settings.role === undefined ? {} : { role: settings.role }),
      ...(settings.organization === undefined ? {} : { organization: settings.organization }),
    },
    startedAtMs: clock.now(),
  });
  log.info(wasThere ? 'job_continued' : 'job_started', { jobId, bytes });
  return job;
}

/** Reads and judges the upload, and ends with the manifest: of what was found, or of the fault of the whole upload. */
async function readUpload(job: Job, ports: IngestPorts): Promise<Manifest> {
  const { store, connectApi, clock, log } = ports;
  let apiCalls: ApiCalls = {};
  const api = connectApi((operation, answer) => {
    apiCalls = addApiCall(apiCalls, operation, answer);
  });
  let columns: Columns | undefined;
  try {
    columns = await headerOf(job, ports);
    const cut = await judgeAll(job, columns, api, ports);
    log.info('upload_read', { jobId: job.jobId, ...cut });
    return await writeManifest(store, job.jobId, {
      ...cut,
      columns: describe(columns),
      apiCalls,
      endedAtMs: clock.now(),
    });
  } catch (error) {
    if (!(error instanceof WholeFileFault)) throw error;
    log.error('upload_refused', { jobId: job.jobId, code: error.fault.code }, undefined);
    return await writeManifest(store, job.jobId, faulty(error.fault, columns, apiCalls, clock.now()));
  }
}

/** The header is read first, on its own: a file that cannot work fails before any call to the API. */
async function headerOf(job: Job, ports: IngestPorts): Promise<Columns> {
  const { bytes } = job.source;
  if (bytes > uploadLimits.uploadBytesMax) {
    const limit = `${uploadLimits.uploadBytesMax / 1024 / 1024} MiB`;
    throw new WholeFileFault(
      'file_too_large',
      `The file has ${bytes} bytes, and at most ${limit} are read. Split it and upload the pieces.`,
    );
  }
  return await readHeader((await openCsv(job, ports)).records);
}

async function judgeAll(job: Job, columns: Columns, api: InviteApi, ports: IngestPorts) {
  const { store, clock, newToken } = ports;
  const { role, organization } = job.settings;
  const directory = await takeSnapshot(store, api, job.jobId, {
    roles: columns.indexByField.role !== undefined || role !== undefined,
    organizations: columns.indexByField.organization !== undefined || organization !== undefined,
  });
  const { records } = await openCsv(job, ports);
  const part = writePart(store, ingestPartKey(job.jobId));
  try {
    const cut = await cutIntoChunks(job, columns, directory, records, part, store, newToken);
    await part.close({}, clock.now());
    return cut;
  } catch (error) {
    await part.abort();
    throw error;
  }
}

async function openCsv(job: Job, { store, csv }: IngestPorts): Promise<Csv> {
  const bytes = await store.readBytes(job.source);
  if (bytes === undefined) {
    throw new WholeFileFault(
      'upload_replaced',
      'The file was replaced or deleted before it was read. What replaced it is a job of its own.',
    );
  }
  return await csv.read(bytes);
}

function describe({ header, indexByField, ignored }: Columns): NonNullable<Manifest['columns']> {
  const used = Object.entries(indexByField).map(([field, index]) => [field, header[index] ?? '']);
  return { used: Object.fromEntries(used), ignored: ignored.map((index) => header[index] ?? '') };
}

function faulty(fault: Fault, columns: Columns | undefined, apiCalls: ApiCalls, endedAtMs: number): Manifest {
  return {
    chunks: 0,
    invitees: 0,
    fault,
    ...(columns === undefined ? {} : { columns: describe(columns) }),
    apiCalls,
    endedAtMs,
  };
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

/** The longer the outage lasts, the longer the wait: about as long again as it has lasted. */
async function waitForApi(job: Job, error: ApiUnavailable, giveUpMs: number, ports: IngestPorts): Promise<Verdict> {
  const { store, clock, log, reportsQueue } = ports;
  const lastedMs = clock.now() - job.startedAtMs;
  if (lastedMs < giveUpMs) {
    const delayMs = Math.min(outageLimits.delayMaxMs, Math.max(outageLimits.firstDelayMs, lastedMs));
    log.warn('api_unavailable', { jobId: job.jobId, delayMs });
    return { kind: 'later', delayMs };
  }
  const hours = Math.round(giveUpMs / 360_000) / 10;
  const message = `${error.message} It was tried for ${hours} hours. Nobody was invited; upload the file again when the API is back.`;
  await writeManifest(store, job.jobId, faulty({ code: 'api_unreachable', message }, undefined, {}, clock.now()));
  if (!(await checkCompletion(store, reportsQueue, job.jobId)))
    throw new BrokenInvariant(`Job ${job.jobId} failed and is not complete.`);
  return { kind: 'done' };
}
