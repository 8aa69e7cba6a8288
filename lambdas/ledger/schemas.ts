/**
 * Schemas of what several objects of the ledger share.
 */
import * as z from 'zod';
import { type ApiCalls, operations } from '../core/apiCalls.ts';
import type { Mapping } from '../core/columns.ts';
import { type Fault, faultCodes } from '../core/fault.ts';
import { parseJobId } from '../core/jobId.ts';
import { type Outcome, statuses } from '../core/outcome.ts';

export const jobIdSchema = z.string().transform((text, context) => {
  const jobId = parseJobId(text);
  if (jobId !== undefined) return jobId;
  context.addIssue({ code: 'custom', message: 'not a job id' });
  return z.NEVER;
});

/** Headers that were chosen, by field. */
export const mappingSchema: z.ZodType<Mapping> = z.strictObject({
  email: z.string().exactOptional(),
  firstName: z.string().exactOptional(),
  lastName: z.string().exactOptional(),
  jobTitle: z.string().exactOptional(),
  role: z.string().exactOptional(),
  organization: z.string().exactOptional(),
});

export const countSchema = z.int().nonnegative();

export const shareSchema = z.number().min(0).max(1);

/** Milliseconds, from 1970 where it is a time: as many as a `Date` can hold. */
export const timeSchema = z.number().nonnegative().max(8.64e15);

export const outcomeSchema: z.ZodType<Outcome> = z.strictObject({
  row: z.int().positive(),
  status: z.enum(statuses),
  code: z.string(),
  column: z.string().exactOptional(),
  message: z.string().exactOptional(),
  userId: z.string().exactOptional(),
  httpStatus: z.int().exactOptional(),
  attempts: countSchema,
});

export const apiCallsSchema: z.ZodType<ApiCalls> = z.partialRecord(
  z.enum(operations),
  z.record(z.string().regex(/^(?:\d+|no_answer)$/u), countSchema),
);

export const faultSchema: z.ZodType<Fault> = z.strictObject({ code: z.enum(faultCodes), message: z.string() });
