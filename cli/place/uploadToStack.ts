/**
 * Stores a file in the bucket of a deployed stack, and finds out which job that is.
 */
import { createReadStream } from 'node:fs';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload as MultipartUpload } from '@aws-sdk/lib-storage';
import type { ObjectInfo, ObjectStore } from '../../lambdas/ports.ts';
import { mappingMetadata } from '../mapping.ts';
import { uploadKeyOf } from '../uploadKeyOf.ts';
import { UserError } from '../userError.ts';
import { jobOfUpload } from './jobOfUpload.ts';
import type { Submitted, UploadRequest } from './place.ts';

/** Metadata of an upload; it can only lower the limit of the stack. */
const newPeopleMaxName = 'new-people-max';

/** @throws UserError that says so, where the file was uploaded and its job cannot be named. */
export async function uploadToStack(
  file: string,
  { mapping, dryRun, newPeopleMax }: UploadRequest,
  s3: S3Client,
  bucket: string,
  store: ObjectStore,
): Promise<Submitted> {
  const key = uploadKeyOf(file, dryRun);
  const params = {
    Bucket: bucket,
    Key: key,
    Body: createReadStream(file),
    ContentType: 'text/csv',
    Metadata: {
      ...mappingMetadata(mapping),
      ...(newPeopleMax === undefined ? {} : { [newPeopleMaxName]: String(newPeopleMax) }),
    },
  };
  const { VersionId, ETag } = await new MultipartUpload({ client: s3, params }).done();
  const info = await find(store, key, VersionId, ETag).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      `The file was uploaded as ${key}, and its job begins; do not upload it again. It cannot be followed from here: ${why}`,
      { cause },
    );
  });
  const job = jobOfUpload(bucket, info);
  return { ...job, isNew: true, sentence: `New job ${job.jobId} for ${file}, uploaded as ${key}.` };
}

/** Of the time of an upload, S3 tells only afterwards; and by then somebody else may have uploaded under the same name. */
async function find(
  store: ObjectStore,
  key: string,
  versionId: string | undefined,
  etag: string | undefined,
): Promise<ObjectInfo> {
  const newest = await store.head(key);
  const isOurs = newest !== undefined && newest.versionId === versionId && newest.etag === etag;
  const found = isOurs || versionId === undefined ? newest : await store.head(key, versionId);
  if (found !== undefined) return found;
  throw new UserError(`${key} is gone already: somebody has deleted it.`);
}
