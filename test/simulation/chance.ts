/**
 * Everything in a simulation that is left to chance, from one seed.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Chance {
  /** A number from 0 up to, and without, 1. */
  unit(): number;
  happens(probability: number): boolean;
  /** A whole number, both bounds included. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
}

export function chanceOf(seed: number): Chance {
  const generator = xoroshiro128plus(seed);
  const chance: Chance = {
    unit: () => uniformInt(generator, 0, 0x3fff_ffff) / 0x4000_0000,
    happens: (probability) => chance.unit() < probability,
    between: (from, to) => uniformInt(generator, from, to),
    pick: (items) => {
      const item = items[uniformInt(generator, 0, items.length - 1)];
      if (item === undefined) throw new Error('There is nothing to pick from.');
      return item;
    },
  };
  return chance;
}
