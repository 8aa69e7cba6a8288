/**
 * Rosters with their schedules: files that are refreshed or not, and the messages that start a run of them.
 */
import { type JobId, jobIdOf } from '../../lambdas/core/jobId.ts';
import { jobKey } from '../../lambdas/core/keys.ts';
import type { Job } from '../../lambdas/ledger/job.ts';
import { rosterMessage } from '../../lambdas/ledger/messages.ts';
import { bucket } from './bulkInvite.ts';
import type { Chance } from './chance.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import { type Decision, drawDecisions } from './people.ts';
import { drawRoster, type Roster, rosterOf } from './roster.ts';

export interface RosterRules {
  readonly newPeopleMax?: number;
  readonly staleAfterMs?: number;
  readonly openAfterMs?: number;
  readonly resendAfterMs?: number;
  readonly dryRun?: boolean;
  readonly role?: string;
}

export interface ScheduledRun {
  readonly atMs: number;
  readonly dryRun?: boolean;
  readonly decisions: readonly Decision[];
}

export interface Schedule {
  readonly name: string;
  readonly rules: RosterRules;
  /** The file, each time that it is refreshed. */
  readonly versions: readonly { readonly atMs: number; readonly roster: Roster }[];
  readonly runs: readonly ScheduledRun[];
}

/** A run whose message was sent. */
export interface SimulatedRun {
  readonly jobId: JobId;
  readonly key: string;
  readonly name: string;
  readonly rules: RosterRules;
  readonly scheduledAtMs: number;
  readonly dryRun: boolean;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export function rosterUploadKey(name: string): string {
  return `incoming/rosters/${name}.csv`;
}

export function drawSchedules(
  chance: Chance,
  people: readonly string[],
  kinds: ReadonlySet<string>,
  latestMs: number,
): Schedule[] {
  return Array.from({ length: chance.between(1, 2) }, (_, index) => {
    const rowsMax = chance.pick([3, 8, 20, 40]);
    const refreshes = kinds.has('roster_refreshed') ? chance.between(0, 2) : 0;
    const firstAtMs = chance.pick([0, 0, 0, chance.between(0, hour)]);
    const limit = kinds.has('limit_exceeded') ? { newPeopleMax: chance.pick([0, 1, 2, 4, 8]) } : {};
    return {
      name: `roster-${index + 1}`,
      rules: {
        ...limit,
        ...(chance.happens(0.3) ? { staleAfterMs: chance.pick([10 * minute, hour]) } : {}),
        ...(chance.happens(0.6) ? { resendAfterMs: chance.pick([5 * minute, hour]) } : {}),
      },
      versions: [
        { atMs: firstAtMs, roster: drawRoster(chance, people, rowsMax) },
        ...Array.from({ length: refreshes }, () => ({
          atMs: chance.between(0, latestMs),
          roster: drawRoster(chance, people, rowsMax),
        })),
      ],
      runs: drawRuns(chance, kinds, latestMs),
    };
  });
}

function drawRuns(chance: Chance, kinds: ReadonlySet<string>, latestMs: number): ScheduledRun[] {
  const times = [chance.pick([0, chance.between(0, hour)])];
  for (let count = chance.between(0, 3); count > 0; count -= 1) {
    const afterMs = chance.pick([
      chance.between(second, 30 * second),
      chance.between(second, 5 * minute),
      chance.between(second, 2 * hour),
    ]);
    times.push(Math.min(latestMs, (times.at(-1) ?? 0) + afterMs));
  }
  return [...new Set(times)].map((atMs, index, all) => ({
    atMs,
    ...(kinds.has('dry_run') && chance.happens(0.2) ? { dryRun: true } : {}),
    decisions: [
      ...drawDecisions(chance, kinds, latestMs - atMs),
      ...drawCancelAtNext(chance, kinds, (all[index + 1] ?? latestMs) - atMs),
    ],
  }));
}

/** Approved in time, and cancelled just when the next run is due. */
function drawCancelAtNext(chance: Chance, kinds: ReadonlySet<string>, nextAfterMs: number): Decision[] {
  if (!kinds.has('approved') || !kinds.has('cancelled') || nextAfterMs > 5 * minute || chance.happens(0.6)) return [];
  return [
    { kind: 'approved', afterMs: chance.between(0, 10 * second) },
    { kind: 'cancelled', afterMs: Math.max(0, nextAfterMs - chance.between(-second, 4 * second)) },
  ];
}

export function runOf(
  { name, rules }: Schedule,
  { dryRun = false }: ScheduledRun,
  scheduledAtMs: number,
): SimulatedRun & { readonly message: string } {
  const key = rosterUploadKey(name);
  const version = `run of ${name} at ${scheduledAtMs}`;
  const jobId = jobIdOf({ bucket, key, version, uploadedAtMs: scheduledAtMs });
  const message = rosterMessage({
    roster: { name, key, ...rules, ...(dryRun ? { dryRun } : {}) },
    scheduledAt: new Date(scheduledAtMs).toISOString(),
  });
  return { jobId, key, name, rules, scheduledAtMs, dryRun, message };
}

/** What the run has read: the version that was the newest when it first began. */
export function rosterReadBy({ jobId, key }: SimulatedRun, store: ObjectStoreModel, { versions }: Schedule): Roster {
  const job = JSON.parse(store.text(jobKey(jobId)) ?? '{}') as Partial<Job>;
  const version = store.versions(key).findIndex(({ versionId }) => versionId === job.source?.versionId);
  const inOrder = [...versions].sort((left, right) => left.atMs - right.atMs);
  return inOrder[version]?.roster ?? rosterOf([]);
}
