import { describe, expect, test } from 'vitest';
import { type Findings, type HoldRules, holdReasons } from '../../../lambdas/core/hold.ts';

const upload: HoldRules = { newPeopleMax: 10_000, isRosterRun: false };
const roster: HoldRules = { isRosterRun: true };
const calm: Findings = { rows: 1000, invalid: 0, invitations: 0, users: 1000 };

function codes(findings: Partial<Findings>, rules: HoldRules): string[] {
  return holdReasons({ ...calm, ...findings }, rules).map(({ code }) => code);
}

describe('an upload', () => {
  test.each([
    [10_000, []],
    [10_001, ['too_many_new']],
  ])('with %i invitations is held for %j', (invitations, expected) => {
    expect(codes({ invitations }, upload)).toEqual(expected);
  });

  test('is held by its own limit, and one of none lets nobody through', () => {
    expect(codes({ invitations: 1 }, { ...upload, newPeopleMax: 0 })).toEqual(['too_many_new']);
    expect(codes({ invitations: 0 }, { ...upload, newPeopleMax: 0 })).toEqual([]);
  });

  test('is never held because of its size or of its invalid rows', () => {
    expect(codes({ rows: 10, invalid: 10, rowsBefore: 1000 }, upload)).toEqual([]);
  });
});

describe('a run of a roster', () => {
  test.each([
    [0, 200, []],
    [0, 201, ['too_many_new']],
    [1000, 200, []],
    [1000, 201, ['too_many_new']],
    [1005, 201, []],
    [1005, 202, ['too_many_new']],
    [50_000, 10_000, []],
    [50_000, 10_001, ['too_many_new']],
  ])('beside %i users with %i invitations is held for %j', (users, invitations, expected) => {
    expect(codes({ users, invitations }, roster)).toEqual(expected);
  });

  test('is held by the limit that is set for it instead', () => {
    expect(codes({ users: 50_000, invitations: 21 }, { ...roster, newPeopleMax: 20 })).toEqual(['too_many_new']);
    expect(codes({ users: 0, invitations: 300 }, { ...roster, newPeopleMax: 300 })).toEqual([]);
  });

  test.each([
    [1000, 500, []],
    [1000, 499, ['too_few_rows']],
    [1001, 501, []],
    [1001, 500, ['too_few_rows']],
    [undefined, 1, []],
  ])('after one of %s rows with %i rows is held for %j', (rowsBefore, rows, expected) => {
    expect(codes({ rows, ...(rowsBefore === undefined ? {} : { rowsBefore }) }, roster)).toEqual(expected);
  });

  test.each([
    [1000, 200, []],
    [1000, 201, ['too_many_invalid']],
    [4, 1, ['too_many_invalid']],
    [5, 1, []],
  ])('of %i rows with %i invalid ones is held for %j', (rows, invalid, expected) => {
    expect(codes({ rows, invalid }, roster)).toEqual(expected);
  });

  test('is told every reason at once, each with what was found and what was expected', () => {
    const reasons = holdReasons({ rows: 1200, invalid: 600, invitations: 1201, users: 6000, rowsBefore: 2401 }, roster);
    expect(reasons.map(({ message }) => message)).toEqual([
      'It would send 1,201 invitations, and more than 1,200 need somebody’s approval (the larger of 200 and 20 % of the 6,000 users in the directory).',
      'The roster has 1,200 rows, and the last completed run had 2,401; at least 50 % of that were expected. The export may have been cut off.',
      '600 rows of 1,200 are invalid; at most 20 % were expected. The export may have changed its form.',
    ]);
  });
});
