/**
 * The simulation sees: each known-bad variant of the code is caught within a stated number of seeds.
 */
import { describe, expect, test } from 'vitest';
import { plant, plantedBugs } from './plantedBugs.ts';
import { simulate } from './simulation.ts';

const seedsMax = 1000;

describe('the simulation catches', () => {
  test.each(plantedBugs)(
    '$name',
    async (bug) => {
      const { system, close } = await plant(bug);
      try {
        const first = bug.firstSeed ?? 1;
        for (let seed = first; seed < first + seedsMax; seed += 1) {
          const { violations } = await simulate(seed, {
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
    },
    120_000,
  );
});
