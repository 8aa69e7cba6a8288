/**
 * How far a job of a data folder is, as far as others have to heed it.
 */
import { approvableUntilMs } from '../../lambdas/core/hold.ts';
import { manifestKey, reportKey } from '../../lambdas/core/keys.ts';
import { hasEnded, readSummary } from '../../lambdas/ledger/summary.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { seeDecision } from '../jobs/decision.ts';
import type { JobRef } from '../place/place.ts';

/**
 * `open`: it goes on as soon as somebody works on it. `held`: it waits for somebody's approval, and nothing of it is in a
 * queue. `lapsed`: nobody gave that in time, and nothing will come of it. `stopped`: no call is made for it any more, only its
 * report is to be written. `reported`: the report is whole.
 */
export type JobStage = 'open' | 'held' | 'lapsed' | 'stopped' | 'reported';

/** What is left to be done: a job that has lapsed is in nobody's way. */
export type UnfinishedStage = Exclude<JobStage, 'lapsed'>;

/** @param nowMs Milliseconds since 1970. */
export async function stageOf(
  store: ObjectStore,
  { jobId, uploadKey }: JobRef,
  nowMs: number = Date.now(),
): Promise<JobStage> {
  const isThere = (await store.head(reportKey(uploadKey, jobId, 'summary.json'))) !== undefined;
  const summary = isThere ? await readSummary(store, { jobId, source: { key: uploadKey } }) : undefined;
  const heldAtMs = summary?.state === 'held' ? Date.parse(summary.finishedAt) : undefined;
  if (hasEnded(summary)) return 'reported';
  const { approval, stop } = await seeDecision(store, jobId);
  if (stop !== undefined) return 'stopped';
  if (heldAtMs === undefined || approval !== undefined) return 'open';
  const canGoOn = nowMs <= approvableUntilMs(heldAtMs) && (await store.head(manifestKey(jobId))) !== undefined;
  return canGoOn ? 'held' : 'lapsed';
}
