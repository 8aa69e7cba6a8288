/**
 * `stop.json`: present when a job was cancelled or has stopped itself, and why. Workers start no call once they have seen
 * it, and nothing takes it back.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { stopKey } from '../core/keys.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, writeRecordOnce } from './record.ts';
import { timeSchema } from './schemas.ts';

/** `superseded`: a later run of the same roster came before anybody approved this one. */
const cancelCodes = ['cancelled', 'not_approved', 'superseded'] as const;
const stopCodes = ['key_refused', 'key_forbidden', 'too_many_rejected', ...cancelCodes] as const;

export const stopSchema = z.strictObject({
  code: z.enum(stopCodes),
  message: z.string(),
  atMs: timeSchema,
  by: z.string().exactOptional(),
});

export type Stop = z.output<typeof stopSchema>;

/** Whether somebody wanted the job to end; otherwise it has stopped itself. */
export function isCancel({ code }: { readonly code: string }): boolean {
  return (cancelCodes as readonly string[]).includes(code);
}

export async function readStop(store: ObjectStore, jobId: JobId): Promise<Stop | undefined> {
  return (await readRecord<Stop>(store, stopKey(jobId), stopSchema))?.value;
}

/** Gives the stop that is stored afterwards: the first reason stands. */
export async function writeStop(store: ObjectStore, jobId: JobId, stop: Stop): Promise<Stop> {
  return (await writeRecordOnce<Stop>(store, stopKey(jobId), stop, stopSchema)).value;
}
