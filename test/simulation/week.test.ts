/**
 * Nightly runs, checked day by day against what an oracle says.
 */
import { describe, expect, test } from 'vitest';
import { nights, type PassedNight, passAll } from './nights.ts';
import { plant } from './plantedBugs.ts';
import { weekBugs } from './weekBugs.ts';

const reads = {
  'GET /auth/v1/validate': 1,
  'GET /iam/v1/users': 1,
  'GET /iam/v1/roles': 1,
  'GET /iam/v1/organizations': 1,
};
const hour = 3_600_000;

/** What a night did, in the words of the oracle. */
function told({ result: { calls, ...result } }: PassedNight): unknown {
  const invite = calls['POST /iam/v1/users/invite'] ?? 0;
  const resend = calls['POST /iam/v1/users/…/actions/resend'] ?? 0;
  return { ...result, posts: { invite, resend } };
}

describe('night after night', async () => {
  const { week, passed } = await passAll();

  test.each(passed.map((night) => [night.night.name, night] as const))('%s is as the oracle says', (_name, night) => {
    expect(told(night)).toEqual(night.expected);
  });

  test('people who were there before cost four calls, and no POST', () => {
    const unchanged = passed.filter(({ night }) => night.name.startsWith('unchanged'));
    expect(unchanged.map(({ result }) => result.calls)).toEqual([reads, reads]);
    expect(unchanged.map(({ result }) => result.state)).toEqual(['completed', 'completed']);
  });

  test('a run that nobody approved makes way for the next one', () => {
    expect(nights.map((_night, index) => week.stateOf(index))).toEqual([
      'completed',
      'completed',
      'completed',
      'cancelled: superseded',
      'completed',
      'completed',
      'failed: roster_stale',
      'cancelled: superseded',
      'completed',
      'completed',
    ]);
  });

  test('nobody is sent two emails in 49 hours, and some are sent several in the week', () => {
    const times = Map.groupBy(week.api.resendings, ({ email }) => email);
    for (const resendings of times.values())
      for (const [index, { atMs }] of resendings.entries())
        expect(atMs - (resendings[index - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(49 * hour);
    expect(Math.max(...[...times.values()].map(({ length }) => length))).toBeGreaterThan(1);
  });

  test('nothing went wrong beside it', () => {
    expect(week.record.violations).toEqual([]);
  });
});

describe('the week catches', () => {
  test.each(weekBugs)('$name', async (bug) => {
    const { system, close } = await plant(bug);
    try {
      const { passed } = await passAll(system);
      const wrong = passed.filter((night) => JSON.stringify(told(night)) !== JSON.stringify(night.expected));
      expect(wrong.map(({ night }) => night.name)).toContain(bug.night);
    } finally {
      close();
    }
  });
});
