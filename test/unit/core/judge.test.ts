import { describe, expect, test } from 'vitest';
import { readColumns } from '../../../lambdas/core/columns.ts';
import { indexNamed, usersByEmail } from '../../../lambdas/core/directory.ts';
import { type JudgeContext, type Judgement, judgeRow } from '../../../lambdas/core/judge.ts';

const header = ['Email', 'First Name', 'Last Name', 'Job Title', 'Role', 'Organization', 'Phone'];

const context = (changes: Partial<JudgeContext> = {}): JudgeContext => ({
  columns: readColumns(header),
  users: usersByEmail({
    users: [
      { id: 'u1', email: 'active@example.com', status: 'Active' },
      { id: 'u2', email: 'Open@Example.com', status: 'invited' },
      { id: 'u3', email: 'gone@example.com', status: 'disabled' },
    ],
  }),
  roles: indexNamed([
    { id: 'r1', name: 'Admin' },
    { id: 'r2', name: 'Support User' },
    { id: 'r3', name: 'Support-User' },
  ]),
  organizations: indexNamed([{ id: 'o1', name: 'Acme Europe' }]),
  ...changes,
});

interface Person {
  readonly email: string;
  readonly first: string;
  readonly last: string;
  readonly title: string;
  readonly role: string;
  readonly organization: string;
}

const cells = (person: Partial<Person> = {}): readonly string[] => {
  const { email = 'ann@example.com', first = '', last = '', title = '', role = '', organization = '' } = person;
  return [email, first, last, title, role, organization, '555'];
};

const judge = (person: Partial<Person>, changes: Partial<JudgeContext> = {}): Judgement =>
  judgeRow(2, cells(person), context(changes), new Map());

/** Judges rows from row 2 on, one after the other, as ingest does. */
function judgeAll(people: readonly Partial<Person>[]): readonly Judgement[] {
  const firstRowByEmail = new Map<string, number>();
  return people.map((person, index) => judgeRow(index + 2, cells(person), context(), firstRowByEmail));
}

const outcomeOf = (judgement: Judgement | undefined) =>
  judgement?.kind === 'settled' ? judgement.outcome : `became an ${judgement?.kind}`;
const inviteeOf = (judgement: Judgement | undefined) =>
  judgement?.kind === 'invitee' ? judgement.inviteeRow.invitee : 'was settled';

describe('a row that becomes an invitee', () => {
  test('needs nothing but an email address; what is blank is not sent', () => {
    expect(judge({ email: ' Ann Lee <Ann@EXAMPLE.com> ' })).toEqual({
      kind: 'invitee',
      inviteeRow: { row: 2, invitee: { email: 'Ann@example.com' } },
    });
  });

  test('takes everything that the API has a field for, with ids for names', () => {
    const person = { first: ' Ann ', last: 'Lee', title: 'founder', role: 'admin', organization: 'acme europe' };
    expect(inviteeOf(judge(person))).toEqual({
      email: 'ann@example.com',
      firstName: 'Ann',
      lastName: 'Lee',
      jobTitle: 'Founder',
      roleId: 'r1',
      organizationId: 'o1',
    });
  });

  test('a job title that DoiT does not know is left out, with a warning, and the person is invited all the same', () => {
    expect(judge({ title: 'Head of Coffee' })).toEqual({
      kind: 'invitee',
      inviteeRow: {
        row: 2,
        invitee: { email: 'ann@example.com' },
        warning: 'Job title “Head of Coffee” is not one that DoiT knows, so it was left out.',
      },
    });
  });

  test('a row that names no role or organization gets the defaults, and one that does keeps its own', () => {
    const defaults = { defaultRoleId: 'r9', defaultOrganizationId: 'o9' };
    expect(inviteeOf(judge({}, defaults))).toMatchObject({ roleId: 'r9', organizationId: 'o9' });
    expect(inviteeOf(judge({ role: 'Admin', organization: 'o1' }, defaults))).toMatchObject({
      roleId: 'r1',
      organizationId: 'o1',
    });
  });

  test('a file with an email column alone is enough', () => {
    const columns = readColumns(['email']);
    expect(judgeRow(2, ['ann@example.com'], context({ columns }), new Map()).kind).toBe('invitee');
  });
});

describe('a row that is invalid', () => {
  test.each([
    [['ann@example.com'], 'too_few_cells', 'This row has 1 cell, the header has 7.'],
    [[...cells(), 'Jr.'], 'too_many_cells', 'This row has 8 cells, the header has 7.'],
  ])('%j has another width than the header', (row, code, message) => {
    expect(outcomeOf(judgeRow(9, row, context(), new Map()))).toMatchObject({
      row: 9,
      status: 'invalid',
      code,
      message: expect.stringContaining(message),
      attempts: 0,
    });
  });

  test('without an email address it names the column as the file does', () => {
    expect(outcomeOf(judge({ email: ' ' }))).toEqual({
      row: 2,
      status: 'invalid',
      code: 'email_missing',
      column: 'Email',
      message: 'There is no email address in this row.',
      attempts: 0,
    });
  });

  test('with something that is no email address, it quotes what was found and says what is wrong with it', () => {
    expect(outcomeOf(judge({ email: 'ann@localhost' }))).toMatchObject({
      code: 'email_invalid',
      column: 'Email',
      message: '“ann@localhost” is not an email address: the domain has no dot.',
    });
  });

  test('with an unknown role or organization, it lists the known ones', () => {
    expect(outcomeOf(judge({ role: 'Boss' }))).toMatchObject({
      status: 'invalid',
      code: 'unknown_role',
      column: 'Role',
      message: 'There is no role “Boss”. Known: “Admin”, “Support User”, “Support-User”.',
    });
    expect(outcomeOf(judge({ organization: 'Acme' }))).toMatchObject({
      code: 'unknown_organization',
      column: 'Organization',
      message: 'There is no organization “Acme”. Known: “Acme Europe”.',
    });
  });

  test('with an organization where there are none at all, it says so', () => {
    expect(outcomeOf(judge({ organization: 'Acme' }, { organizations: indexNamed([]) }))).toMatchObject({
      message: 'There is no organization “Acme”. There is no organization at all.',
    });
  });

  test('with a role that several have the name of, it asks for the id', () => {
    expect(outcomeOf(judge({ role: 'supportuser' }))).toMatchObject({
      status: 'invalid',
      code: 'ambiguous_role',
      message: 'Several have the name “supportuser”; write the id of one instead: “r2”, “r3”.',
    });
  });
});

describe('a row of someone who is there already', () => {
  test.each([
    ['active@example.com', 'already_active', 'u1', 'Active'],
    ['OPEN@example.COM', 'already_invited', 'u2', 'invited'],
    ['gone@example.com', 'already_exists', 'u3', 'disabled'],
  ])('%s is %s, and nothing is sent', (email, status, userId, userStatus) => {
    expect(outcomeOf(judge({ email }))).toEqual({
      row: 2,
      status,
      code: status,
      message: `In the directory before this job, with status “${userStatus}”; nothing was sent.`,
      userId,
      attempts: 0,
    });
  });
});

describe('rows with the same email address', () => {
  test('the first one counts; the others name it, however they spell the address', () => {
    const [first, second, third] = judgeAll([
      { email: 'ann@example.com' },
      { email: 'ANN@example.com' },
      { email: 'Ann <ann@Example.com>' },
    ]);
    expect(first?.kind).toBe('invitee');
    for (const judgement of [second, third]) {
      expect(outcomeOf(judgement)).toMatchObject({
        status: 'duplicate',
        column: 'Email',
        message: 'Same email address as row 2.',
        attempts: 0,
      });
    }
  });

  test('an invalid row is not the first one: the next good row of that person is invited', () => {
    const [invalid, good, duplicate] = judgeAll([{ role: 'Boss' }, { role: 'Admin' }, {}]);
    expect(outcomeOf(invalid)).toMatchObject({ status: 'invalid' });
    expect(good?.kind).toBe('invitee');
    expect(outcomeOf(duplicate)).toMatchObject({ status: 'duplicate', message: 'Same email address as row 3.' });
  });

  test('someone who is there already is listed as such once, and then as a duplicate', () => {
    const [first, second] = judgeAll([{ email: 'active@example.com' }, { email: 'active@example.com' }]);
    expect(outcomeOf(first)).toMatchObject({ status: 'already_active' });
    expect(outcomeOf(second)).toMatchObject({ status: 'duplicate' });
  });

  test('a plus sign or a dot makes another person', () => {
    const judgements = judgeAll([
      { email: 'a.b@example.com' },
      { email: 'ab@example.com' },
      { email: 'a.b+c@example.com' },
    ]);
    expect(judgements.map(({ kind }) => kind)).toEqual(['invitee', 'invitee', 'invitee']);
  });
});
