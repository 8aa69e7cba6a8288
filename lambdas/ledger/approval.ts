/**
 * `approval.json`: present when somebody has released a job that was held. Nothing of ours may write it: a person does.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { approvalKey } from '../core/keys.ts';
import type { Log, ObjectStore } from '../ports.ts';
import { readRecord, writeRecordOnce } from './record.ts';
import { jobIdSchema, timeSchema } from './schemas.ts';

export const approvalSchema = z.strictObject({ jobId: jobIdSchema, by: z.string().min(1).max(500), atMs: timeSchema });

export type Approval = z.output<typeof approvalSchema>;

/** @throws BrokenInvariant where what lies there is not the approval of this job. */
export async function readApproval(store: ObjectStore, jobId: JobId): Promise<Approval | undefined> {
  const approval = (await readRecord<Approval>(store, approvalKey(jobId), approvalSchema))?.value;
  if (approval === undefined || approval.jobId === jobId) return approval;
  throw new BrokenInvariant(`${approvalKey(jobId)} is the approval of another job, ${approval.jobId}.`);
}

/** What cannot be understood approves nothing. */
export async function findApproval(store: ObjectStore, jobId: JobId, log: Log): Promise<Approval | undefined> {
  try {
    return await readApproval(store, jobId);
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    log.error('approval_not_understood', { jobId }, error);
    return undefined;
  }
}

/** Gives the approval that is stored afterwards: the first one stands. */
export async function writeApproval(store: ObjectStore, approval: Approval): Promise<Approval> {
  return (await writeRecordOnce<Approval>(store, approvalKey(approval.jobId), approval, approvalSchema)).value;
}
