/**
 * The jobs of a place: those that have begun, and uploads and runs of rosters whose job is still to begin.
 */
import pLimit from 'p-limit';
import { compactTime } from '../../lambdas/core/compactTime.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { readJob } from '../../lambdas/ledger/job.ts';
import { readingLimits } from '../limits.ts';
import type { ListedUpload } from '../place/bucketListing.ts';
import { jobOfUpload } from '../place/jobOfUpload.ts';
import type { JobRef, Place } from '../place/place.ts';

/** The last jobs, the newest first. */
export async function latestJobs(place: Place, count: number): Promise<JobRef[]> {
  let begun: JobId[] = [];
  // In order of time; of a page of a thousand only the last ones are kept.
  for await (const jobId of place.listing.jobIds('')) {
    begun.push(jobId);
    if (begun.length >= 2 * readingLimits.jobsListedMax) begun = begun.slice(-count);
  }
  const uploads = await Array.fromAsync(place.listing.uploads());
  const newest = uploads.toSorted((one, other) => other.uploadedAtMs - one.uploadedAtMs).slice(0, count);
  const limit = pLimit(readingLimits.objectsAtOnce);
  const uploaded = await Promise.all(newest.map(({ key }) => limit(() => jobAt(place, key))));
  const byId = new Map<JobId, string | undefined>(begun.map((jobId) => [jobId, undefined]));
  for (const job of uploaded) if (job !== undefined) byId.set(job.jobId, job.uploadKey);
  for await (const { jobId, uploadKey } of place.notedRuns()) byId.set(jobId, uploadKey);
  const latest = [...byId].toSorted(([one], [other]) => (one < other ? 1 : -1)).slice(0, count);
  const located = await Promise.all(latest.map(([jobId, key]) => limit(() => locate(place, jobId, key))));
  return located.filter((job) => job !== undefined);
}

/** Jobs that are known before they have begun: of what lies under `incoming/`, and noted runs; only those whose ids may begin so. */
export async function* knownJobs(place: Place, start: string): AsyncGenerator<JobRef> {
  for await (const { jobId, uploadKey } of place.notedRuns()) if (jobId.startsWith(start)) yield { jobId, uploadKey };
  for await (const upload of place.listing.uploads()) {
    const job = mayBe(upload, start) ? await jobAt(place, upload.key) : undefined;
    if (job !== undefined) yield job;
  }
}

/** An id begins with the time of the upload. */
function mayBe({ uploadedAtMs }: ListedUpload, start: string): boolean {
  const time = compactTime(uploadedAtMs);
  return time.startsWith(start) || start.startsWith(time);
}

async function jobAt({ store, bucket }: Place, key: string): Promise<JobRef | undefined> {
  const info = await store.head(key);
  return info === undefined ? undefined : jobOfUpload(bucket, info);
}

async function locate({ store }: Place, jobId: JobId, key: string | undefined): Promise<JobRef | undefined> {
  if (key !== undefined) return { jobId, uploadKey: key };
  const job = await readJob(store, jobId);
  return job === undefined ? undefined : { jobId, uploadKey: job.source.key };
}
