/**
 * Which jobs and uploads the bucket holds. Listed by folder, so that the many objects of a job count as one.
 */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import { incomingPrefix, jobsPrefix, startsJob } from '../../lambdas/core/keys.ts';

export interface BucketListing {
  /** Of the jobs that have begun, in the order of their uploads' times. @param start How the ids begin. */
  jobIds(start: string): AsyncIterable<JobId>;
  /** What lies under `incoming/` now and is a job of its own; a roster is not. */
  uploads(): AsyncIterable<ListedUpload>;
}

export interface ListedUpload {
  readonly key: string;
  readonly uploadedAtMs: number;
}

export function bucketListing(client: S3Client, bucket: string): BucketListing {
  return {
    jobIds: async function* (start) {
      for await (const { CommonPrefixes = [] } of pages(client, bucket, `${jobsPrefix}${start}`, '/')) {
        for (const { Prefix = '' } of CommonPrefixes) {
          const jobId = parseJobId(Prefix.slice(jobsPrefix.length, -1));
          if (jobId !== undefined) yield jobId;
        }
      }
    },
    uploads: async function* () {
      for await (const { Contents = [] } of pages(client, bucket, incomingPrefix)) {
        for (const { Key = '', LastModified } of Contents) {
          if (startsJob(Key)) yield { key: Key, uploadedAtMs: LastModified?.getTime() ?? 0 };
        }
      }
    },
  };
}

async function* pages(
  client: S3Client,
  bucket: string,
  prefix: string,
  delimiter?: string,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: delimiter, ContinuationToken: token }),
    );
    yield page;
    token = page.NextContinuationToken;
  } while (token !== undefined);
}
