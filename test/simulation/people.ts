/**
 * People who decide about jobs: they write an approval or a stop into the bucket, whenever it pleases them.
 */
import type { JobId } from '../../lambdas/core/jobId.ts';
import { approvalKey, stopKey } from '../../lambdas/core/keys.ts';
import type { Chance } from './chance.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { SimulatedWorld } from './world.ts';

export const decisionKinds = ['approved', 'approval_of_another_job', 'rejected', 'cancelled'] as const;

export type DecisionKind = (typeof decisionKinds)[number];

export interface Decision {
  readonly kind: DecisionKind;
  /** After the upload, or after the time at which the run of a roster is due; or after so many writes of the job. */
  readonly afterMs: number;
  readonly afterWrites?: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Any, twice, at the same time, before anything is known of the job and long after its end. */
export function drawDecisions(chance: Chance, kinds: ReadonlySet<string>, latestMs: number): Decision[] {
  const possible = decisionKinds.filter((kind) => kinds.has(kind));
  if (possible.length === 0) return [];
  const decisions: Decision[] = [];
  for (let count = chance.pick([0, 1, 1, 2, 3]); count > 0; count -= 1) {
    const before = decisions.at(-1);
    const isTogether = before !== undefined && chance.happens(0.3);
    const when = isTogether
      ? { ...before, afterMs: before.afterMs + chance.pick([chance.between(0, 100), chance.between(0, 3 * second)]) }
      : drawTime(chance, latestMs);
    decisions.push({ ...when, kind: chance.pick(possible) });
  }
  return decisions;
}

/** Half of them follow a write of the job at its heels, because most that can go wrong does so between two of them. */
function drawTime(chance: Chance, latestMs: number): Omit<Decision, 'kind'> {
  const afterMs = chance.pick([
    chance.between(0, 3 * second),
    chance.between(0, 20 * second),
    chance.between(0, 2 * minute),
    chance.between(0, hour),
    chance.between(0, latestMs),
  ]);
  if (chance.happens(0.5)) return { afterMs };
  return {
    afterMs: chance.pick([chance.between(0, 100), chance.between(0, second)]),
    afterWrites: chance.between(1, chance.pick([8, 30])),
  };
}

export class People {
  readonly #store: ObjectStoreModel;
  readonly #world: SimulatedWorld;
  /** When somebody first approved a job, in a way that is to be understood. */
  readonly approvedAtMs = new Map<string, number>();
  readonly #waiting: { readonly jobId: JobId; readonly decision: Decision; writesLeft: number }[] = [];

  constructor(store: ObjectStoreModel, world: SimulatedWorld) {
    this.#store = store;
    this.#world = world;
  }

  decideLater(jobId: JobId, decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      if (decision.afterWrites === undefined) this.#decideSoon(jobId, decision);
      else this.#waiting.push({ jobId, decision, writesLeft: decision.afterWrites });
    }
  }

  /** To be told of every write. */
  see(key: string): void {
    for (const waiting of this.#waiting) {
      if (!key.includes(waiting.jobId)) continue;
      waiting.writesLeft -= 1;
      if (waiting.writesLeft === 0) this.#decideSoon(waiting.jobId, waiting.decision);
    }
  }

  #decideSoon(jobId: JobId, { kind, afterMs }: Decision): void {
    this.#world.scheduler.after(afterMs, () => {
      this.#world.faults.count(kind);
      this.decide(jobId, kind);
    });
  }

  decide(jobId: JobId, kind: DecisionKind): void {
    switch (kind) {
      case 'approved':
        return this.#approve(jobId);
      case 'approval_of_another_job':
        return this.#write(approvalKey(jobId), { jobId: anotherJob(jobId), by: 'mallory', atMs: this.#nowMs });
      case 'rejected':
        return this.#stop(jobId, 'not_approved');
      case 'cancelled':
        return this.#stop(jobId, 'cancelled');
      default:
        return kind satisfies never;
    }
  }

  /** What is no approval of this job is written over. */
  #approve(jobId: JobId): void {
    if (this.approvedAtMs.has(jobId)) return;
    this.approvedAtMs.set(jobId, this.#nowMs);
    const approval = JSON.stringify({ jobId, by: 'alice', atMs: this.#nowMs });
    this.#store.write(approvalKey(jobId), approval, { kind: 'always' });
  }

  #stop(jobId: JobId, code: string): void {
    this.#write(stopKey(jobId), { code, message: 'Somebody wanted it.', atMs: this.#nowMs, by: 'bob' });
  }

  #write(key: string, value: object): void {
    this.#store.write(key, JSON.stringify(value), { kind: 'if_absent' });
  }

  get #nowMs(): number {
    return this.#world.scheduler.nowMs;
  }
}

function anotherJob(jobId: JobId): string {
  return `${jobId.slice(0, -1)}${jobId.endsWith('0') ? '1' : '0'}`;
}
