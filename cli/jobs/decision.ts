/**
 * What somebody has decided about a job: that it may go on, or that it is to end.
 */
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { type Approval, findApproval } from '../../lambdas/ledger/approval.ts';
import { type Manifest, readManifest } from '../../lambdas/ledger/manifest.ts';
import { readStop } from '../../lambdas/ledger/stop.ts';
import type { Log, ObjectStore } from '../../lambdas/ports.ts';

export interface SeenDecision {
  readonly approval?: Approval;
  readonly stop?: SeenStop;
}

/** A person may have written it, and one that cannot be understood stops the work all the same. */
export interface SeenStop {
  readonly code: string;
  readonly message: string;
  readonly atMs?: number;
  readonly by?: string;
}

/** The functions log what they do not understand. */
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export async function seeDecision(store: ObjectStore, jobId: JobId): Promise<SeenDecision> {
  return await seeDecisionAbout(await readManifest(store, jobId), store, jobId);
}

/** @param manifest Undefined while the upload is being read: then there is nothing that could have been approved. */
export async function seeDecisionAbout(
  manifest: Manifest | undefined,
  store: ObjectStore,
  jobId: JobId,
): Promise<SeenDecision> {
  const [approval, stop] = await Promise.all([
    manifest === undefined ? undefined : findApproval(store, jobId, manifest, silent),
    seeStop(store, jobId),
  ]);
  return { ...(approval === undefined ? {} : { approval }), ...(stop === undefined ? {} : { stop }) };
}

/** A job that is held goes on, or ends, as soon as there is one. */
export async function isDecided(store: ObjectStore, jobId: JobId): Promise<boolean> {
  const { approval, stop } = await seeDecision(store, jobId);
  return approval !== undefined || stop !== undefined;
}

export async function seeStop(store: ObjectStore, jobId: JobId): Promise<SeenStop | undefined> {
  try {
    return await readStop(store, jobId);
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    return { code: 'unreadable', message: error.message };
  }
}
