/**
 * A few simulated worlds, as one test among those that a mutant meets.
 */
import { expect, test } from 'vitest';
import { simulate } from '../simulation/simulation.ts';

test('nobody is invited twice and no row is lost', async () => {
  for (let seed = 1; seed <= 60; seed += 1) expect((await simulate(seed)).violations).toEqual([]);
});
