import { describe, expect, test } from 'vitest';
import { nearestNames } from '../../../lambdas/core/nearest.ts';

describe('the names that are most like what was written', () => {
  const roles = ['Admin', 'Power User', 'Finance User', 'Support User', 'IT Manager'];

  test.each([
    ['admn', ['Admin']],
    ['ADMIN', ['Admin']],
    ['Powr User', ['Power User', 'Support User']],
    ['Finanz User', ['Finance User']],
    ['IT-Manger', ['IT Manager']],
  ])('“%s” is nearest to %j, the best first', (text, names) => {
    expect(nearestNames(text, roles)).toEqual(names);
  });

  test('nothing is like a text that shares less than half with every name', () => {
    expect(nearestNames('Gardener', roles)).toEqual([]);
    expect(nearestNames('x', [])).toEqual([]);
  });

  test('at most three are given', () => {
    expect(nearestNames('Team 0', ['Team 1', 'Team 2', 'Team 3', 'Team 4'])).toEqual(['Team 1', 'Team 2', 'Team 3']);
  });

  test('letters that are left out, put in and exchanged count alike', () => {
    expect(nearestNames('abcdef', ['abcxef', 'abcdefg', 'abcde', 'abxxef'])).toEqual(['abcxef', 'abcdefg', 'abcde']);
    expect(nearestNames('abcd', ['abxx', 'axxx'])).toEqual(['abxx']);
    expect(nearestNames('Adminn', ['Admons', 'Admin'])).toEqual(['Admin', 'Admons']);
  });

  test('a whole page in the cell is compared at once', () => {
    const startedAtMs = performance.now();
    expect(nearestNames('x'.repeat(100_000), Array(200).fill('y'.repeat(100_000)))).toHaveLength(3);
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
  });
});
