/**
 * The last rows that all workers of a job have settled, from its parts: each worker by itself sees only its share.
 */
import type { JobId } from '../core/jobId.ts';
import { ingestPartKey, partsPrefixOf } from '../core/keys.ts';
import { selfStopLimits } from '../core/limits.ts';
import { type LastRows, withRow } from '../core/selfStop.ts';
import { readPart } from '../ledger/part.ts';
import type { ObjectStore } from '../ports.ts';

/** Chunks are handed out in order, so the parts with the highest numbers hold about the last rows. */
export async function lastRowsOfJob(store: ObjectStore, jobId: JobId): Promise<LastRows> {
  const keys: string[] = [];
  for await (const { key } of store.list(partsPrefixOf(jobId))) if (key !== ingestPartKey(jobId)) keys.push(key);
  let rows: LastRows = [];
  for (const key of keys.toReversed()) {
    if (rows.length >= selfStopLimits.lastRows) break;
    rows = [...(await lastRowsOfPart(store, key)), ...rows].slice(-selfStopLimits.lastRows);
  }
  return rows;
}

async function lastRowsOfPart(store: ObjectStore, key: string): Promise<LastRows> {
  let rows: LastRows = [];
  for await (const { status, code } of readPart(store, key, () => undefined)) {
    if (status === 'resent' || code === 'resend_refused') continue;
    rows = withRow(rows, status === 'rejected');
  }
  return rows;
}
