/**
 * What S3 would say of an upload, and where a simulation wants chunks of another size than the code would choose, the job
 * object that fixes it: the code finds it there, as it finds the one that an earlier run of ingest has written.
 */
import { type JobId, jobIdOf } from '../../lambdas/core/jobId.ts';
import { jobKey } from '../../lambdas/core/keys.ts';
import { sealedJson } from '../../lambdas/ledger/record.ts';
import { bucket } from './bulkInvite.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { Upload } from './simulation.ts';

export function fixedJob(
  store: ObjectStoreModel,
  { key, chunkRows }: Upload,
  nowMs: number,
): { readonly jobId: JobId; readonly event: string } {
  const info = store.info(key);
  if (info === undefined) throw new Error(`${key} is not there.`);
  const { etag, versionId = '', bytes, modifiedAtMs: uploadedAtMs } = info;
  const jobId = jobIdOf({ bucket, key, version: versionId, uploadedAtMs });
  if (chunkRows !== undefined) {
    const job = {
      jobId,
      source: { key, etag, versionId, bytes, uploadedAtMs },
      settings: { chunkRows, mapping: {}, invitesGone: false, allowedDomains: [] },
      startedAtMs: nowMs,
    };
    store.write(jobKey(jobId), sealedJson.write(job), { kind: 'always' });
  }
  const object = { key: encodeURIComponent(key), eTag: etag.replaceAll('"', ''), versionId };
  return { jobId, event: JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object } }] }) };
}
