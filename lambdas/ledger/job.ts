/**
 * `job.json`: the upload that a job processes, and the settings that decide what it does. The first writer fixes both.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { jobKey } from '../core/keys.ts';
import { isRosterName, type RosterRules } from '../core/roster.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, type Stored, sealedJson, writeRecordOnce } from './record.ts';
import { countSchema, jobIdSchema, mappingSchema, shareSchema, timeSchema } from './schemas.ts';

const rosterSchema: z.ZodType<RosterRules & { readonly scheduledAtMs: number }> = z.strictObject({
  name: z.string().refine(isRosterName),
  staleAfterMs: timeSchema,
  openAfterMs: timeSchema,
  resendAfterMs: timeSchema.exactOptional(),
  newPeopleShare: shareSchema.exactOptional(),
  rowsShareMin: shareSchema.exactOptional(),
  invalidShareMax: shareSchema.exactOptional(),
  scheduledAtMs: timeSchema,
});

const jobSchema = z.strictObject({
  jobId: jobIdSchema,
  source: z.strictObject({
    key: z.string(),
    etag: z.string(),
    versionId: z.string().exactOptional(),
    bytes: countSchema,
    uploadedAtMs: timeSchema,
  }),
  settings: z.strictObject({
    chunkRows: z.int().positive(),
    /** For rows that name none: an id or a name. */
    role: z.string().exactOptional(),
    organization: z.string().exactOptional(),
    mapping: mappingSchema,
    /** What is wrong with the mapping that was given. */
    mappingFault: z.string().exactOptional(),
    invitesGone: z.boolean(),
    allowedDomains: z.array(z.string()),
    /** Nobody is invited: the report says who would be. */
    dryRun: z.boolean().default(false),
    /** More invitations than this hold the job. Absent for a roster that names no limit. */
    newPeopleMax: countSchema.exactOptional(),
    /** The limit that was asked for with the file of such a roster; it holds where it is lower. */
    newPeopleWish: countSchema.exactOptional(),
  }),
  /** Where the job is a run of a roster. */
  roster: rosterSchema.exactOptional(),
  startedAtMs: timeSchema,
});

export type Job = z.output<typeof jobSchema>;

export async function readJob(store: ObjectStore, jobId: JobId): Promise<Job | undefined> {
  const stored = await readRecord<Job>(store, jobKey(jobId), jobSchema, sealedJson);
  return stored === undefined ? undefined : expectJob(jobId, stored).value;
}

export async function fixJob(store: ObjectStore, job: Job): Promise<Stored<Job> & { readonly wasThere: boolean }> {
  return expectJob(job.jobId, await writeRecordOnce<Job>(store, jobKey(job.jobId), job, jobSchema, sealedJson));
}

function expectJob<T extends Stored<Job>>(jobId: JobId, stored: T): T {
  if (stored.value.jobId === jobId) return stored;
  throw new BrokenInvariant(`${jobKey(jobId)} is of another job, ${stored.value.jobId}.`);
}
