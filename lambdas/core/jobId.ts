/**
 * A job's id is a function of its upload alone, so that an event that comes twice is the same job.
 */
import { createHash } from 'node:crypto';
import { compactTime } from './compactTime.ts';

export type JobId = string & { readonly __brand: 'JobId' };

/** One version of one object under `incoming/`. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  /** The version id of a versioned bucket, else the entity tag. */
  readonly version: string;
  readonly uploadedAtMs: number;
}

const pattern = /^\d{8}T\d{6}Z-[0-9a-f]{12}$/u;

/** Gives for example `20260131T070500Z-0f3a9c51b2de`; ids sort by the time of the upload. */
export function jobIdOf(upload: Upload): JobId {
  const digest = createHash('sha256')
    .update(JSON.stringify([upload.bucket, upload.key, upload.version]))
    .digest('hex');
  return `${compactTime(upload.uploadedAtMs)}-${digest.slice(0, 12)}` as JobId;
}

/** The job of one time of a roster. */
export function rosterRunId(bucket: string, roster: { name: string; key: string }, scheduledAtMs: number): JobId {
  const version = `run of ${roster.name} at ${scheduledAtMs}`;
  return jobIdOf({ bucket, key: roster.key, version, uploadedAtMs: scheduledAtMs });
}

/** Gives the text as a job id, or undefined where it cannot be one. */
export function parseJobId(text: string): JobId | undefined {
  return pattern.test(text) ? (text as JobId) : undefined;
}
