/**
 * The bodies of our own messages. No personal data is in a queue.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { isUploadKey, rosterUploadsPrefix } from '../core/keys.ts';
import { isRosterName } from '../core/roster.ts';
import { checkRecord, parseRecord } from './record.ts';
import { countSchema, jobIdSchema, mappingSchema, shareSchema, timeSchema } from './schemas.ts';

const chunkMessageSchema = z.strictObject({ jobId: jobIdSchema, chunk: countSchema });
/** In the place of an upload: what EventBridge Scheduler sends at each time of a roster, and the command locally. */
const rosterMessageSchema = z.strictObject({
  roster: z.strictObject({
    name: z.string().refine(isRosterName),
    key: z.string().startsWith(rosterUploadsPrefix).refine(isUploadKey),
    mapping: mappingSchema.exactOptional(),
    role: z.string().exactOptional(),
    organization: z.string().exactOptional(),
    dryRun: z.boolean().exactOptional(),
    /** Outranks the share. */
    newPeopleMax: countSchema.exactOptional(),
    newPeopleShare: shareSchema.exactOptional(),
    rowsShareMin: shareSchema.exactOptional(),
    invalidShareMax: shareSchema.exactOptional(),
    staleAfterMs: timeSchema.exactOptional(),
    openAfterMs: timeSchema.exactOptional(),
    resendAfterMs: timeSchema.exactOptional(),
  }),
  /** When the run was to begin: of two messages with the same time, the second one is the same run. */
  scheduledAt: z.iso.datetime({ offset: true }),
  /** Where the upload is a copy: when the original was last written. */
  refreshedAtMs: timeSchema.exactOptional(),
});

export type RosterMessage = z.output<typeof rosterMessageSchema>;

const reportMessageSchema = z.strictObject({ jobId: jobIdSchema });

export function chunkMessage(jobId: JobId, chunk: number): string {
  return JSON.stringify({ jobId, chunk });
}

/** @throws BrokenInvariant where the body is not a chunk message. */
export function readChunkMessage(body: string): { readonly jobId: JobId; readonly chunk: number } {
  return parseRecord('A message of the chunks queue', body, chunkMessageSchema);
}

export function rosterMessage(message: RosterMessage): string {
  return JSON.stringify(message);
}

/** @throws BrokenInvariant where the message is not one of a roster. */
export function checkRosterMessage(message: unknown): RosterMessage {
  return checkRecord('A message of a roster', message, rosterMessageSchema);
}

export function reportMessage(jobId: JobId): string {
  return JSON.stringify({ jobId });
}

/** @throws BrokenInvariant where the body is not a report message. */
export function readReportMessage(body: string): { readonly jobId: JobId } {
  return parseRecord('A message of the reports queue', body, reportMessageSchema);
}
