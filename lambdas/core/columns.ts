/**
 * Which column of an upload holds what. Names are matched without regard to case, blanks, dashes and underscores.
 */
import { WholeFileFault } from './fault.ts';
import { listNames } from './quote.ts';

const fields = ['email', 'firstName', 'lastName', 'jobTitle', 'role', 'organization'] as const;

export type Field = (typeof fields)[number];

export interface Columns {
  /** The columns' headers as they stand in the file. */
  readonly header: readonly string[];
  /** For each field that the file has: the index of its column, from 0. */
  readonly indexByField: Readonly<Partial<Record<Field, number>>>;
  /** Indexes of the columns that were not taken for a field. */
  readonly ignored: readonly number[];
}

/** Names of each field; of two that a file has, the earlier one wins. */
const aliases: Readonly<Record<Field, readonly string[]>> = {
  email: ['email', 'emailaddress', 'useremail', 'workemail', 'mail', 'emailid', 'businessemail', 'companyemail'],
  firstName: ['firstname', 'givenname', 'first', 'forename'],
  lastName: ['lastname', 'surname', 'familyname', 'last'],
  jobTitle: ['jobtitle', 'jobfunction', 'title', 'position'],
  role: ['roleid', 'role', 'userrole', 'rolename'],
  organization: [
    'organizationid',
    'organization',
    'organisationid',
    'organisation',
    'organizationname',
    'orgid',
    'org',
  ],
};

/** Columns that our own reports add; in an upload they mean nothing. */
const reportColumn = /^invite_/u;

/**
 * Finds the fields in a header.
 *
 * @throws WholeFileFault `no_email_column`, or `ambiguous_column` where two columns are equally good for one field.
 */
export function readColumns(header: readonly string[]): Columns {
  const names = header.map(columnName);
  const indexByField: Partial<Record<Field, number>> = {};
  for (const field of fields) {
    const index = findColumn(field, names, header);
    if (index !== undefined) indexByField[field] = index;
  }
  if (indexByField.email === undefined) throw noEmailColumn(header);
  const taken = new Set(Object.values(indexByField));
  return { header, indexByField, ignored: header.map((_, index) => index).filter((index) => !taken.has(index)) };
}

/** Whether a column was added by one of our reports. */
export function isReportColumn(header: string): boolean {
  return reportColumn.test(header.trim().toLowerCase());
}

function findColumn(field: Field, names: readonly string[], header: readonly string[]): number | undefined {
  for (const alias of aliases[field]) {
    const found = names.flatMap((name, index) => (name === alias ? [index] : []));
    if (found.length > 1) throw ambiguousColumn(field, found, header);
    if (found[0] !== undefined) return found[0];
  }
  return undefined;
}

function columnName(header: string): string {
  return isReportColumn(header) ? '' : header.toLowerCase().replace(/[\s\u00a0\u200b\ufeff_-]+/gu, '');
}

function noEmailColumn(header: readonly string[]): WholeFileFault {
  return new WholeFileFault(
    'no_email_column',
    `No column with email addresses was found. The header (row 1) has ${listNames(header)}. ` +
      `Name one column ${listNames(aliases.email)} (capitals, blanks, dashes and underscores do not matter) and upload the file again.`,
  );
}

function ambiguousColumn(field: Field, found: readonly number[], header: readonly string[]): WholeFileFault {
  const candidates = found.map((index) => `column ${index + 1} ${listNames([header[index] ?? ''])}`).join(' and ');
  return new WholeFileFault(
    'ambiguous_column',
    `Two columns could both be the ${field}: ${candidates}. Rename or remove all but one and upload the file again.`,
  );
}
