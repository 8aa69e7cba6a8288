/**
 * `begun/<time>/<jobId>` and `ended/<jobId>/<time>`: empty objects whose keys say which jobs may be inviting people at the
 * same time. A job notes that it begins before it looks for others and takes its snapshot; so of two jobs at least one
 * knows of the other from the start, and the other one learns of it while it works.
 *
 * A job that is held has ended, and when it is released it begins once more, under another name.
 */
import { compactTime } from '../core/compactTime.ts';
import type { JobId } from '../core/jobId.ts';
import {
  begunAfterKey,
  begunKey,
  begunPrefix,
  endedKey,
  endedPrefix,
  endedPrefixOf,
  isStintOf,
  type Stint,
  stintName,
} from '../core/keys.ts';
import { overlapLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';

export async function noteBegun(
  store: ObjectStore,
  jobId: JobId,
  nowMs: number,
  stint: Stint = 'first',
): Promise<void> {
  await store.put(begunKey(stintName(jobId, stint), nowMs), '', { kind: 'always' });
}

/** @param endedAtMs After this moment no invitation of the stint takes effect. It may still have to come. */
export async function noteEnded(
  store: ObjectStore,
  jobId: JobId,
  endedAtMs: number,
  stint: Stint = 'first',
): Promise<void> {
  await store.put(endedKey(stintName(jobId, stint), endedAtMs), '', { kind: 'always' });
}

/** Whether another job has begun, and has not ended by now. */
export async function othersAtWork(store: ObjectStore, jobId: JobId, nowMs: number): Promise<boolean> {
  const ended = await endedBy(store, endedPrefix, nowMs);
  for await (const name of begunSince(store, nowMs - overlapLimits.lookBackMs))
    if (!isStintOf(name, jobId) && !ended.has(name)) return true;
  return false;
}

/** Whether another job may have invited people after this one took its snapshot, or may do so yet. */
export async function othersBegun(store: ObjectStore, jobId: JobId, snapshotAtMs: number): Promise<boolean> {
  for await (const name of begunSince(store, snapshotAtMs - overlapLimits.noteMs)) {
    if (!isStintOf(name, jobId) && !(await endedBy(store, endedPrefixOf(name), snapshotAtMs)).has(name)) return true;
  }
  return false;
}

async function* begunSince(store: ObjectStore, sinceMs: number): AsyncGenerator<string> {
  for await (const { key } of store.list(begunPrefix, begunAfterKey(sinceMs))) yield key.split('/').at(-1) ?? '';
}

async function endedBy(store: ObjectStore, prefix: string, nowMs: number): Promise<ReadonlySet<string>> {
  const now = compactTime(nowMs);
  const ended = new Set<string>();
  for await (const { key } of store.list(prefix)) {
    const [, name = '', endedAt = ''] = key.split('/');
    if (endedAt <= now) ended.add(name);
  }
  return ended;
}
