/**
 * `stop.json`: present when a job has stopped itself, and why. Workers start no call once they have seen it.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { stopKey } from '../core/keys.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, writeRecordOnce } from './record.ts';
import { timeSchema } from './schemas.ts';

const stopCodes = ['key_refused', 'key_forbidden'] as const;

const stopSchema = z.strictObject({ code: z.enum(stopCodes), message: z.string(), atMs: timeSchema });

export type Stop = z.output<typeof stopSchema>;

export async function readStop(store: ObjectStore, jobId: JobId): Promise<Stop | undefined> {
  return (await readRecord<Stop>(store, stopKey(jobId), stopSchema))?.value;
}

/** Gives the stop that is stored afterwards: the first reason stands. */
export async function writeStop(store: ObjectStore, jobId: JobId, stop: Stop): Promise<Stop> {
  return (await writeRecordOnce<Stop>(store, stopKey(jobId), stop, stopSchema)).value;
}
