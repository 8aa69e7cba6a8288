/**
 * The bodies of our own messages. No personal data is in a queue.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { parseRecord } from './record.ts';
import { countSchema, jobIdSchema } from './schemas.ts';

const chunkMessageSchema = z.strictObject({ jobId: jobIdSchema, chunk: countSchema });
const reportMessageSchema = z.strictObject({ jobId: jobIdSchema });

export function chunkMessage(jobId: JobId, chunk: number): string {
  return JSON.stringify({ jobId, chunk });
}

/** @throws BrokenInvariant where the body is not a chunk message. */
export function readChunkMessage(body: string): { readonly jobId: JobId; readonly chunk: number } {
  return parseRecord('A message of the chunks queue', body, chunkMessageSchema);
}

export function reportMessage(jobId: JobId): string {
  return JSON.stringify({ jobId });
}

/** @throws BrokenInvariant where the body is not a report message. */
export function readReportMessage(body: string): { readonly jobId: JobId } {
  return parseRecord('A message of the reports queue', body, reportMessageSchema);
}
