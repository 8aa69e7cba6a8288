/**
 * What S3 would say of an upload, and where a simulation wants chunks of another size than the code would choose, the job
 * object that fixes it: the code finds it there, as it finds the one that an earlier run of ingest has written.
 */
import { type JobId, jobIdOf } from '../../lambdas/core/jobId.ts';
import { jobKey } from '../../lambdas/core/keys.ts';
import { sealedJson } from '../../lambdas/ledger/record.ts';
import { createdEvent } from './bucketEvents.ts';
import { bucket } from './bulkInvite.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { Upload } from './simulation.ts';

/** @param newPeopleMax The limit that holds the job. */
export function fixedJob(
  store: ObjectStoreModel,
  { key, chunkRows, isDryRun = false }: Upload,
  newPeopleMax: number,
  nowMs: number,
): { readonly jobId: JobId; readonly event: string } {
  const info = store.info(key);
  if (info === undefined) throw new Error(`${key} is not there.`);
  const { etag, versionId = '', bytes, modifiedAtMs: uploadedAtMs } = info;
  const jobId = jobIdOf({ bucket, key, version: versionId, uploadedAtMs });
  // A dry run is recognised by the code itself.
  if (chunkRows !== undefined && !isDryRun) {
    const job = {
      jobId,
      source: { key, etag, versionId, bytes, uploadedAtMs },
      settings: { chunkRows, mapping: {}, invitesGone: false, allowedDomains: [], dryRun: false, newPeopleMax },
      startedAtMs: nowMs,
    };
    store.write(jobKey(jobId), sealedJson.write(job), { kind: 'always' });
  }
  return { jobId, event: createdEvent({ key, etag, versionId }) };
}
