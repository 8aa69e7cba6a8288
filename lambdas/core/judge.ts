/**
 * Judges one row of an upload: it becomes an invitee for a chunk, or is settled at once.
 */
import type { Columns, Field } from './columns.ts';
import { alreadyStatus, type NamedIndex, resolveNamed, type UsersByEmail } from './directory.ts';
import { emailKey, readEmail } from './email.ts';
import type { Invitee } from './invitee.ts';
import { readJobTitle } from './jobTitle.ts';
import type { Outcome } from './outcome.ts';
import { listNames, quote } from './quote.ts';

export interface JudgeContext {
  readonly columns: Columns;
  readonly users: UsersByEmail;
  readonly roles: NamedIndex;
  readonly organizations: NamedIndex;
  /** For rows that name none; ids, already resolved. */
  readonly defaultRoleId?: string;
  readonly defaultOrganizationId?: string;
}

export interface InviteeRow {
  readonly row: number;
  readonly invitee: Invitee;
  /** Something that was left out of the invitation, as a sentence. */
  readonly warning?: string;
}

export type Judgement =
  | { readonly kind: 'invitee'; readonly inviteeRow: InviteeRow }
  | { readonly kind: 'settled'; readonly outcome: Outcome };

/**
 * @param firstRowByEmail For each email key seen so far, the row that had it first. This row is added to it.
 */
export function judgeRow(
  row: number,
  cells: readonly string[],
  context: JudgeContext,
  firstRowByEmail: Map<string, number>,
): Judgement {
  const widthFault = judgeWidth(row, cells, context.columns);
  if (widthFault !== undefined) return settled(widthFault);

  const emailColumn = headerOf('email', context.columns);
  const reading = readEmail(cellOf('email', cells, context.columns));
  if (reading.kind === 'blank')
    return settled(invalid(row, 'email_missing', emailColumn, 'There is no email address in this row.'));
  if (reading.kind === 'refused') {
    const found = quote(cellOf('email', cells, context.columns));
    return settled(invalid(row, 'email_invalid', emailColumn, `${found} is not an email address: ${reading.reason}.`));
  }
  const key = emailKey(reading.email);
  const firstRow = firstRowByEmail.get(key);
  if (firstRow !== undefined) return settled(duplicate(row, firstRow, emailColumn));

  const role = resolve(row, 'role', cells, context.columns, context.roles);
  if (role.kind === 'settled') return role;
  const organization = resolve(row, 'organization', cells, context.columns, context.organizations);
  if (organization.kind === 'settled') return organization;

  firstRowByEmail.set(key, row);
  const user = context.users.get(key);
  if (user !== undefined) return settled(already(row, user));
  const roleId = role.id ?? context.defaultRoleId;
  const organizationId = organization.id ?? context.defaultOrganizationId;
  return inviteeOf(row, reading.email, cells, context.columns, roleId, organizationId);
}

function judgeWidth(row: number, cells: readonly string[], columns: Columns): Outcome | undefined {
  const expected = columns.header.length;
  // Spreadsheets like to write empty cells behind the last column.
  if (cells.length === expected || (cells.length > expected && cells.slice(expected).every(isBlank))) return undefined;
  const code = cells.length < expected ? 'too_few_cells' : 'too_many_cells';
  return {
    row,
    status: 'invalid',
    code,
    message:
      `This row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}, the header has ${expected}. ` +
      'A cell with a comma or a line break in it must stand in double quotes.',
    attempts: 0,
  };
}

function isBlank(cell: string): boolean {
  return cell.trim() === '';
}

function duplicate(row: number, firstRow: number, column: string): Outcome {
  return {
    row,
    status: 'duplicate',
    code: 'duplicate',
    column,
    message: `Same email address as row ${firstRow}.`,
    attempts: 0,
  };
}

function already(row: number, user: { readonly id: string; readonly status: string }): Outcome {
  const status = alreadyStatus(user.status);
  const message = `In the directory before this job, with status ${quote(user.status)}; nothing was sent.`;
  return { row, status, code: status, message, userId: user.id, attempts: 0 };
}

type Resolved =
  | { readonly kind: 'resolved'; readonly id: string | undefined }
  | Extract<Judgement, { kind: 'settled' }>;

function resolve(
  row: number,
  field: 'role' | 'organization',
  cells: readonly string[],
  columns: Columns,
  index: NamedIndex,
): Resolved {
  const text = cellOf(field, cells, columns).trim();
  if (text === '') return { kind: 'resolved', id: undefined };
  const resolution = resolveNamed(text, index);
  const column = headerOf(field, columns);
  switch (resolution.kind) {
    case 'found':
      return { kind: 'resolved', id: resolution.id };
    case 'unknown': {
      const known = index.names.length === 0 ? `There is no ${field} at all.` : `Known: ${listNames(index.names)}.`;
      return settled(invalid(row, `unknown_${field}`, column, `There is no ${field} ${quote(text)}. ${known}`));
    }
    case 'ambiguous': {
      const message = `Several have the name ${quote(text)}; write the id of one instead: ${listNames(resolution.ids)}.`;
      return settled(invalid(row, `ambiguous_${field}`, column, message));
    }
    default:
      return resolution satisfies never;
  }
}

function inviteeOf(
  row: number,
  email: string,
  cells: readonly string[],
  columns: Columns,
  roleId: string | undefined,
  organizationId: string | undefined,
): Judgement {
  const firstName = cellOf('firstName', cells, columns).trim();
  const lastName = cellOf('lastName', cells, columns).trim();
  const title = cellOf('jobTitle', cells, columns).trim();
  const jobTitle = readJobTitle(title);
  const invitee: Invitee = {
    email,
    ...(firstName === '' ? {} : { firstName }),
    ...(lastName === '' ? {} : { lastName }),
    ...(jobTitle === undefined ? {} : { jobTitle }),
    ...(roleId === undefined ? {} : { roleId }),
    ...(organizationId === undefined ? {} : { organizationId }),
  };
  const isLeftOut = title !== '' && jobTitle === undefined;
  const warning = `Job title ${quote(title)} is not one that DoiT knows, so it was left out.`;
  return { kind: 'invitee', inviteeRow: { row, invitee, ...(isLeftOut ? { warning } : {}) } };
}

function invalid(row: number, code: string, column: string, message: string): Outcome {
  return { row, status: 'invalid', code, column, message, attempts: 0 };
}

function settled(outcome: Outcome): Extract<Judgement, { kind: 'settled' }> {
  return { kind: 'settled', outcome };
}

function cellOf(field: Field, cells: readonly string[], columns: Columns): string {
  const index = columns.indexByField[field];
  return index === undefined ? '' : (cells[index] ?? '');
}

function headerOf(field: Field, columns: Columns): string {
  const index = columns.indexByField[field];
  return index === undefined ? field : (columns.header[index] ?? field);
}
