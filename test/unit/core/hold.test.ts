import { describe, expect, test } from 'vitest';
import { type Findings, type HoldRules, holdReasons } from '../../../lambdas/core/hold.ts';
import type { RosterShares } from '../../../lambdas/core/roster.ts';

const upload: HoldRules = { newPeopleMax: 10_000 };
const roster: HoldRules = { roster: {} };
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
    [0.3, 1000, 300, []],
    [0.3, 1000, 301, ['too_many_new']],
    // As a product of fractions in base two, this is a little less than 232.
    [0.29, 800, 232, []],
    [0.29, 800, 233, ['too_many_new']],
    [0.3, 1005, 301, []],
    [0.3, 1005, 302, ['too_many_new']],
    // However small the share is, a few people hold no run.
    [0.01, 1000, 200, []],
    [0.01, 1000, 201, ['too_many_new']],
    [0, 50_000, 200, []],
    [0, 50_000, 201, ['too_many_new']],
    [1, 1000, 1000, []],
    [1, 1000, 1001, ['too_many_new']],
  ])('that may invite %d of %i users with %i invitations is held for %j', (share, users, invitations, expected) => {
    expect(codes({ users, invitations }, { roster: { newPeopleShare: share } })).toEqual(expected);
  });

  test('is held by a number rather than by a share', () => {
    const rules = { newPeopleMax: 500, roster: { newPeopleShare: 0.3 } };
    expect(codes({ users: 1000, invitations: 500 }, rules)).toEqual([]);
    expect(codes({ users: 10_000, invitations: 501 }, rules)).toEqual(['too_many_new']);
  });

  test.each([
    [{}, 150, 150, []],
    [{}, 150, 151, ['too_many_new']],
    [{ newPeopleShare: 0.3 }, 250, 250, []],
    [{ newPeopleShare: 0.3 }, 250, 251, ['too_many_new']],
    [{ newPeopleShare: 0.3 }, 301, 301, ['too_many_new']],
    [{}, 1_000_000, 201, ['too_many_new']],
  ])(
    'with the limits %j and the wish of %i is with %i invitations held for %j',
    (shares, wish, invitations, expected) => {
      expect(codes({ invitations }, { newPeopleWish: wish, roster: shares })).toEqual(expected);
    },
  );

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
    [0.8, 1000, 800, []],
    [0.8, 1000, 799, ['too_few_rows']],
    // As a product of fractions in base two, this is a little more than 55.
    [0.55, 100, 55, []],
    [0.55, 100, 54, ['too_few_rows']],
    [1, 1000, 1000, []],
    [1, 1000, 999, ['too_few_rows']],
    [0, 1_000_000, 1, []],
  ])('that needs %d of the %i rows before with %i rows is held for %j', (share, rowsBefore, rows, expected) => {
    expect(codes({ rows, rowsBefore }, { roster: { rowsShareMin: share } })).toEqual(expected);
  });

  test.each([
    [0.05, 1000, 50, []],
    [0.05, 1000, 51, ['too_many_invalid']],
    [0.29, 100, 29, []],
    [0.29, 100, 30, ['too_many_invalid']],
    [0, 1000, 0, []],
    [0, 1000, 1, ['too_many_invalid']],
    [1, 1000, 1000, []],
  ])('that may have %d of %i rows invalid with %i such rows is held for %j', (share, rows, invalid, expected) => {
    expect(codes({ rows, invalid }, { roster: { invalidShareMax: share } })).toEqual(expected);
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

  test('is told the limits that are set for it, as they are set', () => {
    const found = { rows: 100, invalid: 15, invitations: 291, users: 1000, rowsBefore: 182 };
    const set: RosterShares = { newPeopleShare: 0.29, rowsShareMin: 0.55, invalidShareMax: 0.145 };
    expect(holdReasons(found, { roster: set }).map(({ message }) => message)).toEqual([
      'It would send 291 invitations, and more than 290 need somebody’s approval (the larger of 200 and 29 % of the 1,000 users in the directory).',
      'The roster has 100 rows, and the last completed run had 182; at least 55 % of that were expected. The export may have been cut off.',
      '15 rows of 100 are invalid; at most 14.5 % were expected. The export may have changed its form.',
    ]);
    const [held] = holdReasons({ ...calm, invitations: 6 }, { newPeopleWish: 5, roster: {} });
    expect(held?.message).toBe(
      'It would send 6 invitations, and more than 5 need somebody’s approval (as was asked for with the upload).',
    );
  });
});
