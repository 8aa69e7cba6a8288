/**
 * What follows once an upload is read: chunks go to the workers, unless the job is held.
 */
import type { JobId } from '../core/jobId.ts';
import { chunkPartKey, partsPrefixOf } from '../core/keys.ts';
import { overlapLimits } from '../core/limits.ts';
import { findApproval } from '../ledger/approval.ts';
import { checkCompletion } from '../ledger/checkCompletion.ts';
import type { Manifest } from '../ledger/manifest.ts';
import { chunkMessage, reportMessage } from '../ledger/messages.ts';
import { noteBegun, noteEnded } from '../ledger/overlap.ts';
import { readStop } from '../ledger/stop.ts';
import type { IngestPorts } from './ingest.ts';

export async function goOn(jobId: JobId, manifest: Manifest, ports: IngestPorts): Promise<void> {
  const { store, reportsQueue } = ports;
  if (manifest.hold !== undefined && !(await isReleased(jobId, manifest, ports))) return await hold(jobId, ports);
  await sendOpenChunks(jobId, manifest, ports);
  await checkCompletion(store, reportsQueue, jobId);
}

/** A job that was stopped is released, too: its workers invite nobody, and settle every row. */
async function isReleased(jobId: JobId, manifest: Manifest, ports: IngestPorts): Promise<boolean> {
  const { store, clock, log } = ports;
  if ((await readStop(store, jobId)) !== undefined) return true;
  if ((await findApproval(store, jobId, manifest, log)) === undefined) return false;
  log.info('job_released', { jobId });
  // Until all workers of other jobs have seen that this one is at work.
  await noteBegun(store, jobId, clock.now(), 'released');
  await clock.sleep(overlapLimits.quietMs);
  return true;
}

/** Nobody waits for it: it may be held for days. */
async function hold(jobId: JobId, { store, clock, reportsQueue, log }: IngestPorts): Promise<void> {
  log.warn('job_held', { jobId });
  await noteEnded(store, jobId, clock.now());
  await reportsQueue.sendAll([{ body: reportMessage(jobId), groupId: jobId }]);
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
