/**
 * Run by whoever wrote the manifest or a part, before the message is acknowledged: the last writer sees all and asks for
 * the report. Two may see it at once; building the report twice is harmless.
 */
import { isComplete } from '../core/completion.ts';
import type { JobId } from '../core/jobId.ts';
import { partsPrefixOf } from '../core/keys.ts';
import type { ObjectStore, OutgoingQueue } from '../ports.ts';
import { readManifest } from './manifest.ts';
import { reportMessage } from './messages.ts';

export async function checkCompletion(store: ObjectStore, reportsQueue: OutgoingQueue, jobId: JobId): Promise<boolean> {
  const manifest = await readManifest(store, jobId);
  if (manifest === undefined) return false;
  const partsExpected = manifest.fault === undefined ? manifest.chunks + 1 : 0;
  let partsFound = 0;
  if (partsExpected > 0) for await (const _ of store.list(partsPrefixOf(jobId))) partsFound += 1;
  if (!isComplete({ partsExpected, partsFound })) return false;
  await reportsQueue.sendAll([{ body: reportMessage(jobId), groupId: jobId }]);
  return true;
}
