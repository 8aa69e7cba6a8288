/**
 * `parts/*.jsonl`: outcomes, one a line in row order, and a last line that says how many there are. The parts of a job
 * are one for each chunk and one for the rows that ingest settled itself; each is written once.
 */
import * as z from 'zod';
import type { ApiCalls } from '../core/apiCalls.ts';
import { BrokenInvariant } from '../core/fault.ts';
import { writeLimits } from '../core/limits.ts';
import type { Outcome } from '../core/outcome.ts';
import type { ObjectStore, ObjectWriter } from '../ports.ts';
import { linesOf } from './lines.ts';
import { parseRecord } from './record.ts';
import { apiCallsSchema, countSchema, outcomeSchema, timeSchema } from './schemas.ts';

const endSchema = z.strictObject({ outcomes: countSchema, apiCalls: apiCallsSchema, endedAtMs: timeSchema });

export type PartEnd = z.output<typeof endSchema>;

const lineSchema = z.union([outcomeSchema, z.strictObject({ end: endSchema })]);

export interface PartWriter {
  /** Takes an outcome, and says whether it is time to `flush`: once for each row, waiting would cost more than the work. */
  add(outcome: Outcome): boolean;
  flush(): Promise<void>;
  /** Does nothing where the part is there already: it is the same. */
  close(apiCalls: ApiCalls, endedAtMs: number): Promise<void>;
  abort(): Promise<void>;
}

export function writePart(store: ObjectStore, key: string): PartWriter {
  const writer: ObjectWriter = store.writer(key, 'application/x-ndjson', { kind: 'if_absent' });
  let outcomes = 0;
  let waiting = '';
  return {
    add: (outcome) => {
      outcomes += 1;
      waiting += `${JSON.stringify(outcome)}\n`;
      return waiting.length >= writeLimits.gatheredCharacters;
    },
    flush: async () => {
      const text = waiting;
      waiting = '';
      await writer.write(text);
    },
    close: async (apiCalls, endedAtMs) => {
      const end: PartEnd = { outcomes, apiCalls, endedAtMs };
      await writer.write(`${waiting}${JSON.stringify({ end })}\n`);
      await writer.close();
    },
    abort: () => writer.abort(),
  };
}

/**
 * Gives a part's outcomes in row order.
 *
 * @param onEnd Told of the last line, after the last outcome.
 * @throws BrokenInvariant where the part is missing, cut off or not what this version writes.
 */
export async function* readPart(
  store: ObjectStore,
  key: string,
  onEnd: (end: PartEnd) => void,
): AsyncGenerator<Outcome, undefined> {
  const info = await store.head(key);
  // Not by its version: there is only one, and to name it needs a permission of its own.
  const bytes = info === undefined ? undefined : await store.readBytes({ key, etag: info.etag });
  if (bytes === undefined) throw new BrokenInvariant(`${key} is missing, though it was counted.`);
  let outcomes = 0;
  let end: PartEnd | undefined;
  for await (const line of linesOf(key, bytes)) {
    const parsed = parseRecord(key, line, lineSchema);
    if (end !== undefined) throw new BrokenInvariant(`${key} goes on after its last line.`);
    if ('end' in parsed) {
      end = parsed.end;
      continue;
    }
    outcomes += 1;
    yield parsed;
  }
  if (end?.outcomes !== outcomes) {
    throw new BrokenInvariant(
      `${key} holds ${outcomes} outcomes, and its last line says ${end?.outcomes ?? 'nothing'}.`,
    );
  }
  onEnd(end);
  return undefined;
}
