/**
 * `drift.jsonl`: how the directory differs from the roster, one difference a line, and a last line that says how many there
 * are. Written once by ingest, which has both before it; the report makes a table of it.
 */
import * as z from 'zod';
import { type Drift, driftKinds } from '../core/drift.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { driftKey } from '../core/keys.ts';
import { writeLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';
import { linesOf } from './lines.ts';
import { parseRecord } from './record.ts';
import { countSchema, timeSchema } from './schemas.ts';

const driftSchema: z.ZodType<Drift> = z.strictObject({
  kind: z.enum(driftKinds),
  email: z.string(),
  userId: z.string(),
  userStatus: z.string(),
  row: z.int().positive().exactOptional(),
  inRoster: z.string().exactOptional(),
  inDirectory: z.string().exactOptional(),
  sinceMs: timeSchema.exactOptional(),
});

const lineSchema = z.union([driftSchema, z.strictObject({ end: z.strictObject({ entries: countSchema }) })]);

export interface DriftWriter {
  add(drift: Drift): void;
  /** Hands on what has been gathered, if it is much. */
  flush(): Promise<void>;
  /** Does nothing where it is there already: it is the same. */
  close(): Promise<void>;
  abort(): Promise<void>;
}

export function writeDrift(store: ObjectStore, jobId: JobId): DriftWriter {
  const writer = store.writer(driftKey(jobId), 'application/x-ndjson', { kind: 'if_absent' });
  let entries = 0;
  let waiting = '';
  return {
    add: (drift) => {
      entries += 1;
      waiting += `${JSON.stringify(drift)}\n`;
    },
    flush: async () => {
      if (waiting.length < writeLimits.gatheredCharacters) return;
      const text = waiting;
      waiting = '';
      await writer.write(text);
    },
    close: async () => {
      await writer.write(`${waiting}${JSON.stringify({ end: { entries } })}\n`);
      await writer.close();
    },
    abort: () => writer.abort(),
  };
}

/** @throws BrokenInvariant where it is missing, cut off or not what this version writes. */
export async function* readDrift(store: ObjectStore, jobId: JobId): AsyncGenerator<Drift> {
  const key = driftKey(jobId);
  const info = await store.head(key);
  const bytes = info === undefined ? undefined : await store.readBytes({ key, etag: info.etag });
  if (bytes === undefined) throw new BrokenInvariant(`${key} is missing, though the roster was read.`);
  let entries = 0;
  let end: number | undefined;
  for await (const line of linesOf(key, bytes)) {
    const parsed = parseRecord(key, line, lineSchema);
    if (end !== undefined) throw new BrokenInvariant(`${key} goes on after its last line.`);
    if ('end' in parsed) {
      end = parsed.end.entries;
      continue;
    }
    entries += 1;
    yield parsed;
  }
  if (end !== entries)
    throw new BrokenInvariant(`${key} holds ${entries} entries, and its last line says ${end ?? 'nothing'}.`);
}
