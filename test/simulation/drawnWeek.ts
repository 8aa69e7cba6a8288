/**
 * A week of nightly runs, drawn from a seed: an organization that changes from day to day, and its export with it; one export
 * that is broken, one that does not come, an outage of the API; people who decide, and every fault of the world.
 */
import { type Chance, chanceOf } from './chance.ts';
import { drawDirectory, drawDirectoryChanges } from './drawnDirectory.ts';
import { drawExports, type PlannedExport } from './drawnExports.ts';
import { type FaultKind, Faults } from './faults.ts';
import { type Decision, drawDecisions } from './people.ts';
import type { RosterRules, Schedule, ScheduledRun } from './schedules.ts';
import { run, type Scenario, type SimulationOptions, type SimulationResult } from './simulation.ts';
import { organizations, roles } from './week.ts';

const nightsInWeek = 7;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** When the first run is due, after the start. */
const firstDueMs = 2 * hour;
/** After the last run but one; what is left of it has until the last one to come to its end. */
const healAfterDueMs = 8 * hour;

/** Of uploads that start a job by themselves, there are none. */
export const neverInWeek: readonly FaultKind[] = ['overlapping_upload', 'upload_replaced'];

/** Fewer than in a world that ends after hours: of a week in which everything goes wrong, little would be left to look at. */
const faultShares = [0, 0.03, 0.1, 0.2, 0.4] as const;

export async function simulateWeek(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  return await run(drawWeek(seed, options.kinds), options);
}

function drawWeek(seed: number, more: readonly FaultKind[] = []): Scenario {
  const chance = chanceOf(seed ^ 0x0ee4);
  const kinds = [...new Set([...Faults.draw(chance, faultShares), ...more, ...Faults.drawUnattended(chance)])];
  const on = new Set(kinds);
  const rules = drawRules(chance);
  const exports = drawExports(chance, nightsInWeek, rules.newPeopleMax ?? 200);
  const outageNight = chance.between(0, nightsInWeek - 2);
  return {
    seed,
    kinds,
    isWeek: true,
    uploads: [],
    usersBefore: drawDirectory(chance, exports),
    schedules: [drawSchedule(chance, rules, exports, on)],
    roles,
    organizations,
    directoryChanges: drawDirectoryChanges(chance, dueTimes(), on.size > 0),
    workers: chance.between(2, 3),
    concurrency: chance.pick([1, 2, 4, 10]),
    workerTimeMs: chance.pick([1.5 * minute, 5 * minute]),
    giveUpMs: chance.pick([2 * hour, 6 * hour]),
    existsStatus: chance.pick([400, 409]),
    answersWhileDown: chance.pick([0, 0.5, 1]),
    ratePerSecond: chance.between(1, 10),
    workMs: chance.pick([300, 300, 3000, 20_000]),
    healAfterMs: dueMs(nightsInWeek - 2) + healAfterDueMs,
    redriveAfterMs: 0,
    outages: [drawOutage(chance, dueMs(outageNight), on)],
    ...drawRevocation(chance, dueMs(chance.between(0, nightsInWeek - 2)), on),
    newPeopleMax: 10_000,
  };
}

function dueMs(night: number): number {
  return firstDueMs + night * day;
}

function dueTimes(): number[] {
  return Array.from({ length: nightsInWeek }, (_, night) => dueMs(night));
}

function drawRules(chance: Chance): RosterRules {
  return {
    ...(chance.happens(0.8) ? { newPeopleMax: chance.pick([3, 5, 8]) } : {}),
    staleAfterMs: 20 * hour,
    openAfterMs: chance.pick([20, 36, 60]) * hour,
    ...(chance.happens(0.6) ? { resendAfterMs: chance.pick([20, 40]) * hour } : {}),
  };
}

/** Before a run is due, and for so short a time that nothing is given up for it; with faults, also in the middle of it and for long. */
function drawOutage(chance: Chance, atMs: number, on: ReadonlySet<FaultKind>): readonly [number, number] {
  if (!on.has('api_down')) return [atMs - minute, atMs + chance.between(minute, hour)];
  const fromMs = atMs + chance.pick([-minute, chance.between(0, 10 * second), chance.between(0, minute)]);
  return [fromMs, fromMs + chance.between(minute, chance.pick([10 * minute, 8 * hour]))];
}

function drawRevocation(
  chance: Chance,
  atMs: number,
  on: ReadonlySet<FaultKind>,
): Pick<Scenario, 'keyRevokedAfterMs' | 'keyRevokedForMs'> {
  const keyRevokedAfterMs = atMs + chance.between(0, 2 * minute);
  if (on.has('key_revoked')) return { keyRevokedAfterMs, keyRevokedForMs: chance.between(minute, 4 * hour) };
  if (on.has('key_revoked_briefly')) return { keyRevokedAfterMs, keyRevokedForMs: chance.between(100, 5000) };
  return {};
}

function drawSchedule(
  chance: Chance,
  rules: RosterRules,
  exports: readonly PlannedExport[],
  on: ReadonlySet<FaultKind>,
): Schedule {
  const versions = exports.flatMap(({ roster }, night) =>
    roster === undefined ? [] : [{ atMs: dueMs(night) - drawLeadMs(chance, on.size > 0), roster }],
  );
  const nights = exports.map((planned, night) => ({
    atMs: dueMs(night),
    decisions: drawNightDecisions(chance, planned, on, night === nightsInWeek - 1),
  }));
  const runs = [...nights, ...drawExtraRuns(chance, on)].sort((left, right) => left.atMs - right.atMs);
  return { name: 'acme', rules, versions, runs: runs.filter(({ atMs }, index) => atMs !== runs[index - 1]?.atMs) };
}

/** How long before the run the export comes; now and then at the same moment, or after it. */
function drawLeadMs(chance: Chance, isUnruly: boolean): number {
  if (isUnruly && chance.happens(0.1)) return chance.between(-30, 30) * second;
  return chance.pick([10 * minute, hour, 3 * hour]);
}

/** Whoever looks in the morning, and whoever decides at any moment. */
function drawNightDecisions(
  chance: Chance,
  { isLarge }: PlannedExport,
  on: ReadonlySet<FaultKind>,
  isLast: boolean,
): Decision[] {
  const inTheMorning = chance.pick([5 * hour, 7 * hour, 20 * hour, day - chance.between(0, 20) * second]);
  const isLookedAt = isLarge ? chance.happens(0.6) : chance.happens(0.2);
  const kind = chance.pick(['approved', 'approved', 'rejected'] as const);
  const morning: Decision[] = isLookedAt && !isLast ? [{ kind, afterMs: inTheMorning }] : [];
  if (isLast) return chance.happens(0.3) ? [{ kind: 'approved', afterMs: hour }] : [];
  return [...morning, ...(chance.happens(0.5) ? drawDecisions(chance, on, 22 * hour) : [])];
}

/** Somebody starts one by hand, seconds after another one or in the middle of the day; or looks what a run would do. */
function drawExtraRuns(chance: Chance, on: ReadonlySet<FaultKind>): ScheduledRun[] {
  const count = on.has('roster_run') ? chance.between(0, 3) : on.has('dry_run') ? 1 : 0;
  return Array.from({ length: count }, () => {
    const afterMs = chance.pick([
      chance.between(1, 2 * second),
      chance.between(second, 30 * second),
      chance.between(second, 5 * minute),
      chance.between(6 * hour, 20 * hour),
    ]);
    const isDry = on.has('dry_run') && (!on.has('roster_run') || chance.happens(0.5));
    return {
      atMs: dueMs(chance.between(0, nightsInWeek - 2)) + afterMs,
      ...(isDry ? { dryRun: true } : {}),
      decisions: drawDecisions(chance, on, hour),
    };
  });
}
