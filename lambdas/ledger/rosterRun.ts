/**
 * `rosters/<name>/run.json`: which run of a roster came last, and how it ended, so that two never overlap.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { rosterKey } from '../core/keys.ts';
import { rosterLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, type Stored, sealedJson } from './record.ts';
import { countSchema, jobIdSchema, timeSchema } from './schemas.ts';

const runEndSchema = z.strictObject({ state: z.enum(['completed', 'failed', 'cancelled']), rows: countSchema });

const rosterRunSchema = z.strictObject({
  jobId: jobIdSchema,
  uploadKey: z.string(),
  startedAtMs: timeSchema,
  /** The last run before this one that came to its end: a sudden change of its size means a broken export. */
  lastCompleted: z.strictObject({ jobId: jobIdSchema, rows: countSchema }).exactOptional(),
  /** Noted by its report. The summary says it, too, but reports may be deleted before the next run comes. */
  ended: runEndSchema.exactOptional(),
});

export type RosterRun = z.output<typeof rosterRunSchema>;

export type RunEnd = z.output<typeof runEndSchema>;

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

/** Does nothing where the run is not the last one: a later one has begun by now, or this one never did. */
export async function noteRunEnded(store: ObjectStore, name: string, jobId: JobId, ended: RunEnd): Promise<void> {
  for (let tries = 0; tries < rosterLimits.runTriesMax; tries += 1) {
    const stored = await readRosterRun(store, name);
    if (stored?.value.jobId !== jobId || stored.value.ended !== undefined) return;
    if (await replaceRosterRun(store, name, { ...stored.value, ended }, stored.etag)) return;
  }
  throw new BrokenInvariant(`The runs of roster ${name} were changed by others again and again.`);
}
