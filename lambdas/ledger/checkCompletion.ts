/**
 * Run by whoever wrote the manifest or a part, before the message is acknowledged: the last writer sees all and asks for
 * the report. Two may see it at once; building the report twice is harmless.
 */
import { isComplete } from '../core/completion.ts';
import type { JobId } from '../core/jobId.ts';
import { chunkPartKey, ingestPartKey, partsPrefixOf } from '../core/keys.ts';
import type { ObjectStore, OutgoingQueue } from '../ports.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { reportMessage } from './messages.ts';

export async function checkCompletion(store: ObjectStore, reportsQueue: OutgoingQueue, jobId: JobId): Promise<boolean> {
  const manifest = await readManifest(store, jobId);
  if (manifest === undefined) return false;
  if (!(await hasAllParts(store, jobId, manifest))) return false;
  await reportsQueue.sendAll([{ body: reportMessage(jobId), groupId: jobId }]);
  return true;
}

/** Whether everything is there that the report needs. */
export async function hasAllParts(store: ObjectStore, jobId: JobId, manifest: Manifest): Promise<boolean> {
  const expected = new Set(manifest.fault === undefined ? partKeys(jobId, manifest.chunks) : []);
  const partsExpected = expected.size;
  let partsFound = 0;
  // What else lies there is no part of this job.
  if (partsExpected > 0) {
    for await (const { key } of store.list(partsPrefixOf(jobId))) partsFound += expected.has(key) ? 1 : 0;
  }
  return isComplete({ partsExpected, partsFound });
}

function partKeys(jobId: JobId, chunks: number): string[] {
  return [ingestPartKey(jobId), ...Array.from({ length: chunks }, (_, chunk) => chunkPartKey(jobId, chunk))];
}
