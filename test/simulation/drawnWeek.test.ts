/**
 * Weeks drawn from seeds: a fixed set, some that nobody has seen before, and known-bad variants of the code.
 */
import { describe, expect, test } from 'vitest';
import { simulateWeek } from './drawnWeek.ts';
import { drawnWeekBugs } from './drawnWeekBugs.ts';
import { addFigures, figuresOf, noFigures } from './figures.ts';
import { plant } from './plantedBugs.ts';

const fixedSeeds = 150;
const newSeeds = 50;
const firstNewSeed = 1_000_000 + (Date.now() % 1_000_000_000);
/** Each bug is caught within so many, from the seed at which the search begins. */
const seedsMax = 40;

/** What there must be in the reports of many weeks, or nothing would be proved about it. */
const statusesWanted = [
  ...['invited', 'already_invited', 'already_active', 'already_exists', 'duplicate', 'invalid', 'skipped'],
  ...['rejected', 'unknown', 'not_attempted', 'would_invite', 'resent'],
];
const decisionsWanted = [
  'approved',
  'rejected',
  'cancelled',
  'dry_run',
  'limit_exceeded',
  'roster_message_twice',
  'api_down',
];

async function simulateAll(first: number, count: number) {
  let figures = noFigures;
  const statuses = new Set<string>();
  let withoutFaults = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await simulateWeek(seed);
    expect(result.violations, `npm run simulate -- --week --seed ${seed}`).toEqual([]);
    for (const status of Object.keys(result.statuses)) statuses.add(status);
    if (!result.hadFaults) withoutFaults += 1;
    figures = addFigures(figures, figuresOf(result));
  }
  return { figures, statuses, withoutFaults };
}

describe('night after night, in worlds where everything goes wrong and people decide at any moment', () => {
  test('each run is as the oracle says, in a fixed set of weeks', async () => {
    const { figures, statuses, withoutFaults } = await simulateAll(1, fixedSeeds);
    expect([...statuses]).toEqual(expect.arrayContaining(statusesWanted));
    const struck = Object.entries(figures.faults).flatMap(([kind, count]) => (count > 0 ? [kind] : []));
    expect(struck).toEqual(expect.arrayContaining(decisionsWanted));
    expect(withoutFaults).toBeGreaterThan(fixedSeeds / 10);
  });

  test(`and in ${newSeeds} new ones from seed ${firstNewSeed}`, async () => {
    await simulateAll(firstNewSeed, newSeeds);
  });

  test('a seed has the same course of events each time', async () => {
    const [first, second, other] = [await simulateWeek(3), await simulateWeek(3), await simulateWeek(4)];
    expect(second).toEqual(first);
    expect(other?.traceHash).not.toBe(first?.traceHash);
  });
});

describe('the drawn weeks catch', () => {
  test.each(drawnWeekBugs)('$name', async (bug) => {
    const { system, close } = await plant(bug);
    try {
      const first = bug.firstSeed ?? 1;
      for (let seed = first; seed < first + seedsMax; seed += 1) {
        const { violations } = await simulateWeek(seed, {
          system,
          ...(bug.kinds === undefined ? {} : { kinds: bug.kinds }),
        });
        if (!violations.some(({ check }) => check === bug.caughtBy)) continue;
        console.log(`“${bug.name}” is caught by ${bug.caughtBy} at seed ${seed}.`);
        return;
      }
    } finally {
      close();
    }
    expect.fail(`Not one of ${seedsMax} seeds caught it.`);
  });
});
