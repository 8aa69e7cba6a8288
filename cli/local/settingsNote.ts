/**
 * What an upload that came by a link is worked on with, as `settings/<job id>.json`. The upload itself says nothing of it, so
 * it is noted when somebody first works on its job, and holds for whoever goes on with it: nobody is invited in another
 * place than the one that was first said. Removed when the report is with the person.
 */
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { readRecord, writeRecordOnce } from '../../lambdas/ledger/record.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { type JobSettings, settingsSchema } from './jobSettings.ts';
import type { LocalStorage } from './localStorage.ts';

/** Gives the settings that hold: the first ones stand. */
export async function noteSettings(store: ObjectStore, jobId: JobId, settings: JobSettings): Promise<JobSettings> {
  return (await writeRecordOnce<JobSettings>(store, noteKey(jobId), settings, settingsSchema)).value;
}

export async function readSettingsNote(store: ObjectStore, jobId: JobId): Promise<JobSettings | undefined> {
  return (await readRecord<JobSettings>(store, noteKey(jobId), settingsSchema))?.value;
}

export async function forgetSettings({ s3, bucket }: LocalStorage, jobId: JobId): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: noteKey(jobId) }));
}

function noteKey(jobId: JobId): string {
  return `settings/${jobId}.json`;
}
