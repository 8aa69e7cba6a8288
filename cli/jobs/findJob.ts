/**
 * Which job a person means: by its id, by the beginning of its id, or as `latest`.
 */
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import { incomingPrefix, reportsPrefix } from '../../lambdas/core/keys.ts';
import { readJob } from '../../lambdas/ledger/job.ts';
import { readingLimits } from '../limits.ts';
import type { JobRef, Place } from '../place/place.ts';
import { UserError } from '../userError.ts';
import { knownJobs, latestJobs } from './listJobs.ts';

/** Year, month, day, `T`, time, `Z`, and the hash of the upload: as much of it as was typed. */
const beginning = /^\d{1,8}$|^\d{8}T\d{0,6}$|^\d{8}T\d{6}Z(?:-[0-9a-f]{0,12})?$/iu;

/** @throws UserError where there is no such job, or there are several. */
export async function findJob(place: Place, text: string): Promise<JobRef> {
  if (text === 'latest') {
    const [latest] = await latestJobs(place, 1);
    if (latest !== undefined) return latest;
    throw new UserError(
      `There are no jobs in ${place.name} yet. To start one: npx bulk-invite submit FILE${place.options}`,
    );
  }
  const whole = parseJobId(normal(text));
  if (whole !== undefined) return (await locateJob(place, whole)) ?? noSuchJob(place, text);
  if (!beginning.test(text))
    throw new UserError(
      `“${text}” is not the id of a job. An id is like 20260131T070500Z-0f3a9c51b2de; its beginning is enough, and “latest” is the last one. ` +
        `npx bulk-invite status${place.options} lists them.`,
    );
  const found = await beginningWith(place, normal(text));
  const [first, second] = found;
  if (first === undefined) return noSuchJob(place, text);
  if (second === undefined) return (await locateJob(place, first)) ?? noSuchJob(place, text);
  const named = found.slice(0, readingLimits.jobsNamedMax).join(', ');
  const more =
    found.length > readingLimits.jobsNamedMax ? ` and ${found.length - readingLimits.jobsNamedMax} more` : '';
  throw new UserError(`${found.length} jobs begin with “${text}”: ${named}${more}. Type more of the id.`);
}

/** Where the upload of a job lies; undefined where there is no such job. */
async function locateJob(place: Place, jobId: JobId): Promise<JobRef | undefined> {
  const job = await readJob(place.store, jobId);
  if (job !== undefined) return { jobId, uploadKey: job.source.key };
  for await (const found of knownJobs(place, jobId)) if (found.jobId === jobId) return found;
  return await findReport(place, jobId);
}

/** A report outlives the records of its job, and somebody may read reports and nothing else. */
export async function findReport({ store }: Place, jobId: JobId): Promise<JobRef | undefined> {
  const end = `/${jobId}/summary.json`;
  for await (const { key } of store.list(reportsPrefix)) {
    if (key.endsWith(end))
      return { jobId, uploadKey: `${incomingPrefix}${key.slice(reportsPrefix.length, -end.length)}` };
  }
  return undefined;
}

async function beginningWith(place: Place, start: string): Promise<JobId[]> {
  const found = new Set<JobId>();
  for await (const jobId of place.listing.jobIds(start)) found.add(jobId);
  for await (const { jobId } of knownJobs(place, start)) found.add(jobId);
  return [...found].filter((jobId) => jobId.startsWith(start)).toSorted();
}

/** Ids have capitals in the time and none in the hash. */
function normal(text: string): string {
  const [time = '', hash] = text.split('-');
  return hash === undefined ? time.toUpperCase() : `${time.toUpperCase()}-${hash.toLowerCase()}`;
}

function noSuchJob(place: Place, text: string): never {
  throw new UserError(
    `There is no job “${text}” in ${place.name}. npx bulk-invite status${place.options} lists those there are; the records of older ones are deleted when their days are over.`,
  );
}
