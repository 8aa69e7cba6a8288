import { describe, expect, test } from 'vitest';
import { type Field, isEmailHeader, type Mapping, readColumns } from '../../../lambdas/core/columns.ts';
import { WholeFileFault } from '../../../lambdas/core/fault.ts';
import { isReportColumn } from '../../../lambdas/core/reportColumns.ts';

/** The header that each field was found under. */
function found(header: readonly string[], mapping: Mapping = {}): Partial<Record<Field, string | undefined>> {
  const { indexByField } = readColumns(header, mapping);
  return Object.fromEntries(Object.entries(indexByField).map(([field, index]) => [field, header[index]]));
}

function faultOf(header: readonly string[], mapping: Mapping = {}) {
  try {
    readColumns(header, mapping);
  } catch (error) {
    if (error instanceof WholeFileFault) return error.fault;
    throw error;
  }
  throw new Error('The header was accepted.');
}

describe('finding the columns of an upload', () => {
  test.each([
    'email',
    'Email',
    'E-Mail',
    'EMAIL ADDRESS',
    'email_address',
    ' Email ',
    '\u00a0Email\u00a0',
    '\ufeffemail',
    'Work E-mail',
    'userEmail',
    'mail',
    'Business Email',
    'Email Address [Required]',
    'Email address to invite [inviteeEmail] Required',
    'Work Contact: Work Email',
    'Email - Primary Work',
    'email id',
    'Correo electrónico',
    'Courriel',
    'Adresse e-mail',
    'Emailadresse',
    'userPrincipalName',
  ])('%j holds the email address', (header) => {
    expect(found(['Name', header])).toEqual({ email: header });
  });

  test.each([
    ['firstName', ['First name', 'Given Name', 'first', 'Forename']],
    ['lastName', ['LAST-NAME', 'Surname', 'Family Name', 'last']],
    ['jobTitle', ['Job Title', 'jobFunction', 'Title', 'Position']],
    ['role', ['Role ID', 'Role', 'userRole', 'Role name']],
    ['organization', ['Organization ID', 'organisation', 'Organization Name', 'org_id', 'Org']],
  ])('the field %s goes by the names %j', (field, headers) => {
    for (const header of headers) expect(found(['email', header])).toEqual({ email: 'email', [field]: header });
  });

  test('the columns of a usual file are told by their places', () => {
    const header = ['Nickname', 'First Name', 'Last Name', 'Work Email', 'Job Title', 'Role', 'Organisation', 'Status'];
    expect(readColumns(header)).toEqual({
      header,
      goneIndexes: [],
      leavingDateIndexes: [],
      indexByField: { email: 3, firstName: 1, lastName: 2, jobTitle: 4, role: 5, organization: 6 },
      statusIndexes: [7],
      ignored: [0],
      warnings: [],
      isReport: false,
    });
  });

  test('the upload template of DoiT’s own console works unchanged', () => {
    const header = [
      ...['userEmail', 'firstName', 'lastName', 'userPhone', 'phoneExtension', 'jobFunction'],
      ...['billingProfilesAssignments', 'userRole', 'notifyInvoices', 'notifyAnomalies', 'notifyPayments'],
      ...['notifyCredits', 'notifyQuotas', 'notifyIssues', 'anomalyThreshold'],
    ];
    expect(found(header)).toEqual({
      email: 'userEmail',
      firstName: 'firstName',
      lastName: 'lastName',
      jobTitle: 'jobFunction',
      role: 'userRole',
    });
    expect(readColumns(header).ignored).toHaveLength(10);
  });

  test.each([
    ['German', ['Vorname', 'Nachname', 'E-Mail', 'Position']],
    ['German, with umlauts', ['Vorname', 'Nachname', 'E-Mail geschäftlich', 'Stellenbezeichnung']],
    ['French', ['Prénom', 'Nom', 'Courriel', 'Fonction']],
    ['Spanish', ['Nombre', 'Apellidos', 'Correo', 'Puesto']],
    ['Italian', ['Nome', 'Cognome', 'Email', 'Position']],
    ['Portuguese', ['Nome', 'Sobrenome', 'E-mail', 'Cargo']],
  ])('headers in %s are understood: %j', (_, header) => {
    const [firstName, lastName, email, jobTitle] = header;
    expect(found(header)).toEqual({ firstName, lastName, email, jobTitle });
  });

  test('an id is preferred to a name', () => {
    expect(found(['email', 'Role', 'Role ID', 'Organization', 'Organization ID'])).toEqual({
      email: 'email',
      role: 'Role ID',
      organization: 'Organization ID',
    });
  });

  test('columns that an earlier report added mean nothing', () => {
    const header = ['email', 'invite_row', 'invite_status', 'INVITE_Message'];
    expect(readColumns(header)).toMatchObject({ indexByField: { email: 0 }, ignored: [1, 2, 3], isReport: true });
    expect(faultOf(['invite_message']).code).toBe('no_email_column');
  });

  test('columns that only resemble an email column are not taken for one', () => {
    expect(faultOf(['Email sent', 'Email Verified', 'Email Status', 'Mailing City', 'Email opt-in consent']).code).toBe(
      'no_email_column',
    );
  });
});

describe('of several columns with email addresses', () => {
  test.each([
    [['Email', 'Work Email', 'Personal Email'], 'Work Email'],
    [['mail', 'Business E-Mail'], 'Business E-Mail'],
    [['Email - Primary Home', 'Email - Primary Work', 'Manager Email - Primary Work'], 'Email - Primary Work'],
    [['Manager - Work email', 'Work email'], 'Work email'],
    [
      ['Recovery Email', 'Home Secondary Email', 'Work Secondary Email', 'Manager Email', 'Email Address'],
      'Email Address',
    ],
    [['Reports To Email', 'Home Email', 'Work Email'], 'Work Email'],
    [['secondEmail', 'email', 'login'], 'email'],
    [['userPrincipalName', 'mail', 'alternateEmailAddress'], 'mail'],
    [['Email of the team', 'Email'], 'Email'],
    [['Personal Contact: Personal Email', 'Work Contact: Work Email'], 'Work Contact: Work Email'],
  ])('%j: the one of work beats a plain one, and that beats all others', (header, email) => {
    expect(found(header).email).toBe(email);
    expect(found(header.toReversed()).email).toBe(email);
  });

  const others = [
    ...[
      'Recovery Email',
      'Home Secondary Email',
      'Work Secondary Email',
      'secondaryEmail',
      'Backup email',
      'Alias Email',
    ],
    ...['Personal Email', 'personal_email', 'Home Email', 'homeEmail', 'Private E-Mail', 'Correo personal'],
    ...[
      'Manager Email',
      'managerEmail',
      'manager_work_email',
      'Manager’s Email',
      'Line Manager E-mail',
      'Email of manager',
    ],
    ...['Reports To Email', 'Supervisor Work Email', 'Approver 1 Email', 'Assistant Email', 'E-Mail Vorgesetzter'],
    ...['Emergency Contact Email', 'Spouse Email', 'HR Business Partner Email', 'Previous Email', 'Forwarding Email'],
  ];

  test.each(others)('“%s” is never taken, not even where there is no other', (other) => {
    expect(faultOf(['Name', other]).code).toBe('no_email_column');
    expect(found([other, 'Work Email']).email).toBe('Work Email');
    expect(isEmailHeader(other)).toBe(false);
  });

  // The word that tells whose address it is stands in brackets, is run together with the rest, or is in no list.
  test.each([
    ...['Email (personal)', 'Email [private]', 'E-Mail-Adresse (privat)', 'Email (manager)', 'Email (Home)'],
    ...['MANAGEREMAIL', 'personalemail', 'recoveryemail', 'Manageremail'],
    ...[
      'E-Mail des Vorgesetzten',
      'E-Mail Führungskraft',
      'Vorgesetzten-E-Mail',
      'Email responsable',
      'Email personale',
    ],
    ...['E-mail du responsable', 'Correo del jefe', 'E-mail N+1', 'Boss Email', 'Team Lead Email', 'Leader Email'],
    ...['HRBP Email', 'Mentor Email', 'Next of kin email', 'Owner Email', 'Sponsor Email', 'Head of department email'],
  ])('“%s” is never taken either', (other) => {
    expect(faultOf(['Name', other]).code).toBe('no_email_column');
  });

  // “business”, “company” or “office” makes it the address of work, whoever else it belongs to.
  test.each([
    'Business Unit Lead Email',
    'Business Owner Email',
    'People Business Partner Email',
    'Company Admin Email',
  ])('“%s” does not beat the person’s own', (other) => {
    expect(found(['Name', 'Email', other]).email).toBe('Email');
  });

  // What stands in brackets is no part of a name, so both are alike.
  test('“Email (Work)” beats “Email (Home)”', () => {
    expect(found(['Email (Home)', 'Email (Work)']).email).toBe('Email (Work)');
  });

  // The words “mail” and “email” are enough.
  test.each(['Mail stop', 'Mail Code', 'mailNickname', 'Voicemail', 'Email opt-in'])(
    '“%s” holds no email address',
    (other) => {
      expect(faultOf(['Name', other]).code).toBe('no_email_column');
    },
  );

  test('the user principal name of a directory is read where the mail is blank', () => {
    const columns = readColumns(['userPrincipalName', 'mail', 'surname']);
    expect(columns).toMatchObject({ indexByField: { email: 1, lastName: 2 }, emailFallbackIndex: 0, ignored: [] });
    expect(readColumns(['userPrincipalName', 'mail'], { email: 'mail' })).not.toHaveProperty('emailFallbackIndex');
    expect(readColumns(['userPrincipalName'])).not.toHaveProperty('emailFallbackIndex');
  });
});

describe('columns that say whether a person is still there', () => {
  test.each([
    ...[
      'Status',
      'status',
      'Status [READ ONLY]',
      'Employment Status',
      'Employee status',
      'Worker Status',
      'accountEnabled',
    ],
    ...['Account Enabled', 'Lifecycle status', 'Active', 'Is Active?', 'User Status', 'Beschäftigungsstatus'],
  ])('“%s” is one', (name) => {
    expect(readColumns(['email', name])).toMatchObject({ statusIndexes: [1], ignored: [] });
  });

  test('all of them count, but none that is taken for something else or was added by a report', () => {
    const header = ['Status', 'email', 'Employment Status', 'invite_status', 'Marital status'];
    expect(readColumns(header)).toMatchObject({ statusIndexes: [0, 2], ignored: [3, 4] });
    expect(readColumns(header, { jobTitle: 'Status' }).statusIndexes).toEqual([2]);
  });

  // ADP and others: their people who have left would be invited.
  test.each([
    ...['Position Status', 'Assignment Status', 'Associate Status', 'Job Status', 'HR Status', 'Payroll Status'],
    ...[
      'emp_status',
      'Current Status',
      'Lifecycle State',
      'Mitarbeiterstatus',
      'Estado del empleado',
      'Contract Status',
    ],
  ])('“%s” is one, too', (name) => {
    expect(readColumns(['email', name]).statusIndexes).toEqual([1]);
  });
});

describe('an export of a directory or an HR system', () => {
  test('has an organization and a role of its own, which are not DoiT’s, and it is told', () => {
    const header = ['login', 'email', 'organization', 'role', 'firstName'];
    const { indexByField, ignored, warnings } = readColumns(header);
    expect(indexByField).toEqual({ email: 1, firstName: 4 });
    expect(ignored).toEqual([0, 2, 3]);
    expect(warnings).toEqual([
      expect.stringContaining('--map role="role"'),
      expect.stringContaining("The column “organization” was not taken for DoiT's organization"),
    ]);
  });

  test.each(['Employee ID', 'objectId', 'Department', 'Hire Date', 'Cost Center', 'Personalnummer', 'USERID'])(
    'is known by its “%s”',
    (name) => {
      expect(readColumns(['email', 'Role', name])).toMatchObject({ indexByField: { email: 0 } });
      expect(found(['email', 'Role', name])).not.toHaveProperty('role');
      expect(found(['email', 'Role', 'Floor'])).toHaveProperty('role', 'Role');
    },
  );

  test('may name DoiT’s own by an id, by the word DoiT, or by the person’s choice', () => {
    expect(found(['login', 'email', 'Role ID', 'Organization ID'])).toMatchObject({
      role: 'Role ID',
      organization: 'Organization ID',
    });
    expect(found(['login', 'email', 'DoiT Role'])).toMatchObject({ role: 'DoiT Role' });
    expect(readColumns(['login', 'email', 'role'], { role: 'role' })).toMatchObject({
      indexByField: { role: 2 },
      warnings: [],
    });
  });
});

describe('a column that a person has chosen', () => {
  const header = ['Email', 'Backup E-Mail', 'Name', 'backup e-mail', 'Given  Name', 'Role'];

  test('is taken before any other, exactly as it is written', () => {
    expect(found(header, { email: 'Backup E-Mail' }).email).toBe('Backup E-Mail');
    expect(found(header, { email: 'backup e-mail' }).email).toBe('backup e-mail');
    expect(found(header, { firstName: 'Name' }).firstName).toBe('Name');
  });

  test('may be written without regard to capitals, blanks and dashes', () => {
    expect(found(header, { firstName: 'GIVEN-name' }).firstName).toBe('Given  Name');
  });

  test('that could be two is not guessed at', () => {
    const { code, message } = faultOf(header, { email: 'BACKUP EMAIL' });
    expect(code).toBe('ambiguous_column');
    expect(message).toContain('column 2 “Backup E-Mail” and column 4 “backup e-mail”');
  });

  test('that is not there is told with the header', () => {
    const { code, message } = faultOf(header, { email: 'Work Email' });
    expect(code).toBe('unknown_mapping');
    expect(message).toContain(
      'The column “Work Email” that was chosen for email is not in the file. Its header has “Email”,',
    );
  });

  test('is never one that a report added', () => {
    expect(faultOf(['email', 'invite_message'], { email: 'invite_message' }).code).toBe('unknown_mapping');
  });

  test('may be none at all', () => {
    expect(found(['email', 'Role', 'role'], { role: '' })).toEqual({ email: 'email' });
    expect(faultOf(['email'], { email: '' }).code).toBe('no_email_column');
  });

  test('settles a tie, and the message says how', () => {
    const tie = ['E-Mail', 'email'];
    expect(faultOf(tie).message).toContain('Choose one with --map email="E-Mail"');
    expect(found(tie, { email: 'E-Mail' })).toEqual({ email: 'E-Mail' });
  });
});

describe('a header that cannot work', () => {
  test('without an email column the fault says what was seen and what is expected', () => {
    const { code, message } = faultOf(['Name', 'Phone']);
    expect(code).toBe('no_email_column');
    expect(message).toContain('The header has “Name”, “Phone”.');
    expect(message).toContain('Name one column “email”');
  });

  test('a file without a header shows its first person instead, shortened', () => {
    const { message } = faultOf(['ann@example.com', 'x'.repeat(500)]);
    expect(message).toContain('“ann@example.com”');
    expect(message).not.toContain('x'.repeat(61));
  });

  test('two equally good columns are told with their places', () => {
    const { code, message } = faultOf(['E-Mail', 'Name', 'email']);
    expect(code).toBe('ambiguous_column');
    expect(message).toContain('column 1 “E-Mail” and column 3 “email”');
  });

  test('two equally good columns for any other field are a fault too', () => {
    expect(faultOf(['email', 'Role', 'role']).code).toBe('ambiguous_column');
  });
});

test.each([
  ['invite_status', true],
  [' Invite_Row ', true],
  ['invited', false],
  ['my invite_status', false],
])('“%s” was added by a report: %s', (header, expected) => {
  expect(isReportColumn(header)).toBe(expected);
});
