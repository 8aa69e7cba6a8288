/**
 * `manifest.json`: what ingest found. Written last by ingest, so its existence means that ingest has ended.
 */
import * as z from 'zod';
import { delimiters } from '../core/dialect.ts';
import { holdCodes } from '../core/hold.ts';
import type { JobId } from '../core/jobId.ts';
import { manifestKey } from '../core/keys.ts';
import type { Reading } from '../core/reading.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, writeRecordOnce } from './record.ts';
import { apiCallsSchema, countSchema, faultSchema, timeSchema } from './schemas.ts';

const readingSchema: z.ZodType<Reading> = z.strictObject({
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252']),
  hasByteOrderMark: z.boolean(),
  delimiter: z.enum(delimiters),
  newline: z.enum(['\n', '\r\n', '\r']),
  headerRow: z.int().positive(),
  firstRow: z.int().positive(),
  width: z.int().positive(),
});

const manifestSchema = z.strictObject({
  /** Rows that were judged; absent where a fault of the whole upload ended the job. */
  rows: countSchema.exactOptional(),
  chunks: countSchema,
  invitees: countSchema,
  /** Which header was taken for what. Absent where the header could not be read. */
  columns: z.strictObject({ used: z.record(z.string(), z.string()), ignored: z.array(z.string()) }).exactOptional(),
  /** How the upload is to be read again. Absent where that could not be found. */
  reading: readingSchema.exactOptional(),
  warnings: z.array(z.string()),
  fault: faultSchema.exactOptional(),
  /** Why nobody is invited until somebody has approved it. */
  hold: z
    .array(z.strictObject({ code: z.enum(holdCodes), message: z.string() }))
    .min(1)
    .exactOptional(),
  /** Invitations to be sent again, among the invitees. */
  resends: countSchema.exactOptional(),
  apiCalls: apiCallsSchema,
  endedAtMs: timeSchema,
});

export type Manifest = z.output<typeof manifestSchema>;

export async function readManifest(store: ObjectStore, jobId: JobId): Promise<Manifest | undefined> {
  return (await readRecord<Manifest>(store, manifestKey(jobId), manifestSchema))?.value;
}

/** Gives the manifest that is stored afterwards. */
export async function writeManifest(store: ObjectStore, jobId: JobId, manifest: Manifest): Promise<Manifest> {
  return (await writeRecordOnce<Manifest>(store, manifestKey(jobId), manifest, manifestSchema)).value;
}
