/**
 * Where each object of the bucket lies.
 */
import { createHash } from 'node:crypto';
import { compactTime } from './compactTime.ts';
import type { JobId } from './jobId.ts';
import { ledgerLimits } from './limits.ts';

export const incomingPrefix = 'incoming/';
/** What is uploaded here is judged, and nobody is invited. */
export const dryRunPrefix = 'incoming/dry-run/';
/** What is uploaded here waits for its time. */
export const rosterUploadsPrefix = 'incoming/rosters/';
export const jobsPrefix = 'jobs/';
export const begunPrefix = 'begun/';
export const endedPrefix = 'ended/';
export const reportsPrefix = 'reports/';
export const rostersPrefix = 'rosters/';
export const resentPrefix = 'resent/';

const mappingName = 'mapping.json';

/** In the place of a job's id, where a policy is for all jobs. */
export const anyJob = '*' as JobId;

export type ReportFile = 'results.csv' | 'retry.csv' | 'drift.csv' | 'report.html' | 'summary.json';

/**
 * The mapping for all uploads in the folder of this one, the first that is there; of a dry run also that of the folder for
 * which it is meant.
 */
export function mappingKeysBeside(uploadKey: string): readonly string[] {
  const folder = uploadKey.slice(0, uploadKey.lastIndexOf('/') + 1);
  const meant = isDryRunKey(folder) ? [`${incomingPrefix}${folder.slice(dryRunPrefix.length)}`] : [];
  const keys = [folder, ...meant].map((path) => `${path}${mappingName}`);
  return keys.filter((key) => Buffer.byteLength(key) <= ledgerLimits.keyBytesMax);
}

/** Whether an object under `incoming/` is an upload of people; a folder or a mapping is not. */
export function isUploadKey(key: string): boolean {
  return key.startsWith(incomingPrefix) && !key.endsWith('/') && !key.endsWith(`/${mappingName}`);
}

/** Whether an upload is a job at once; that of a roster is one at each time of its schedule. */
export function startsJob(uploadKey: string): boolean {
  return isUploadKey(uploadKey) && !uploadKey.startsWith(rosterUploadsPrefix);
}

/** Whether nobody is to be invited, because of where the upload lies. */
export function isDryRunKey(uploadKey: string): boolean {
  return uploadKey.startsWith(dryRunPrefix);
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

export function approvalKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/approval.json`;
}

export function endKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/end.json`;
}

export function driftKey(jobId: JobId): string {
  return `${jobsPrefix}${jobId}/drift.jsonl`;
}

/** Which run of a roster came last. */
export function rosterKey(name: string): string {
  return `${rostersPrefix}${name}/run.json`;
}

/** Since when invitations are seen to be open. */
export function openInvitationsKey(name: string): string {
  return `${rostersPrefix}${name}/open.json`;
}

/** When the invitation of a user was last sent again. @param userId Of any form. */
export function resentKey(userId: string): string {
  return `${resentPrefix}${createHash('sha256').update(userId).digest('hex').slice(0, 32)}.json`;
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

/**
 * A job that was held is at work twice: until it is held, and from its release.
 */
export type Stint = 'first' | 'released';

const releasedSuffix = '.released';

/** How the notes of a stint name it. */
export function stintName(jobId: JobId, stint: Stint): string {
  return stint === 'first' ? jobId : `${jobId}${releasedSuffix}`;
}

/** @param name As `stintName` gives it. */
export function isStintOf(name: string, jobId: JobId): boolean {
  return name === jobId || name === stintName(jobId, 'released');
}

/** Says that a job takes its directory snapshot, or is released, after this moment. Sorts by time. @param name As `stintName` gives it. */
export function begunKey(name: string, atMs: number): string {
  return `${begunPrefix}${compactTime(atMs)}/${name}`;
}

/** Every key of `begunKey` after this moment sorts behind it. */
export function begunAfterKey(atMs: number): string {
  return `${begunPrefix}${compactTime(atMs)}`;
}

/** Says that after this moment no invitation of the stint takes effect. @param name As `stintName` gives it. */
export function endedKey(name: string, atMs: number): string {
  return `${endedPrefixOf(name)}${compactTime(atMs)}`;
}

/** @param name As `stintName` gives it. */
export function endedPrefixOf(name: string): string {
  return `${endedPrefix}${name}/`;
}

function chunkName(chunk: number): string {
  return String(chunk).padStart(5, '0');
}
