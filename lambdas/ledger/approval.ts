/**
 * `approval.json`: present when somebody has released a job that was held. Nothing of ours may write it: a person does.
 */
import * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import { approvableUntilMs } from '../core/hold.ts';
import type { JobId } from '../core/jobId.ts';
import { approvalKey } from '../core/keys.ts';
import { ledgerLimits } from '../core/limits.ts';
import type { Log, ObjectStore, PutCondition } from '../ports.ts';
import type { Manifest } from './manifest.ts';
import { parseRecord } from './record.ts';
import { jobIdSchema, timeSchema } from './schemas.ts';

export const approvalSchema = z.strictObject({ jobId: jobIdSchema, by: z.string().min(1).max(500), atMs: timeSchema });

export type Approval = z.output<typeof approvalSchema>;

/** @throws BrokenInvariant where what lies there is not the approval of this job. */
export async function readApproval(store: ObjectStore, jobId: JobId): Promise<Approval | undefined> {
  const stored = await store.readText(approvalKey(jobId), ledgerLimits.recordBytesMax);
  return stored === undefined ? undefined : approvalIn(stored.text, jobId);
}

/**
 * The approval that lets a job go on which is held. What cannot be understood approves nothing, nor does what comes too late:
 * the records of the job may be deleted before it is through.
 */
export async function findApproval(
  store: ObjectStore,
  jobId: JobId,
  { endedAtMs: heldAtMs }: Pick<Manifest, 'endedAtMs'>,
  log: Log,
): Promise<Approval | undefined> {
  const approval = await unlessBroken(
    () => readApproval(store, jobId),
    (error) => log.error('approval_not_understood', { jobId }, error),
  );
  if (approval === undefined || approval.atMs <= approvableUntilMs(heldAtMs)) return approval;
  log.warn('approval_too_late', { jobId });
  return undefined;
}

/** Somebody else may approve in the same moment, and that one then stands. */
const writeTriesMax = 4;

/**
 * Gives the approval that is stored afterwards: the first one stands. What lies there and cannot be understood has approved
 * nothing, and is replaced.
 *
 * @throws BrokenInvariant where it is changed by others again and again.
 */
export async function writeApproval(store: ObjectStore, approval: Approval): Promise<Approval> {
  const { jobId } = approval;
  const key = approvalKey(jobId);
  let condition: PutCondition = { kind: 'if_absent' };
  for (let tries = 0; tries < writeTriesMax; tries += 1) {
    if ((await store.put(key, JSON.stringify(approval), condition)).kind === 'written') return approval;
    const there = await store.readText(key, ledgerLimits.recordBytesMax);
    const stands = there === undefined ? undefined : await unlessBroken(async () => approvalIn(there.text, jobId));
    if (stands !== undefined) return stands;
    condition = there === undefined ? { kind: 'if_absent' } : { kind: 'if_match', etag: there.etag };
  }
  throw new BrokenInvariant(`${key} was changed by others again and again.`);
}

function approvalIn(text: string, jobId: JobId): Approval {
  const approval: Approval = parseRecord(approvalKey(jobId), text, approvalSchema);
  if (approval.jobId === jobId) return approval;
  throw new BrokenInvariant(`${approvalKey(jobId)} is the approval of another job, ${approval.jobId}.`);
}

async function unlessBroken<T>(
  read: () => Promise<T>,
  onBroken: (error: BrokenInvariant) => void = () => undefined,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    onBroken(error);
    return undefined;
  }
}
