/**
 * The outcomes of a job, one by one in row order: those that ingest settled and those of the chunks, merged.
 */
import { type ApiCalls, addApiCalls } from '../core/apiCalls.ts';
import type { JobId } from '../core/jobId.ts';
import { chunkPartKey, ingestPartKey } from '../core/keys.ts';
import type { Outcome } from '../core/outcome.ts';
import { type PartEnd, readPart } from '../ledger/part.ts';
import type { ObjectStore } from '../ports.ts';

export interface OutcomesInOrder {
  readonly outcomes: AsyncGenerator<Outcome, undefined>;
  /** Calls of the parts read so far, and when the last of them ended. */
  totals(): { readonly apiCalls: ApiCalls; readonly endedAtMs: number };
}

export function outcomesInOrder(store: ObjectStore, jobId: JobId, chunks: number): OutcomesInOrder {
  let apiCalls: ApiCalls = {};
  let endedAtMs = 0;
  const onEnd = (end: PartEnd) => {
    apiCalls = addApiCalls(apiCalls, end.apiCalls);
    endedAtMs = Math.max(endedAtMs, end.endedAtMs);
  };
  const settledByIngest = readPart(store, ingestPartKey(jobId), onEnd);
  const settledByWorkers = readChunkParts(store, jobId, chunks, onEnd);
  return { outcomes: merge(settledByIngest, settledByWorkers), totals: () => ({ apiCalls, endedAtMs }) };
}

async function* readChunkParts(
  store: ObjectStore,
  jobId: JobId,
  chunks: number,
  onEnd: (end: PartEnd) => void,
): AsyncGenerator<Outcome, undefined> {
  for (let chunk = 0; chunk < chunks; chunk += 1) yield* readPart(store, chunkPartKey(jobId, chunk), onEnd);
  return undefined;
}

async function* merge(
  left: AsyncGenerator<Outcome, undefined>,
  right: AsyncGenerator<Outcome, undefined>,
): AsyncGenerator<Outcome, undefined> {
  let leftHead = (await left.next()).value;
  let rightHead = (await right.next()).value;
  while (leftHead !== undefined || rightHead !== undefined) {
    if (leftHead !== undefined && (rightHead === undefined || leftHead.row < rightHead.row)) {
      yield leftHead;
      leftHead = (await left.next()).value;
    } else if (rightHead !== undefined) {
      yield rightHead;
      rightHead = (await right.next()).value;
    }
  }
  return undefined;
}
