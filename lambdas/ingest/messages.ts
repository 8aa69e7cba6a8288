/**
 * Reads the messages of the uploads queue: what S3 sends when an upload, an approval or a stop is written, and the times of
 * rosters.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import { type JobId, parseJobId } from '../core/jobId.ts';
import { approvalKey, jobsPrefix, startsJob, stopKey } from '../core/keys.ts';
import { checkRosterMessage, type RosterMessage } from '../ledger/messages.ts';
import { checkRecord, parseRecord } from '../ledger/record.ts';

/** Which version of which object was written. */
export interface UploadEvent {
  readonly key: string;
  readonly etag: string;
  readonly versionId?: string;
}

export type Request =
  | { readonly kind: 'upload'; readonly event: UploadEvent }
  /** Somebody has approved, rejected or cancelled a job, or it has stopped itself. */
  | { readonly kind: 'decision'; readonly jobId: JobId }
  | { readonly kind: 'roster'; readonly message: RosterMessage };

/** Source: the S3 User Guide, "Event message structure"; `s3:TestEvent` comes once when notifications are set up. */
const messageSchema = z.union([
  z.object({ Records: z.array(z.looseObject({ eventName: z.string() })) }),
  z.object({ Event: z.literal('s3:TestEvent') }),
  z.looseObject({ roster: z.unknown(), scheduledAt: z.unknown() }),
]);

/** Events of other kinds have other fields. */
const createdSchema = z.object({
  s3: z.object({ object: z.object({ key: z.string(), eTag: z.string(), versionId: z.string().nullish() }) }),
});

/**
 * Gives what a message asks for; several things may come in one, and none in a test event.
 *
 * @throws BrokenInvariant where the body is neither an S3 event nor the time of a roster.
 */
export function readRequests(body: string): readonly Request[] {
  const message = parseRecord('A message of the uploads queue', body, messageSchema);
  if ('roster' in message) return [{ kind: 'roster', message: checkRosterMessage(message) }];
  if (!('Records' in message)) return [];
  return message.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'))
    .map((record) => checkRecord('A record of an S3 event', record, createdSchema).s3.object)
    .flatMap(({ key, eTag, versionId }) => requestOf(decodeKey(key), eTag, versionId ?? undefined));
}

function requestOf(key: string, eTag: string, versionId: string | undefined): Request[] {
  const jobId = decidedJob(key);
  if (jobId !== undefined) return [{ kind: 'decision', jobId }];
  if (!startsJob(key)) return [];
  return [{ kind: 'upload', event: { key, etag: `"${eTag}"`, ...(versionId ? { versionId } : {}) } }];
}

function decidedJob(key: string): JobId | undefined {
  const jobId = parseJobId(key.slice(jobsPrefix.length).split('/')[0] ?? '');
  if (jobId === undefined) return undefined;
  return key === approvalKey(jobId) || key === stopKey(jobId) ? jobId : undefined;
}

/** Keys arrive URL-encoded, with a plus sign for a blank. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new BrokenInvariant('The key in a record of an S3 event is not URL-encoded as S3 does it.', { cause });
  }
}
