/**
 * From an upload, or from the time of a roster, to chunks: nobody is invited until the whole file has been read and every
 * row judged, and until somebody has approved what needs it.
 *
 * Every step may be repeated. What a repetition must not change is written once (`job.json`, the directory snapshot, the
 * chunks), and no chunk is handed to a worker before the manifest is there.
 */

import type { HandleMessage, Verdict } from '../consume.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { outageDelayMs, waitedMsBefore } from '../core/outage.ts';
import { checkCompletion } from '../ledger/checkCompletion.ts';
import { type Job, readJob } from '../ledger/job.ts';
import { type Manifest, readManifest, writeManifest } from '../ledger/manifest.ts';
import { readStop } from '../ledger/stop.ts';
import { hasEnded, readSummary } from '../ledger/summary.ts';
import type {
  Clock,
  ConnectDirectoryApi,
  CsvFormat,
  Log,
  Metrics,
  NewToken,
  ObjectStore,
  OutgoingQueue,
} from '../ports.ts';
import { claimRun } from './claimRun.ts';
import { goOn } from './goOn.ts';
import { type Request, readRequests, type UploadEvent } from './messages.ts';
import { describeUpload, faulty, readUpload } from './readUpload.ts';
import { startRosterRun, startUploadJob } from './startJob.ts';
import { ApiUnavailable } from './takeSnapshot.ts';

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
  /** More new people than this hold an upload. */
  readonly newPeopleMax: number;
  /** How long an outage of the API may last before the job fails. */
  readonly giveUpMs: number;
  /** The first wait for an API that is down; it doubles. */
  readonly outageDelayMs: number;
}

export interface IngestPorts {
  readonly store: ObjectStore;
  readonly chunksQueue: OutgoingQueue;
  readonly reportsQueue: OutgoingQueue;
  readonly connectApi: ConnectDirectoryApi;
  readonly csv: CsvFormat;
  readonly clock: Clock;
  readonly newToken: NewToken;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function ingest(settings: IngestSettings, ports: IngestPorts): HandleMessage {
  return async (body, { deliveries }) => {
    let delayMs = 0;
    for (const request of readRequests(body)) {
      const job = await jobOf(request, settings, ports);
      const verdict: Verdict = job === undefined ? { kind: 'done' } : await bringOn(job, deliveries, settings, ports);
      if (verdict.kind === 'later') delayMs = Math.max(delayMs, verdict.delayMs);
    }
    return delayMs === 0 ? { kind: 'done' } : { kind: 'later', delayMs };
  };
}

/** Undefined where there is nothing to do. */
async function jobOf(request: Request, settings: IngestSettings, ports: IngestPorts): Promise<Job | undefined> {
  switch (request.kind) {
    case 'upload':
      return await jobOfUpload(request.event, settings, ports);
    case 'decision':
      return await decidedJob(request.jobId, ports);
    case 'roster':
      return await startRosterRun(request.message, settings, ports);
    default:
      return request satisfies never;
  }
}

async function jobOfUpload(event: UploadEvent, settings: IngestSettings, ports: IngestPorts): Promise<Job | undefined> {
  const object = await ports.store.head(event.key, event.versionId);
  if (object !== undefined && object.etag === event.etag) return await startUploadJob(object, settings, ports);
  ports.log.warn('upload_gone', { reason: object === undefined ? 'deleted' : 'replaced' });
  return undefined;
}

/** While a job is still being read, its own message sees the decision in time; only a stop ends the reading. */
async function decidedJob(jobId: JobId, { store, log }: IngestPorts): Promise<Job | undefined> {
  const job = await readJob(store, jobId);
  if (job === undefined) {
    log.warn('decision_without_job', { jobId });
    return undefined;
  }
  const isRead = (await readManifest(store, jobId)) !== undefined;
  return isRead || (await readStop(store, jobId)) !== undefined ? job : undefined;
}

async function bringOn(job: Job, deliveries: number, settings: IngestSettings, ports: IngestPorts): Promise<Verdict> {
  const { store, log } = ports;
  if (hasEnded(await readSummary(store, job))) {
    log.info('job_reported_before', { jobId: job.jobId });
    return { kind: 'done' };
  }
  try {
    const manifest = (await readManifest(store, job.jobId)) ?? (await makeManifest(job, ports));
    await goOn(job.jobId, manifest, ports);
    return { kind: 'done' };
  } catch (error) {
    if (!(error instanceof ApiUnavailable)) throw error;
    return await waitForApi(job, error, deliveries, settings, ports);
  }
}

async function makeManifest(job: Job, ports: IngestPorts): Promise<Manifest> {
  const { store, clock, log } = ports;
  const stop = await readStop(store, job.jobId);
  const obstacle =
    stop === undefined ? await claimRun(job, ports) : { fault: { code: 'cancelled', message: stop.message } as const };
  if (!('fault' in obstacle)) return await readOnce(job, obstacle.rowsBefore, ports);
  const { fault } = obstacle;
  log.warn('job_not_started', { jobId: job.jobId, code: fault.code });
  const known = fault.code === 'roster_missing' ? {} : await describeUpload(job, ports);
  return await writeManifest(store, job.jobId, faulty(fault, known, {}, clock.now()));
}

/** A copy that stood still until the job had gone on finds other things than the one before it: what that one has found stands. */
async function readOnce(job: Job, rowsBefore: number | undefined, ports: IngestPorts): Promise<Manifest> {
  try {
    return await readUpload(job, rowsBefore, ports);
  } catch (error) {
    const earlier = error instanceof BrokenInvariant ? await readManifest(ports.store, job.jobId) : undefined;
    if (earlier === undefined) throw error;
    return earlier;
  }
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
  const message = `${error.message} It was tried for ${hours} hours. Nobody was invited; run the file again when the API is back.`;
  const known = await describeUpload(job, ports);
  await writeManifest(store, job.jobId, faulty({ code: 'api_unreachable', message }, known, {}, clock.now()));
  if (!(await checkCompletion(store, reportsQueue, job.jobId)))
    throw new BrokenInvariant(`Job ${job.jobId} failed and is not complete.`);
  return { kind: 'done' };
}
