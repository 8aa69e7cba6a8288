/**
 * Reads the messages that S3 sends when something is written under `incoming/`.
 */
import { z } from 'zod';
import { incomingPrefix } from '../core/keys.ts';
import { parseRecord } from '../ledger/record.ts';

/** One record of an S3 event: which version of which object was written. */
export interface UploadEvent {
  readonly key: string;
  readonly etag: string;
  readonly versionId?: string;
}

/** Source: the S3 User Guide, "Event message structure"; `s3:TestEvent` comes once when notifications are set up. */
const eventSchema = z.union([
  z.object({
    Records: z.array(
      z.object({
        eventName: z.string(),
        s3: z.object({
          object: z.object({ key: z.string(), eTag: z.string(), versionId: z.string().exactOptional() }),
        }),
      }),
    ),
  }),
  z.object({ Event: z.literal('s3:TestEvent') }),
]);

/**
 * Gives the uploads that a message tells of; several may come in one, and none in a test event.
 *
 * @throws BrokenInvariant where the body is not an S3 event.
 */
export function readUploadEvents(body: string): readonly UploadEvent[] {
  const event = parseRecord('A message of the uploads queue', body, eventSchema);
  if (!('Records' in event)) return [];
  return event.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'))
    .map(({ s3: { object } }) => ({ ...object, key: decodeKey(object.key) }))
    .filter(({ key }) => key.startsWith(incomingPrefix) && !key.endsWith('/'))
    .map(({ key, eTag, versionId }) => ({ key, etag: `"${eTag}"`, ...(versionId === undefined ? {} : { versionId }) }));
}

/** Keys arrive URL-encoded, with a plus sign for a blank. */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
