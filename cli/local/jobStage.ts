/**
 * How far a job of a data folder is, as far as others have to heed it.
 */
import { reportKey } from '../../lambdas/core/keys.ts';
import { hasEnded, readSummary } from '../../lambdas/ledger/summary.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { seeDecision } from '../jobs/decision.ts';
import type { JobRef } from '../place/place.ts';

/**
 * `open`: it goes on as soon as somebody works on it. `held`: it waits for somebody's approval, and nothing of it is in a
 * queue. `stopped`: no call is made for it any more, only its report is to be written. `reported`: the report is whole.
 */
export type JobStage = 'open' | 'held' | 'stopped' | 'reported';

export async function stageOf(store: ObjectStore, { jobId, uploadKey }: JobRef): Promise<JobStage> {
  const isThere = (await store.head(reportKey(uploadKey, jobId, 'summary.json'))) !== undefined;
  const summary = isThere ? await readSummary(store, { jobId, source: { key: uploadKey } }) : undefined;
  if (hasEnded(summary)) return 'reported';
  const { approval, stop } = await seeDecision(store, jobId);
  if (stop !== undefined) return 'stopped';
  return summary !== undefined && approval === undefined ? 'held' : 'open';
}
