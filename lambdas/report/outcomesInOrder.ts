/**
 * The outcomes of a job, one by one in row order: those that ingest settled and those of the chunks, merged.
 */
import { type ApiCalls, addApiCalls } from '../core/apiCalls.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { chunkPartKey, ingestPartKey } from '../core/keys.ts';
import { heldCode, type Outcome } from '../core/outcome.ts';
import { readChunk } from '../ledger/chunk.ts';
import { type PartEnd, readPart } from '../ledger/part.ts';
import type { ObjectStore } from '../ports.ts';

export interface OutcomesInOrder {
  readonly outcomes: AsyncGenerator<Outcome, undefined>;
  /** Calls of the parts read so far, and when the last of them ended. */
  totals(): { readonly apiCalls: ApiCalls; readonly endedAtMs: number };
}

/** @param isHeld Whether no worker has settled anything, because the job waits for approval. */
export function outcomesInOrder(store: ObjectStore, jobId: JobId, chunks: number, isHeld: boolean): OutcomesInOrder {
  let apiCalls: ApiCalls = {};
  let endedAtMs = 0;
  const onEnd = (end: PartEnd) => {
    apiCalls = addApiCalls(apiCalls, end.apiCalls);
    endedAtMs = Math.max(endedAtMs, end.endedAtMs);
  };
  const settledByIngest = readPart(store, ingestPartKey(jobId), onEnd);
  const ofChunks = isHeld ? heldRows(store, jobId, chunks) : readChunkParts(store, jobId, chunks, onEnd);
  return { outcomes: merge(settledByIngest, ofChunks), totals: () => ({ apiCalls, endedAtMs }) };
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

const heldMessage = 'Would be invited, and is not until somebody approves the job.';
const heldAgainMessage = 'The invitation would be sent again, and is not until somebody approves the job.';

async function* heldRows(store: ObjectStore, jobId: JobId, chunks: number): AsyncGenerator<Outcome, undefined> {
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const stored = await readChunk(store, jobId, chunk);
    if (stored === undefined)
      throw new BrokenInvariant(`Chunk ${chunk} of job ${jobId} is missing, though it was counted.`);
    for (const { row, resendTo } of stored.value.rows) {
      const message = resendTo === undefined ? heldMessage : heldAgainMessage;
      yield { row, status: 'not_attempted', code: heldCode, message, attempts: 0 };
    }
  }
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
