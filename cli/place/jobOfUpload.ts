/**
 * The job of an upload, named as ingest names it.
 */
import { jobIdOf } from '../../lambdas/core/jobId.ts';
import type { ObjectInfo } from '../../lambdas/ports.ts';
import type { JobRef } from './place.ts';

export function jobOfUpload(bucket: string, { key, etag, versionId, modifiedAtMs }: ObjectInfo): JobRef {
  const jobId = jobIdOf({ bucket, key, version: versionId ?? etag, uploadedAtMs: modifiedAtMs });
  return { jobId, uploadKey: key };
}
