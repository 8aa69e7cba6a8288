/**
 * The uploads of a data folder: which of them is unfinished, and what it was started for.
 *
 * The rule for the same file: while its job is unfinished, the same command continues it; once the report is whole, the
 * same command is a new job. An unfinished job of anything else is neither continued nor dropped without being asked.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { Upload as MultipartUpload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { type JobId, jobIdOf } from '../../lambdas/core/jobId.ts';
import { incomingPrefix, reportKey } from '../../lambdas/core/keys.ts';
import { inert } from '../../lambdas/core/quote.ts';
import { mappingSchema } from '../../lambdas/ledger/schemas.ts';
import { mappingMetadata } from '../mapping.ts';
import { isDelivered } from './fetchReport.ts';
import type { LocalHost } from './localHost.ts';

/** What a person asked for. Two commands that ask for the same thing are the same. */
export interface Request {
  readonly file: string;
  /** Where invitations go: the sandbox, or the address of an API, with its tenant. */
  readonly target: string;
  readonly role: string;
  readonly organization: string;
  readonly mapping: Mapping;
  readonly invitesGone: boolean;
  readonly allowedDomains: readonly string[];
}

export interface LocalUpload {
  readonly jobId: JobId;
  readonly key: string;
  readonly etag: string;
  readonly request: Request;
  readonly sha256: string;
}

/** Stored with an upload as one header, encoded: a path may hold any character, a header may not. */
const metadataSchema = z.object({
  file: z.string(),
  target: z.string(),
  role: z.string(),
  organization: z.string(),
  mapping: mappingSchema,
  invitesGone: z.boolean(),
  allowedDomains: z.array(z.string()),
  sha256: z.string(),
});

const metadataName = 'bulk-invite';

type Services = Pick<LocalHost, 's3' | 'bucket' | 'store'>;

/** The first upload of the data folder whose report is not whole, or else one whose report was not delivered. */
export async function findUnfinished({ s3, bucket, store }: Services): Promise<Unfinished | undefined> {
  let undelivered: Unfinished | undefined;
  for await (const { key } of store.list(incomingPrefix)) {
    const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    const upload = describeUpload(key, bucket, found);
    const isReported = (await store.head(reportKey(key, upload.jobId, 'summary.json'))) !== undefined;
    if (!isReported) return { upload, isReported };
    if (!(await isDelivered(store, upload.jobId))) undelivered = { upload, isReported };
  }
  return undelivered;
}

export interface Unfinished {
  readonly upload: LocalUpload;
  readonly isReported: boolean;
}

/** Why this upload is not what is asked for now, as the end of a sentence; undefined where it is the same. */
export function differenceOf(upload: LocalUpload, request: Request, sha256: string): string | undefined {
  const { file, target, role, organization } = upload.request;
  if (file !== request.file) return `it is for another file, ${file}`;
  if (upload.sha256 !== sha256)
    return 'the file has changed since it was started, so that only the file as it was can finish it';
  if (target !== request.target) return `it was started for ${target}, not for ${request.target}`;
  if (role !== request.role)
    return `it was started with ${role === '' ? 'no --role' : `--role ${JSON.stringify(role)}`}`;
  if (organization !== request.organization) {
    return `it was started with ${organization === '' ? 'no --organization' : `--organization ${JSON.stringify(organization)}`}`;
  }
  const reading = ({ mapping, invitesGone, allowedDomains }: Request) =>
    JSON.stringify([mapping, invitesGone, allowedDomains]);
  return reading(upload.request) === reading(request)
    ? undefined
    : 'it was started with other --map, --allow-domain or --invite-gone';
}

/** Stores the file under `incoming/`, which starts its job. */
export async function uploadFile({ s3, bucket }: Services, request: Request, sha256: string): Promise<LocalUpload> {
  // A list of keys is XML, which changes some control characters on the way: the key would be that of nothing.
  const key = `${incomingPrefix}${inert(basename(request.file))}`;
  const metadata = { ...request, sha256 };
  const params = {
    Bucket: bucket,
    Key: key,
    Body: createReadStream(request.file),
    ContentType: 'text/csv',
    Metadata: {
      ...mappingMetadata(request.mapping),
      [metadataName]: Buffer.from(JSON.stringify(metadata)).toString('base64url'),
    },
  };
  await new MultipartUpload({ client: s3, params }).done();
  return describeUpload(key, bucket, await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
}

/** SHA-256 of the file's content, as hexadecimal text. */
export async function checksumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
}

interface FoundObject {
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

function describeUpload(
  key: string,
  bucket: string,
  { ETag = '', LastModified, Metadata = {} }: FoundObject,
): LocalUpload {
  const uploadedAtMs = LastModified?.getTime() ?? 0;
  const encoded = Metadata[metadataName] ?? '';
  const { sha256, ...request } =
    encoded === '' ? unlabelled(key) : metadataSchema.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()));
  return { jobId: jobIdOf({ bucket, key, version: ETag, uploadedAtMs }), key, etag: ETag, request, sha256 };
}

/** Another program put it there. */
function unlabelled(key: string): z.output<typeof metadataSchema> {
  return {
    file: key,
    target: 'an unknown API',
    role: '',
    organization: '',
    mapping: {},
    invitesGone: false,
    allowedDomains: [],
    sha256: '',
  };
}
