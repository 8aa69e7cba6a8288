import { describe, expect, test } from 'vitest';
import { type Field, isReportColumn, readColumns } from '../../../lambdas/core/columns.ts';
import { WholeFileFault } from '../../../lambdas/core/fault.ts';

/** The header that each field was found under. */
function found(header: readonly string[]): Partial<Record<Field, string | undefined>> {
  const { indexByField } = readColumns(header);
  return Object.fromEntries(Object.entries(indexByField).map(([field, index]) => [field, header[index]]));
}

function faultOf(header: readonly string[]) {
  try {
    readColumns(header);
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

  test('a usual export of an HR system is understood', () => {
    const header = ['Employee ID', 'First Name', 'Last Name', 'Work Email', 'Job Title', 'Role', 'Organisation'];
    expect(readColumns(header)).toEqual({
      header,
      indexByField: { email: 3, firstName: 1, lastName: 2, jobTitle: 4, role: 5, organization: 6 },
      ignored: [0],
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

  test('of several names for a field the better one wins, wherever it stands, and the other is ignored', () => {
    expect(found(['mail', 'Title', 'email', 'Job Title'])).toEqual({ email: 'email', jobTitle: 'Job Title' });
    expect(readColumns(['mail', 'email']).ignored).toEqual([0]);
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
    expect(readColumns(header)).toMatchObject({ indexByField: { email: 0 }, ignored: [1, 2, 3] });
    expect(faultOf(['invite_email']).code).toBe('no_email_column');
  });

  test('two columns that only resemble an email column are not taken for one', () => {
    expect(faultOf(['Email sent', 'Emails']).code).toBe('no_email_column');
  });
});

describe('a header that cannot work', () => {
  test('without an email column the fault says what was seen and what is expected', () => {
    const { code, message } = faultOf(['Name', 'Phone']);
    expect(code).toBe('no_email_column');
    expect(message).toContain('The header (row 1) has “Name”, “Phone”.');
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
