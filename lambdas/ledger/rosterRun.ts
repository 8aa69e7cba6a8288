/**
 * `rosters/<name>/run.json`: which run of a roster came last, so that two never overlap.
 */
import * as z from 'zod';
import { rosterKey } from '../core/keys.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, type Stored, sealedJson } from './record.ts';
import { countSchema, jobIdSchema, timeSchema } from './schemas.ts';

const rosterRunSchema = z.strictObject({
  jobId: jobIdSchema,
  uploadKey: z.string(),
  startedAtMs: timeSchema,
  /** The last run before this one that came to its end: a sudden change of its size means a broken export. */
  lastCompleted: z.strictObject({ jobId: jobIdSchema, rows: countSchema }).exactOptional(),
});

export type RosterRun = z.output<typeof rosterRunSchema>;

export async function readRosterRun(store: ObjectStore, name: string): Promise<Stored<RosterRun> | undefined> {
  return await readRecord<RosterRun>(store, rosterKey(name), rosterRunSchema, sealedJson);
}

/**
 * @param etag Of the run that this one follows; undefined where there is none.
 * @returns False where another run came first; it may be this very one, written by an earlier try of ours.
 */
export async function replaceRosterRun(
  store: ObjectStore,
  name: string,
  run: RosterRun,
  etag: string | undefined,
): Promise<boolean> {
  const condition = etag === undefined ? ({ kind: 'if_absent' } as const) : ({ kind: 'if_match', etag } as const);
  return (await store.put(rosterKey(name), sealedJson.write(run), condition)).kind === 'written';
}
