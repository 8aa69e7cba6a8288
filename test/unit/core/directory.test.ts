import { describe, expect, test } from 'vitest';
import { alreadyStatus, indexNamed, resolveNamed, usersByEmail } from '../../../lambdas/core/directory.ts';

describe('the users of the organization', () => {
  test('are found whatever the case of their address', () => {
    const users = usersByEmail({ users: [{ id: 'u1', email: 'Ann.Lee@Example.com', status: 'Active' }] });
    expect(users.get('ann.lee@example.com')).toEqual({ id: 'u1', status: 'Active' });
    expect(users.size).toBe(1);
  });

  test.each([
    ['active', 'already_active'],
    ['Active', 'already_active'],
    ['INVITED', 'already_invited'],
    ['disabled', 'already_exists'],
    ['expired', 'already_exists'],
    ['', 'already_exists'],
  ])('with status “%s” make a row %s', (userStatus, status) => {
    expect(alreadyStatus(userStatus)).toBe(status);
  });
});

describe('naming a role or an organization', () => {
  const index = indexNamed([
    { id: 'r1', name: 'Power User' },
    { id: 'r2', name: 'Finance User' },
    { id: 'r3', name: 'Finance-User' },
    { id: 'Admin', name: 'Reader' },
    { id: 'r4', name: 'Admin' },
    { id: 'r5', name: '***' },
  ]);

  test.each(['r1', ' r1 ', 'Power User', 'power user', 'POWER_USER', 'poweruser', ' Power  User '])(
    '“%s” finds it',
    (text) => {
      expect(resolveNamed(text, index)).toEqual({ kind: 'found', id: 'r1' });
    },
  );

  test('an id counts before a name', () => {
    expect(resolveNamed('Admin', index)).toEqual({ kind: 'found', id: 'Admin' });
    expect(resolveNamed('admin', index)).toEqual({ kind: 'found', id: 'r4' });
  });

  test('a name that several have is not guessed at', () => {
    expect(resolveNamed('Finance_User', index)).toEqual({ kind: 'ambiguous', ids: ['r2', 'r3'] });
  });

  test('a name of punctuation alone is itself and nothing else', () => {
    expect(resolveNamed('***', index)).toEqual({ kind: 'found', id: 'r5' });
    expect(resolveNamed('---', index)).toEqual({ kind: 'unknown' });
  });

  test.each(['Power', 'R1', 'nobody'])('“%s” is unknown', (text) => {
    expect(resolveNamed(text, index)).toEqual({ kind: 'unknown' });
  });

  test('where the API has none, every name is unknown', () => {
    expect(resolveNamed('Admin', indexNamed([]))).toEqual({ kind: 'unknown' });
  });

  test('the names are kept for the messages to people', () => {
    expect(index.names).toEqual(['Power User', 'Finance User', 'Finance-User', 'Reader', 'Admin', '***']);
  });

  test('a name that is written exactly as it stands finds it, whatever resembles it', () => {
    const teams = indexNamed([
      { id: 'o1', name: 'Team A+' },
      { id: 'o2', name: 'Team A-' },
    ]);
    expect(resolveNamed('Team A-', teams)).toEqual({ kind: 'found', id: 'o2' });
  });

  test('names that differ in vowel signs are different names', () => {
    expect(resolveNamed('\u0e01\u0e35', indexNamed([{ id: 'o1', name: '\u0e01\u0e34' }]))).toEqual({ kind: 'unknown' });
  });

  test('an accent may be written as one character or as two', () => {
    expect(resolveNamed('E\u0301quipe', indexNamed([{ id: 'o1', name: '\u00c9quipe' }]))).toEqual({
      kind: 'found',
      id: 'o1',
    });
  });
});
