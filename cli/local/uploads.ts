/**
 * The uploads of a data folder: which of them are unfinished, and what each was started for.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Upload as MultipartUpload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { incomingPrefix, startsJob } from '../../lambdas/core/keys.ts';
import { mappingSchema } from '../../lambdas/ledger/schemas.ts';
import type { ObjectInfo } from '../../lambdas/ports.ts';
import { mappingMetadata } from '../mapping.ts';
import { jobOfUpload } from '../place/jobOfUpload.ts';
import type { JobRef } from '../place/place.ts';
import { uploadKeyOf } from '../uploadKeyOf.ts';
import { isDelivered } from './delivered.ts';
import { type JobSettings, otherReading, settingsDifference, settingsSchema } from './jobSettings.ts';
import { stageOf, type UnfinishedStage } from './jobStage.ts';
import type { LocalStorage } from './localStorage.ts';
import { readSettingsNote } from './settingsNote.ts';

/** What a person asked for. Two commands that ask for the same thing are the same. */
export interface Request extends JobSettings {
  readonly file: string;
  readonly mapping: Mapping;
  readonly dryRun: boolean;
}

export interface LocalUpload extends JobRef {
  readonly etag: string;
  /** Absent where the upload came by a link. */
  readonly label?: Label;
}

/** Stored with an upload as one header, encoded: a path may hold any character, a header may not. */
const labelSchema = settingsSchema.extend({
  file: z.string(),
  mapping: mappingSchema,
  /** Absent where an earlier version stored it. */
  dryRun: z.boolean().default(false),
  sha256: z.string(),
});

type Label = Request & { readonly sha256: string };

const labelName = 'bulk-invite-request';

export interface Unfinished {
  readonly upload: LocalUpload;
  /** Absent where the upload came by a link, and nobody has worked on it yet. */
  readonly settings?: JobSettings;
  /** Where it is `reported`, the report only has to be delivered. */
  readonly stage: UnfinishedStage;
}

/** In the order of their keys. */
export async function* unfinishedUploads({ bucket, store }: LocalStorage): AsyncGenerator<Unfinished> {
  for await (const { key } of store.list(incomingPrefix)) {
    const info = startsJob(key) ? await store.head(key) : undefined;
    if (info === undefined) continue;
    const upload = describeUpload(bucket, info);
    const stage = await stageOf(store, upload);
    if (stage === 'lapsed' || (stage === 'reported' && (await isDelivered(store, upload.jobId)))) continue;
    const settings = upload.label ?? (await readSettingsNote(store, upload.jobId));
    yield { upload, stage, ...(settings === undefined ? {} : { settings }) };
  }
}

/** Why this upload is not what is asked for now, as the end of a sentence; undefined where it is the same. */
export function differenceOf({ label, uploadKey }: LocalUpload, request: Request, sha256: string): string | undefined {
  if (label?.file !== request.file) return `it is for another file, ${label?.file ?? uploadKey}`;
  if (label.dryRun !== request.dryRun) return `it was started ${label.dryRun ? 'with' : 'without'} --dry-run`;
  if (label.sha256 !== sha256)
    return 'the file has changed since it was started, so that only the file as it was can finish it';
  const difference = settingsDifference(label, request);
  if (difference !== undefined) return difference;
  return JSON.stringify(label.mapping) === JSON.stringify(request.mapping) ? undefined : otherReading;
}

/** Stores the file under `incoming/`, which starts its job. */
export async function uploadFile(
  { s3, bucket, store }: LocalStorage,
  request: Request,
  sha256: string,
): Promise<LocalUpload> {
  const key = uploadKeyOf(request.file, request.dryRun);
  const label: Label = { ...request, sha256 };
  const params = {
    Bucket: bucket,
    Key: key,
    Body: createReadStream(request.file),
    ContentType: 'text/csv',
    Metadata: {
      ...mappingMetadata(request.mapping),
      [labelName]: Buffer.from(JSON.stringify(label)).toString('base64url'),
    },
  };
  await new MultipartUpload({ client: s3, params }).done();
  const info = await store.head(key);
  if (info === undefined) throw new Error(`${key} was stored, and is gone.`);
  return describeUpload(bucket, info);
}

export function describeUpload(bucket: string, info: ObjectInfo): LocalUpload {
  const encoded = info.metadata[labelName];
  const job = { ...jobOfUpload(bucket, info), etag: info.etag };
  if (encoded === undefined) return job;
  return { ...job, label: labelSchema.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString())) };
}

/** SHA-256 of the file's content, as hexadecimal text. */
export async function checksumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
}
