/**
 * `summary.json`: written last, so when it exists, the report is whole.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import { reportKey } from '../core/keys.ts';
import { statuses } from '../core/outcome.ts';
import { inertJson } from '../core/quote.ts';
import type { ObjectStore } from '../ports.ts';
import type { Job } from './job.ts';
import { readRecord } from './record.ts';
import { apiCallsSchema, countSchema, jobIdSchema } from './schemas.ts';

const fileSchema = z.object({
  name: z.string(),
  /** Rows below the header; absent for a file that is not a table. */
  rows: countSchema.exactOptional(),
  sha256: z.string(),
});

const summarySchema = z.object({
  jobId: jobIdSchema,
  /**
   * `held`: nobody is invited until somebody approves it; `hold` says why, and a later summary takes the place of this one.
   * `failed`: a fault of the whole upload, or of the key, or of most rows, ended the job. `cancelled`: somebody did.
   * `error` says why in both.
   */
  state: z.enum(['completed', 'failed', 'cancelled', 'held']),
  /** True where nobody was to be invited. */
  dryRun: z.boolean().default(false),
  roster: z.object({ name: z.string(), scheduledAt: z.iso.datetime() }).exactOptional(),
  source: z.object({ name: z.string(), bytes: countSchema, version: z.string() }),
  /** Rows of the upload, each of which has one line in `results.csv`. */
  rows: countSchema,
  counts: z.record(z.enum(statuses), countSchema),
  /** By operation, then by HTTP status or `no_answer`. What a worker that crashed had not saved is not in it. */
  apiCalls: apiCallsSchema,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  columns: z.object({ used: z.record(z.string(), z.string()), ignored: z.array(z.string()) }),
  /** How the file was read. Absent where it could not be. */
  reading: z.object({ encoding: z.string(), delimiter: z.string(), headerRow: z.int() }).exactOptional(),
  /** What a person should know of the whole file. */
  warnings: z.array(z.string()),
  files: z.array(fileSchema),
  error: z.object({ code: z.string(), message: z.string(), by: z.string().exactOptional() }).exactOptional(),
  hold: z.array(z.object({ code: z.string(), message: z.string() })).exactOptional(),
  /** Who has released a job that was held, and when. */
  approval: z.object({ by: z.string(), at: z.iso.datetime() }).exactOptional(),
  /** How the directory differs from the roster: entries of `drift.csv`, by kind. */
  drift: z.record(z.string(), countSchema).exactOptional(),
});

export type Summary = z.output<typeof summarySchema>;

export type ReportFileEntry = z.output<typeof fileSchema>;

export async function readSummary(
  store: ObjectStore,
  { source, jobId }: Pick<Job, 'jobId'> & { readonly source: Pick<Job['source'], 'key'> },
): Promise<Summary | undefined> {
  return (await readRecord<Summary>(store, reportKey(source.key, jobId, 'summary.json'), summarySchema))?.value;
}

/** Whether the job has ended. While it is held, it has not. */
export function hasEnded(summary: Summary | undefined): summary is Summary {
  return summary !== undefined && summary.state !== 'held';
}

/** The first summary of a job that has ended stands; that of a held job is replaced by it. */
export async function writeSummary(store: ObjectStore, job: Job, summary: Summary): Promise<void> {
  const key = reportKey(job.source.key, job.jobId, 'summary.json');
  for (let tries = 0; tries < writeTriesMax; tries += 1) {
    const stored = await readRecord<Summary>(store, key, summarySchema);
    if (stored !== undefined && (hasEnded(stored.value) || summary.state === 'held')) return;
    const condition =
      stored === undefined ? ({ kind: 'if_absent' } as const) : ({ kind: 'if_match', etag: stored.etag } as const);
    if ((await store.put(key, forPeople(summary), condition)).kind === 'written') return;
  }
  throw new BrokenInvariant(`The summary of job ${job.jobId} was changed by others again and again.`);
}

/** It changes once at most: from held to what the job has come to. */
const writeTriesMax = 4;

/** People read it, too, on terminals. */
function forPeople(summary: Summary): string {
  return `${inertJson(summary)}\n`;
}
