/**
 * What many simulations did, added up.
 */
import { type FaultKind, faultKinds } from './faults.ts';
import type { SimulationResult } from './simulation.ts';

export interface Figures {
  readonly seeds: number;
  readonly virtualMs: number;
  readonly rows: number;
  readonly calls: number;
  readonly inviteCalls: number;
  readonly invited: number;
  readonly crashPoints: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly violations: Readonly<Record<string, number>>;
  /** Seeds in which a check found something, the first few. */
  readonly failingSeeds: readonly number[];
  /** How many seeds had their last report so many minutes after the healing, rounded up; 0: before it. */
  readonly reportMinutes: Readonly<Record<string, number>>;
}

export const noFigures: Figures = {
  seeds: 0,
  virtualMs: 0,
  rows: 0,
  calls: 0,
  inviteCalls: 0,
  invited: 0,
  crashPoints: 0,
  faults: {},
  violations: {},
  failingSeeds: [],
  reportMinutes: {},
};

const failingSeedsMax = 20;

export function figuresOf(result: SimulationResult): Figures {
  const { seed, virtualMs, rows, calls, inviteCalls, invited, faults, violations, reportAfterHealingMs } = result;
  return {
    seeds: 1,
    virtualMs,
    rows,
    calls,
    inviteCalls,
    invited,
    crashPoints: faults.killed_before_operation + faults.killed_after_operation + faults.killed_by_time_limit,
    faults,
    violations: violations.reduce<Record<string, number>>((all, { check }) => sum(all, { [check]: 1 }), {}),
    failingSeeds: violations.length > 0 ? [seed] : [],
    reportMinutes: { [Math.ceil(reportAfterHealingMs / 60_000)]: 1 },
  };
}

export function addFigures(left: Figures, right: Figures): Figures {
  return {
    seeds: left.seeds + right.seeds,
    virtualMs: left.virtualMs + right.virtualMs,
    rows: left.rows + right.rows,
    calls: left.calls + right.calls,
    inviteCalls: left.inviteCalls + right.inviteCalls,
    invited: left.invited + right.invited,
    crashPoints: left.crashPoints + right.crashPoints,
    faults: sum(left.faults, right.faults),
    violations: sum(left.violations, right.violations),
    failingSeeds: [...left.failingSeeds, ...right.failingSeeds].slice(0, failingSeedsMax),
    reportMinutes: sum(left.reportMinutes, right.reportMinutes),
  };
}

/**
 * A kind of fault that never struck shows that it cannot: then nothing was proved about it.
 *
 * @param never Those that cannot strike there.
 */
export function kindsThatNeverStruck({ faults }: Figures, never: readonly FaultKind[] = []): readonly FaultKind[] {
  return faultKinds.filter((kind) => (faults[kind] ?? 0) === 0 && !never.includes(kind));
}

export function describeFigures(figures: Figures): string {
  const { seeds, virtualMs, rows, calls, inviteCalls, invited, crashPoints, faults, violations } = figures;
  const listed = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, count]) => `  ${name.padEnd(32)}${count}`);
  return [
    `seeds                             ${seeds}`,
    `virtual hours                     ${Math.round(virtualMs / 3_600_000)}`,
    `rows                              ${rows}`,
    `calls to the API                  ${calls}`,
    `people invited                    ${invited}`,
    `invitation calls for each         ${(inviteCalls / Math.max(1, invited)).toFixed(3)}`,
    `environments killed               ${crashPoints}`,
    `last report before the healing    ${share(figures, (minutes) => minutes === 0)}`,
    `… within 2 hours after it         ${share(figures, (minutes) => minutes <= 120)}`,
    `… latest, minutes after it        ${Math.max(0, ...Object.keys(figures.reportMinutes).map(Number))}`,
    'faults',
    ...listed(faults),
    Object.keys(violations).length === 0 ? 'violations                        0' : 'violations',
    ...listed(violations),
  ].join('\n');
}

function share({ reportMinutes, seeds }: Figures, isCounted: (minutes: number) => boolean): string {
  const counted = Object.entries(reportMinutes).filter(([minutes]) => isCounted(Number(minutes)));
  const total = counted.reduce((all, [, count]) => all + count, 0);
  return `${((100 * total) / Math.max(1, seeds)).toFixed(2)} %`;
}

function sum<K extends string>(
  left: Readonly<Partial<Record<K, number>>>,
  right: Readonly<Partial<Record<K, number>>>,
): Record<K, number> {
  const all = { ...left } as Record<K, number>;
  for (const [name, count] of Object.entries(right) as [K, number][]) all[name] = (all[name] ?? 0) + count;
  return all;
}
