/**
 * Where each object of the bucket lies.
 */
import { compactTime } from './compactTime.ts';
import type { JobId } from './jobId.ts';
import { ledgerLimits } from './limits.ts';

export const incomingPrefix = 'incoming/';
export const jobsPrefix = 'jobs/';
export const begunPrefix = 'begun/';
export const endedPrefix = 'ended/';
export const reportsPrefix = 'reports/';

const mappingName = 'mapping.json';

/** In the place of a job's id, where a policy is for all jobs. */
export const anyJob = '*' as JobId;

export type ReportFile = 'results.csv' | 'retry.csv' | 'report.html' | 'summary.json';

/** The mapping for all uploads in the folder of this one. Undefined where its key would be longer than a key can be. */
export function mappingKeyBeside(uploadKey: string): string | undefined {
  const key = `${uploadKey.slice(0, uploadKey.lastIndexOf('/') + 1)}${mappingName}`;
  return Buffer.byteLength(key) > ledgerLimits.keyBytesMax ? undefined : key;
}

/** Whether an object under `incoming/` is an upload of people; a folder or a mapping is not. */
export function isUploadKey(key: string): boolean {
  return key.startsWith(incomingPrefix) && !key.endsWith('/') && !key.endsWith(`/${mappingName}`);
}

export function jobKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/job.json`;
}

export function directoryKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/directory.json`;
}

export function manifestKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/manifest.json`;
}

export function stopKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/stop.json`;
}

export function chunksPrefixOf(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/chunks/`;
}

export function chunkKey(jobId: JobId, chunk: number): string {
  return `${chunksPrefixOf(jobId)}${chunkName(chunk)}.json`;
}

export function partsPrefixOf(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/parts/`;
}

export function chunkPartKey(jobId: JobId, chunk: number): string {
  return `${partsPrefixOf(jobId)}${chunkName(chunk)}.jsonl`;
}

export function ingestPartKey(jobId: JobId): string {
  return `${partsPrefixOf(jobId)}ingest.jsonl`;
}

/**
 * A path that is too long for what follows it is cut. Two uploads may then share it, but no job id.
 *
 * @param uploadKey For example `incoming/hr/acme.csv`, whose reports lie under `reports/hr/acme.csv/`.
 */
export function reportKey(uploadKey: string, jobId: JobId, file: ReportFile): string {
  const longestRest = `/${jobId}/summary.json`;
  const path = cutToBytes(
    uploadKey.slice(incomingPrefix.length),
    ledgerLimits.keyBytesMax - reportsPrefix.length - longestRest.length,
  );
  return `${reportsPrefix}${path}/${jobId}/${file}`;
}

/** Characters are kept whole. */
function cutToBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, bytesMax), { stream: true });
}

/** Says that a job takes its directory snapshot after this moment. Sorts by time. */
export function begunKey(jobId: JobId, atMs: number): string {
  return `${begunPrefix}${compactTime(atMs)}/${jobId}`;
}

/** Every key of `begunKey` after this moment sorts behind it. */
export function begunAfterKey(atMs: number): string {
  return `${begunPrefix}${compactTime(atMs)}`;
}

/** Says that after this moment no invitation of the job takes effect. */
export function endedKey(jobId: JobId, atMs: number): string {
  return `${endedPrefixOf(jobId)}${compactTime(atMs)}`;
}

/** @param jobId As a key of `begunKey` names it. */
export function endedPrefixOf(jobId: string): string {
  return `${endedPrefix}${jobId}/`;
}

function chunkName(chunk: number): string {
  return String(chunk).padStart(5, '0');
}
