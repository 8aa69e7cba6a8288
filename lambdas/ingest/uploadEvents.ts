/**
 * Reads the messages that S3 sends when something is written under `incoming/`.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import { isUploadKey } from '../core/keys.ts';
import { checkRecord, parseRecord } from '../ledger/record.ts';

/** One record of an S3 event: which version of which object was written. */
export interface UploadEvent {
  readonly key: string;
  readonly etag: string;
  readonly versionId?: string;
}

/** Source: the S3 User Guide, "Event message structure"; `s3:TestEvent` comes once when notifications are set up. */
const messageSchema = z.union([
  z.object({ Records: z.array(z.looseObject({ eventName: z.string() })) }),
  z.object({ Event: z.literal('s3:TestEvent') }),
]);

/** Events of other kinds have other fields. */
const createdSchema = z.object({
  s3: z.object({ object: z.object({ key: z.string(), eTag: z.string(), versionId: z.string().nullish() }) }),
});

/**
 * Gives the uploads that a message tells of; several may come in one, and none in a test event.
 *
 * @throws BrokenInvariant where the body is not an S3 event.
 */
export function readUploadEvents(body: string): readonly UploadEvent[] {
  const message = parseRecord('A message of the uploads queue', body, messageSchema);
  if (!('Records' in message)) return [];
  return message.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'))
    .map((record) => checkRecord('A record of an S3 event', record, createdSchema).s3.object)
    .map((object) => ({ ...object, key: decodeKey(object.key) }))
    .filter(({ key }) => isUploadKey(key))
    .map(({ key, eTag, versionId }) => ({ key, etag: `"${eTag}"`, ...(versionId ? { versionId } : {}) }));
}

/** Keys arrive URL-encoded, with a plus sign for a blank. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new BrokenInvariant('The key in a record of an S3 event is not URL-encoded as S3 does it.', { cause });
  }
}
