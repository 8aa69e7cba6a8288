import { describe, expect, test } from 'vitest';
import { rosterLimits } from '../../../lambdas/core/limits.ts';
import { invitationState, isOlderThan, isRosterName, isStale, openInvitation } from '../../../lambdas/core/roster.ts';

const hour = 3_600_000;
const nowMs = 1_000_000 * hour;

test.each([
  ['acme', true],
  ['acme-2', true],
  ['2', true],
  ['a'.repeat(rosterLimits.nameCharactersMax), true],
  ['a'.repeat(rosterLimits.nameCharactersMax + 1), false],
  ['', false],
  ['Acme', false],
  ['-acme', false],
  ['acme/x', false],
  ['acme.csv', false],
])('the name %j can be that of a roster: %s', (name, expected) => {
  expect(isRosterName(name)).toBe(expected);
});

test.each([
  [24 * hour, false],
  [24 * hour + 1, true],
])('a roster that was refreshed %i ms ago, where a day is allowed, is stale: %s', (ageMs, expected) => {
  const rules = { name: 'acme', staleAfterMs: 24 * hour, openAfterMs: 0 };
  expect(isStale(nowMs - ageMs, nowMs, rules)).toBe(expected);
});

test.each([
  ['invited', 'open'],
  ['Invited', 'open'],
  ['EXPIRED', 'expired'],
  ['active', 'none'],
  ['disabled', 'none'],
  ['', 'none'],
])('the status %j says of an invitation: %s', (status, expected) => {
  expect(invitationState(status)).toBe(expected);
});

describe('an invitation is open', () => {
  const seen = (state: 'open' | 'expired', sinceMs: number) => new Map([['user-1', { state, sinceMs }]]);

  test('since it was first seen, or since now', () => {
    expect(openInvitation('user-1', 'invited', seen('open', 5), nowMs)).toEqual({ state: 'open', sinceMs: 5 });
    expect(openInvitation('user-2', 'invited', seen('open', 5), nowMs)).toEqual({ state: 'open', sinceMs: nowMs });
    expect(openInvitation('user-1', 'active', seen('open', 5), nowMs)).toBeUndefined();
  });

  test('for at least as long as it lives, once it has expired', () => {
    const sinceOf = (before: ReturnType<typeof seen>) => openInvitation('user-1', 'expired', before, nowMs)?.sinceMs;
    expect(sinceOf(new Map())).toBe(nowMs - 48 * hour);
    expect(sinceOf(seen('open', nowMs - hour))).toBe(nowMs - 48 * hour);
    expect(sinceOf(seen('open', nowMs - 90 * hour))).toBe(nowMs - 90 * hour);
    expect(sinceOf(seen('expired', nowMs - 90 * hour))).toBe(nowMs - 90 * hour);
  });

  test('anew, where it had expired and is open now', () => {
    expect(openInvitation('user-1', 'Invited', seen('expired', 5), nowMs)).toEqual({ state: 'open', sinceMs: nowMs });
  });

  test.each([
    [48 * hour - 1, false],
    [48 * hour, true],
  ])('%i ms ago is older than 48 hours: %s', (ageMs, expected) => {
    expect(isOlderThan(nowMs - ageMs, 48 * hour, nowMs)).toBe(expected);
  });
});
