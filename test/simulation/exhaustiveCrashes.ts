/**
 * A small job, killed before and after every single operation: once, and twice.
 */
import { rosterOf } from './roster.ts';
import { run, type Scenario, type SimulationResult } from './simulation.ts';
import type { Crashes } from './world.ts';

/** Six people in three chunks. */
const scenario: Scenario = {
  seed: 1,
  kinds: [],
  uploads: [
    {
      key: 'incoming/people.csv',
      atMs: 0,
      roster: rosterOf(
        Array.from({ length: 6 }, (_, index) => [`person${index + 1}@acme.example`, `Name${index + 1}`] as const),
      ),
      chunkRows: 2,
    },
  ],
  usersBefore: [],
  workers: 2,
  concurrency: 2,
  workerTimeMs: 5 * 60_000,
  giveUpMs: 6 * 60 * 60_000,
  existsStatus: 400,
  answersWhileDown: 0.5,
  ratePerSecond: 10,
  workMs: 300,
  healAfterMs: 1,
  redriveAfterMs: 0,
  outages: [],
  newPeopleMax: 10_000,
  schedules: [],
};

/** The same, held until somebody approves it. */
const held: Scenario = {
  ...scenario,
  newPeopleMax: 5,
  uploads: scenario.uploads.map((upload) => ({ ...upload, decisions: [{ kind: 'approved', afterMs: 5000 }] })),
};

const scenarios = { plain: scenario, held } as const;

export interface CrashRun {
  /** The moments at which the environment at work was killed, counted from 0; two for each operation. */
  readonly moments: readonly number[];
  readonly result: SimulationResult;
  /** Moments that there were in the whole run. */
  readonly momentCount: number;
}

export async function runWithCrashes(
  moments: readonly number[],
  name: keyof typeof scenarios = 'plain',
): Promise<CrashRun> {
  const fatal = new Set(moments);
  let momentCount = 0;
  const crashes: Crashes = {
    strikes: () => {
      const isFatal = fatal.has(momentCount);
      momentCount += 1;
      return isFatal;
    },
  };
  const result = await run(scenarios[name], { crashes });
  return { moments, result, momentCount };
}

/** One crash at each moment of the run. */
export async function* singleCrashes(name: keyof typeof scenarios = 'plain'): AsyncGenerator<CrashRun> {
  const { momentCount } = await runWithCrashes([], name);
  for (let moment = 0; moment < momentCount; moment += 1) yield await runWithCrashes([moment], name);
}

/** After each first crash, a second one at each moment that is left. */
export async function* pairsOfCrashes(): AsyncGenerator<CrashRun> {
  const { momentCount } = await runWithCrashes([]);
  for (let first = 0; first < momentCount; first += 1) {
    const alone = await runWithCrashes([first]);
    for (let second = first + 1; second < alone.momentCount; second += 1) yield await runWithCrashes([first, second]);
  }
}
