/**
 * `summary.json`: written last, so when it exists, the report is whole.
 */
import * as z from 'zod';
import { reportKey } from '../core/keys.ts';
import { statuses } from '../core/outcome.ts';
import { inertJson } from '../core/quote.ts';
import type { ObjectStore } from '../ports.ts';
import type { Job } from './job.ts';
import { plainJson, readRecord, type TextFormat, writeRecordOnce } from './record.ts';
import { apiCallsSchema, countSchema, jobIdSchema } from './schemas.ts';

const fileSchema = z.object({
  name: z.string(),
  /** Rows below the header; absent for a file that is not a table. */
  rows: countSchema.exactOptional(),
  sha256: z.string(),
});

const summarySchema = z.object({
  jobId: jobIdSchema,
  /** `failed`: a fault of the whole upload, or of the key, ended the job; `error` has it. */
  state: z.enum(['completed', 'failed']),
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
  error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
});

export type Summary = z.output<typeof summarySchema>;

export type ReportFileEntry = z.output<typeof fileSchema>;

export async function readSummary(
  store: ObjectStore,
  { source, jobId }: Pick<Job, 'jobId'> & { readonly source: Pick<Job['source'], 'key'> },
): Promise<Summary | undefined> {
  return (await readRecord<Summary>(store, reportKey(source.key, jobId, 'summary.json'), summarySchema))?.value;
}

export async function writeSummary(store: ObjectStore, job: Job, summary: Summary): Promise<void> {
  await writeRecordOnce<Summary>(
    store,
    reportKey(job.source.key, job.jobId, 'summary.json'),
    summary,
    summarySchema,
    forPeople,
  );
}

/** People read it, too, on terminals. */
const forPeople: TextFormat = { ...plainJson, write: (summary) => `${inertJson(summary)}\n` };
