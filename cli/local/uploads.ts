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
import { type JobStage, stageOf } from './jobStage.ts';
import type { LocalStorage } from './localStorage.ts';
import { type NamedApi, targetName } from './target.ts';

/** What the functions are told; all jobs that they work on have it in common. */
export interface JobSettings {
  /** Where invitations go. Absent for the sandbox. */
  readonly api?: NamedApi;
  /** Empty where there is none. */
  readonly role: string;
  readonly organization: string;
  readonly invitesGone: boolean;
  readonly allowedDomains: readonly string[];
  /** More invitations than this hold an upload. Absent for the usual limit. */
  readonly newPeopleMax?: number;
}

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

export const settingsSchema = z.object({
  api: z.object({ url: z.string(), tenant: z.string().exactOptional() }).exactOptional(),
  role: z.string(),
  organization: z.string(),
  invitesGone: z.boolean(),
  allowedDomains: z.array(z.string()),
  newPeopleMax: z.int().nonnegative().exactOptional(),
});

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
  /** Where it is `reported`, the report only has to be delivered. */
  readonly stage: JobStage;
}

/** In the order of their keys. */
export async function* unfinishedUploads({ bucket, store }: LocalStorage): AsyncGenerator<Unfinished> {
  for await (const { key } of store.list(incomingPrefix)) {
    const info = startsJob(key) ? await store.head(key) : undefined;
    if (info === undefined) continue;
    const upload = describeUpload(bucket, info);
    const stage = await stageOf(store, upload);
    if (stage !== 'reported' || !(await isDelivered(store, upload.jobId))) yield { upload, stage };
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

/** Why one of them cannot be worked on with what the other was started with. */
export function settingsDifference(started: JobSettings, now: JobSettings): string | undefined {
  const [target, targetNow] = [targetName(started.api), targetName(now.api)];
  if (target !== targetNow) return `it was started for ${target}, not for ${targetNow}`;
  if (started.role !== now.role) return `it was started with ${option('role', started.role)}`;
  if (started.organization !== now.organization)
    return `it was started with ${option('organization', started.organization)}`;
  if (started.newPeopleMax !== now.newPeopleMax)
    return `it was started with ${started.newPeopleMax === undefined ? 'no --max-new' : `--max-new ${started.newPeopleMax}`}`;
  const reading = ({ invitesGone, allowedDomains }: JobSettings) => JSON.stringify([invitesGone, allowedDomains]);
  return reading(started) === reading(now) ? undefined : otherReading;
}

const otherReading = 'it was started with other --map, --allow-domain or --invite-gone';

function option(name: string, value: string): string {
  return value === '' ? `no --${name}` : `--${name} ${JSON.stringify(value)}`;
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
