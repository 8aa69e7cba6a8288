/**
 * How far each row of a job is, in row order and in constant memory.
 */
import type { JobId } from '../../lambdas/core/jobId.ts';
import { ingestPartKey } from '../../lambdas/core/keys.ts';
import type { Outcome } from '../../lambdas/core/outcome.ts';
import type { RowProgress } from '../../lambdas/core/rowProgress.ts';
import { readChunk } from '../../lambdas/ledger/chunk.ts';
import { readManifest } from '../../lambdas/ledger/manifest.ts';
import { readPart } from '../../lambdas/ledger/part.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { readingLimits } from '../limits.ts';

export interface JobRow {
  readonly row: number;
  /** Absent while the row is open. */
  readonly outcome?: Outcome;
  /** What is known of an open row. */
  readonly open?: Pick<RowProgress, 'attempts' | 'doubt' | 'refusal' | 'lastHttpStatus'>;
}

/** Gives nothing where no row has been judged yet, or where a fault of the whole upload ended the job. */
export async function* jobRows(store: ObjectStore, jobId: JobId): AsyncGenerator<JobRow> {
  const manifest = await readManifest(store, jobId);
  if (manifest === undefined || manifest.fault !== undefined) return;
  const settledByIngest = readPart(store, ingestPartKey(jobId), () => undefined);
  let next = await settledByIngest.next();
  for await (const invitee of inviteeRows(store, jobId, manifest.chunks)) {
    while (next.done !== true && next.value.row < invitee.row) {
      yield { row: next.value.row, outcome: next.value };
      next = await settledByIngest.next();
    }
    yield invitee;
  }
  for (; next.done !== true; next = await settledByIngest.next()) yield { row: next.value.row, outcome: next.value };
}

/** Chunks are read some at a time: one after the other would take long, and all at once much memory. */
async function* inviteeRows(store: ObjectStore, jobId: JobId, chunks: number): AsyncGenerator<JobRow> {
  for (let first = 0; first < chunks; first += readingLimits.objectsAtOnce) {
    const count = Math.min(readingLimits.objectsAtOnce, chunks - first);
    const batch = Array.from({ length: count }, (_, index) => readChunk(store, jobId, first + index));
    for (const stored of await Promise.all(batch)) for (const row of stored?.value.rows ?? []) yield jobRow(row);
  }
}

function jobRow({ row, outcome, attempts, doubt, refusal, lastHttpStatus }: RowProgress): JobRow {
  if (outcome !== undefined) return { row, outcome };
  return {
    row,
    open: {
      attempts,
      ...(doubt === undefined ? {} : { doubt }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(lastHttpStatus === undefined ? {} : { lastHttpStatus }),
    },
  };
}

/** For people: one line. */
export function describeRow({ row, outcome, open }: JobRow): string {
  const what = outcome === undefined ? describeOpen(open) : describeOutcome(outcome);
  return `row ${row}: ${what}`;
}

function describeOutcome({ status, code, column, message }: Outcome): string {
  const detail = [column, message].filter(Boolean).join(': ');
  const finer = code === status ? '' : ` (${code})`;
  return `${status}${finer}${detail === '' ? '' : `, ${detail}`}`;
}

function describeOpen(open: JobRow['open']): string {
  if (open?.doubt !== undefined)
    return `open; an attempt ended with ${open.doubt.detail}, so this person is looked up before anything is sent again`;
  if (open?.refusal !== undefined)
    return `open; the API refused it with status ${open.refusal.httpStatus}, and this person is looked up for the reason`;
  const attempts = open?.attempts ?? 0;
  if (attempts === 0) return 'open; nothing was sent yet';
  return `open; sent ${attempts} ${attempts === 1 ? 'time' : 'times'} without effect, it is tried again`;
}
