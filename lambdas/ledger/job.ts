/**
 * `job.json`: the upload that a job processes, and the settings that decide what it does. The first writer fixes both.
 */
import { z } from 'zod';
import type { JobId } from '../core/jobId.ts';
import { jobKey } from '../core/keys.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, type Stored, writeRecordOnce } from './record.ts';
import { countSchema, jobIdSchema, mappingSchema } from './schemas.ts';

const jobSchema = z.object({
  jobId: jobIdSchema,
  source: z.object({
    key: z.string(),
    etag: z.string(),
    versionId: z.string().exactOptional(),
    bytes: countSchema,
    uploadedAtMs: z.number(),
  }),
  settings: z.object({
    chunkRows: z.int().positive(),
    /** For rows that name none: an id or a name. */
    role: z.string().exactOptional(),
    organization: z.string().exactOptional(),
    mapping: mappingSchema,
    /** What is wrong with the mapping that was given. */
    mappingFault: z.string().exactOptional(),
    invitesGone: z.boolean(),
    allowedDomains: z.array(z.string()),
  }),
  startedAtMs: z.number(),
});

export type Job = z.output<typeof jobSchema>;

export async function readJob(store: ObjectStore, jobId: JobId): Promise<Job | undefined> {
  return (await readRecord<Job>(store, jobKey(jobId), jobSchema))?.value;
}

export async function fixJob(store: ObjectStore, job: Job): Promise<Stored<Job> & { readonly wasThere: boolean }> {
  return await writeRecordOnce<Job>(store, jobKey(job.jobId), job, jobSchema);
}
