import { describe, expect, test } from 'vitest';
import { readColumns } from '../../../lambdas/core/columns.ts';
import { indexNamed, usersByEmail } from '../../../lambdas/core/directory.ts';
import { type JudgeContext, type Judgement, judgeRow, newMemory, warningsOf } from '../../../lambdas/core/judge.ts';
import type { TextRecord } from '../../../lambdas/core/recordReader.ts';

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
  invitesGone: false,
  allowedDomains: new Set(),
  isEncodingGuessed: false,
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

const record = (row: number, all: readonly string[], changes: Partial<TextRecord> = {}): TextRecord => ({
  row,
  cells: all,
  raw: all.join(','),
  ...changes,
});

const judge = (person: Partial<Person>, changes: Partial<JudgeContext> = {}): Judgement =>
  judgeRow(record(2, cells(person)), context(changes), newMemory());

/** Judges one row of a file with another header. */
const judgeUnder = (names: readonly string[], row: readonly string[], changes: Partial<JudgeContext> = {}): Judgement =>
  judgeRow(record(2, row), context({ columns: readColumns(names), ...changes }), newMemory());

/** Judges rows from row 2 on, one after the other, as ingest does. */
function judgeAll(people: readonly Partial<Person>[]): readonly Judgement[] {
  const memory = newMemory();
  return people.map((person, index) => judgeRow(record(index + 2, cells(person)), context(), memory));
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
    expect(judgeUnder(['email'], ['ann@example.com']).kind).toBe('invitee');
  });
});

describe('a row that is invalid', () => {
  test.each([
    [['ann@example.com'], 'too_few_cells', 'This row has 1 cell, the header has 7.'],
    [[...cells(), 'Jr.'], 'too_many_cells', 'This row has 8 cells, the header has 7.'],
  ])('%j has another width than the header', (row, code, message) => {
    expect(outcomeOf(judgeRow(record(9, row), context(), newMemory()))).toMatchObject({
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

  test.each([
    ['unclosed_quote', 'is never closed'],
    ['stray_quote', 'in front of other text'],
    ['line_too_long', 'far too long'],
  ] as const)('by damage (%s) is not guessed at, even where its cells look right', (damage, sentence) => {
    expect(outcomeOf(judgeRow(record(7, cells(), { damage }), context(), newMemory()))).toEqual({
      row: 7,
      status: 'invalid',
      code: damage,
      message: expect.stringContaining(sentence),
      attempts: 0,
    });
  });

  test('with an unknown role or organization, it gives the nearest names', () => {
    expect(outcomeOf(judge({ role: 'Suport User' }))).toMatchObject({
      status: 'invalid',
      code: 'unknown_role',
      column: 'Role',
      message: 'There is no role “Suport User”. Nearest: “Support User”, “Support-User”.',
    });
    expect(outcomeOf(judge({ organization: 'Acme Euorpe' }))).toMatchObject({
      code: 'unknown_organization',
      column: 'Organization',
      message: 'There is no organization “Acme Euorpe”. Nearest: “Acme Europe”.',
    });
  });

  test('with a role that is like none, it lists the known ones', () => {
    expect(outcomeOf(judge({ role: 'Boss' }))).toMatchObject({
      message: 'There is no role “Boss”. Known: “Admin”, “Support User”, “Support-User”.',
    });
  });

  test('with a well-known typing mistake in the domain, it suggests what is meant and sends nothing', () => {
    expect(outcomeOf(judge({ email: 'ann@gmial.com' }))).toMatchObject({
      status: 'invalid',
      code: 'domain_typo',
      column: 'Email',
      message: expect.stringContaining('“gmial.com” looks like a typing mistake. Is “gmail.com” meant?'),
    });
    expect(outcomeOf(judge({ email: 'ann@Example.CON' }))).toMatchObject({ code: 'domain_typo' });
  });

  test('with an organization where there are none at all, it says so', () => {
    expect(outcomeOf(judge({ organization: 'Acme' }, { organizations: indexNamed([]) }))).toMatchObject({
      message: 'There is no organization “Acme”. There is none at all.',
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

describe('a job for certain domains', () => {
  const allowedDomains = new Set(['example.com', 'gmial.com']);

  test.each(['ann@example.com', 'ann@EXAMPLE.com', 'Ann <ann@gmial.com>'])('invites %s', (email) => {
    expect(judge({ email }, { allowedDomains }).kind).toBe('invitee');
  });

  test.each(['ann@example.org', 'ann@mail.example.com', 'ann@notexample.com'])('does not invite %s', (email) => {
    expect(outcomeOf(judge({ email }, { allowedDomains }))).toMatchObject({
      status: 'invalid',
      code: 'domain_not_allowed',
      column: 'Email',
      message: expect.stringContaining('only those of “example.com”, “gmial.com”.'),
    });
  });

  test('still suggests what a mistyped domain means', () => {
    expect(outcomeOf(judge({ email: 'ann@example.con' }, { allowedDomains }))).toMatchObject({ code: 'domain_typo' });
  });
});

describe('a row of somebody who has left', () => {
  const names = ['email', 'Status', 'Employment Status'];

  test('is skipped, and the cell that says so is named', () => {
    expect(outcomeOf(judgeUnder(names, ['ann@example.com', 'Active', ' Terminated ']))).toEqual({
      row: 2,
      status: 'skipped',
      code: 'no_longer_active',
      column: 'Employment Status',
      message: '“Employment Status” says “Terminated”, so this person is not invited.',
      attempts: 0,
    });
  });

  test('is skipped before anything else is looked at', () => {
    expect(outcomeOf(judgeUnder(names, ['no address', 'Inactive', '']))).toMatchObject({ status: 'skipped' });
    expect(outcomeOf(judgeUnder(names, ['active@example.com', 'Inactive', '']))).toMatchObject({ status: 'skipped' });
  });

  test('is skipped by a disabled account', () => {
    const entra = ['userPrincipalName', 'mail', 'accountEnabled'];
    expect(outcomeOf(judgeUnder(entra, ['a@b.example', 'a@b.example', 'False']))).toMatchObject({
      status: 'skipped',
      column: 'accountEnabled',
    });
    expect(judgeUnder(entra, ['a@b.example', 'a@b.example', 'True']).kind).toBe('invitee');
  });

  test('is invited where the rule is switched off', () => {
    expect(judgeUnder(names, ['ann@example.com', 'Terminated', ''], { invitesGone: true }).kind).toBe('invitee');
  });

  test('does not keep a row of the same person, who is there again, from being invited', () => {
    const memory = newMemory();
    const changed = context({ columns: readColumns(names) });
    const left = judgeRow(record(2, ['ann@example.com', 'Terminated', '']), changed, memory);
    const back = judgeRow(record(3, ['ann@example.com', 'Active', '']), changed, memory);
    expect([left.kind, back.kind]).toEqual(['settled', 'invitee']);
  });

  test('in words that nothing is known of is invited, and each word is remembered once', () => {
    const memory = newMemory();
    const changed = context({ columns: readColumns(names) });
    const statuses = ['Purple', 'Active', 'Purple ', 'Zugvogel', ''];
    const judged = statuses.map((status, index) =>
      judgeRow(record(index + 2, [`p${index}@example.com`, status, '']), changed, memory),
    );
    expect(judged.map(({ kind }) => kind)).toEqual(Array(5).fill('invitee'));
    expect([...memory.unknownStatuses]).toEqual(['Purple', 'Zugvogel']);
  });

  test('cannot fill the memory with words', () => {
    const memory = newMemory();
    const changed = context({ columns: readColumns(names) });
    for (let row = 2; row < 100; row += 1) judgeRow(record(row, [`p${row}@b.example`, `x${row}`, '']), changed, memory);
    expect(memory.unknownStatuses.size).toBe(20);
  });
});

describe('a row of a directory export', () => {
  const entra = ['userPrincipalName', 'mail'];

  test.each([
    ['ann@login.example', 'ann@mail.example', 'ann@mail.example'],
    ['ann@login.example', ' ', 'ann@login.example'],
    ['ann_gmail.com#EXT#@acme.example', 'ann@gmail.com', 'ann@gmail.com'],
  ])('with the user principal name “%s” and the mail “%s” is of %s', (name, mail, email) => {
    expect(inviteeOf(judgeUnder(entra, [name, mail]))).toEqual({ email });
  });

  test.each(['ann_gmail.com#EXT#@acme.example', 'ann_gmail.com#ext#@acme.example'])(
    'of a guest without a mail has no address, for “%s” is none',
    (name) => {
      expect(outcomeOf(judgeUnder(entra, [name, '']))).toMatchObject({ code: 'email_missing', column: 'mail' });
    },
  );

  // Only the column that is read in place of a blank one is looked at.
  test.each([['userPrincipalName'], ['mail'], ['email']])(
    'never takes a guest’s name in “%s” for an address',
    (name) => {
      expect(judgeUnder([name], ['ann_gmail.com#EXT#@acme.onmicrosoft.com']).kind).toBe('settled');
    },
  );

  // Blanks are trimmed in one way here and in another where addresses are read.
  test('with a mail of zero-width blanks is of the user principal name', () => {
    expect(inviteeOf(judgeUnder(entra, ['ann@login.example', '\u200b']))).toEqual({ email: 'ann@login.example' });
  });
});

describe('a name that came garbled', () => {
  test.each(['JosÃ©', 'MÃ¼ller', 'Ren\ufffd', 'A\u0000nn', 'CafÃ\u00a0Lee', 'Å\u00a0koda', 'Åukasz Å‚'])(
    '“%s” is left out with a warning, and the person is invited',
    (first) => {
      const judgement = judge({ first, last: 'Lee' });
      expect(inviteeOf(judgement)).toEqual({ email: 'ann@example.com', lastName: 'Lee' });
      expect(judgement).toMatchObject({
        inviteeRow: { warning: expect.stringMatching(/^The name “.*” came garbled, so it was left out\.$/u) },
      });
    },
  );

  test.each([
    'José',
    'MÜLLER',
    'SÃO',
    'Åse',
    'Ångström',
    'Łukasz',
    'Иван',
    '李明',
    "O'Brien",
    'O’Brien',
    'Ann-Marie',
    'Dvořák',
  ])('“%s” did not, and is sent as it is', (first) => {
    expect(inviteeOf(judge({ first }))).toEqual({ email: 'ann@example.com', firstName: first });
  });

  test('and a job title that is left out make one warning of two sentences', () => {
    expect(judge({ last: 'LÃ©', title: 'Cook' })).toMatchObject({
      inviteeRow: { warning: expect.stringMatching(/garbled.*Job title “Cook”/u) },
    });
  });

  // The second half of `à` is a no-break blank, which is trimmed before the name is looked at.
  test('is left out where it ends in à, too', () => {
    expect(inviteeOf(judge({ first: 'NicolÃ\u00a0' }))).toEqual({ email: 'ann@example.com' });
  });

  // UTF-8 that was once read as Windows-1252, from beyond the Latin letters.
  test.each(['Oâ€™Brien', 'Ð˜Ð²Ð°Ð½', 'Î‘Î½Î½Î±', 'æœŽ'])('“%s” is left out, too', (first) => {
    expect(inviteeOf(judge({ first }))).toEqual({ email: 'ann@example.com' });
  });

  // `¼` and `ª` count as a number and a letter, so they pass in an address.
  test.each(['mÃ¼ller@example.com', 'ann@mÃ¼ller.example'])('“%s” is no address', (email) => {
    expect(outcomeOf(judge({ email }))).toMatchObject({ status: 'invalid' });
  });
});

describe('a report that is uploaded again', () => {
  test('has its neutralised cells restored', () => {
    const row = ["'+ann@example.com", "'=Ann", '2', 'failed'];
    expect(inviteeOf(judgeUnder(['email', 'First name', 'invite_row', 'invite_status'], row))).toEqual({
      email: '+ann@example.com',
      firstName: '=Ann',
    });
  });

  test('is not looked at for what the report said: a skipped row is judged anew', () => {
    expect(judgeUnder(['email', 'invite_status'], ['ann@example.com', 'inactive']).kind).toBe('invitee');
  });

  test('is the only kind of file whose apostrophes are taken off', () => {
    expect(inviteeOf(judgeUnder(['email', 'First name'], ["'+ann@example.com", "'=Ann"]))).toEqual({
      email: "'+ann@example.com",
      firstName: "'=Ann",
    });
  });
});

describe('a row with empty cells behind the last column', () => {
  test('is read as if they were not there', () => {
    expect(judgeRow(record(2, [...cells(), '', ' ']), context(), newMemory()).kind).toBe('invitee');
  });
});

test('without an account, roles and organizations are taken as they stand', () => {
  const { roles: _roles, organizations: _organizations, ...unknown } = context();
  const judgement = judgeRow(record(2, cells({ role: ' Boss ', organization: 'Acme' })), unknown, newMemory());
  expect(inviteeOf(judgement)).toMatchObject({ roleId: 'Boss', organizationId: 'Acme' });
});

test('the words for a status that nothing is known of become one warning for the whole file', () => {
  const memory = newMemory();
  expect(warningsOf(memory)).toEqual([]);
  memory.unknownStatuses.add('Purple').add('Zugvogel');
  expect(warningsOf(memory)).toEqual([
    "Taken for active, because nothing is known of these words for a person's status: “Purple”, “Zugvogel”.",
  ]);
});
