/**
 * Simulated worlds: a fixed set, and some that nobody has seen before.
 */
import { describe, expect, test } from 'vitest';
import { addFigures, describeFigures, figuresOf, kindsThatNeverStruck, noFigures } from './figures.ts';
import { simulate } from './simulation.ts';

const fixedSeeds = 2000;
const newSeeds = 500;
const firstNewSeed = 1_000_000 + (Date.now() % 1_000_000_000);

async function simulateAll(first: number, count: number) {
  let figures = noFigures;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await simulate(seed);
    expect(result.violations, `npm run simulate -- --seed ${seed}`).toEqual([]);
    figures = addFigures(figures, figuresOf(result));
  }
  return figures;
}

describe('in simulated worlds where everything goes wrong', () => {
  test('nobody is invited twice and no row is lost, in a fixed set of seeds that have every kind of fault', async () => {
    const figures = await simulateAll(1, fixedSeeds);
    console.log(`Simulation of seeds 1 to ${fixedSeeds}\n${describeFigures(figures)}`);
    expect(kindsThatNeverStruck(figures)).toEqual([]);
  });

  test(`nor in ${newSeeds} new ones from seed ${firstNewSeed}`, async () => {
    await simulateAll(firstNewSeed, newSeeds);
  });

  test('a seed has the same course of events each time, and another seed another', async () => {
    for (const seed of [2, 38, 83, 1628]) {
      const [first, second, other] = [await simulate(seed), await simulate(seed), await simulate(seed + 1)];
      expect(second).toEqual(first);
      expect(other?.traceHash).not.toBe(first?.traceHash);
    }
  });
});
