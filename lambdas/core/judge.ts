/**
 * Judges one row of an upload: it becomes an invitee for a chunk, or is settled at once.
 */
import type { Columns, Field } from './columns.ts';
import { alreadyStatus, type NamedIndex, resolveNamed, type UsersByEmail } from './directory.ts';
import { suggestDomain } from './domainTypos.ts';
import { domainKey, emailKey, readEmail } from './email.ts';
import { readEmployment, saysYes } from './employment.ts';
import { FirstRows } from './firstRows.ts';
import { restore } from './formula.ts';
import { isGarbled } from './garbled.ts';
import type { Invitee } from './invitee.ts';
import { readJobTitle } from './jobTitle.ts';
import { uploadLimits } from './limits.ts';
import { nearestNames } from './nearest.ts';
import type { Outcome } from './outcome.ts';
import { listNames, quote } from './quote.ts';
import type { Damage, TextRecord } from './recordReader.ts';
import { rememberLast } from './rememberLast.ts';
import { isMisplaced } from './reportColumns.ts';

export interface JudgeContext {
  readonly columns: Columns;
  readonly users: UsersByEmail;
  /** Absent where nothing is known of them, as without an account: then any is taken as it stands. */
  readonly roles?: NamedIndex;
  readonly organizations?: NamedIndex;
  /** For rows that name none; ids, already resolved. */
  readonly defaultRoleId?: string;
  readonly defaultOrganizationId?: string;
  /** Rows of people who have left or are disabled are invited all the same. */
  readonly invitesGone: boolean;
  /** In lower case; where there are some, addresses of other domains are invalid. */
  readonly allowedDomains: ReadonlySet<string>;
  /** The file is not UTF-8 and does not say what it is: an address in it with other than plain letters is not to be trusted. */
  readonly isEncodingGuessed: boolean;
}

export interface InviteeRow {
  readonly row: number;
  readonly invitee: Invitee;
  /** Something that was left out of the invitation, as a sentence. */
  readonly warning?: string;
  /** Id of a user who is invited already: the invitation is sent again. */
  readonly resendTo?: string;
}

export type Judgement =
  | { readonly kind: 'invitee'; readonly inviteeRow: InviteeRow }
  | { readonly kind: 'settled'; readonly outcome: Outcome };

/** What is remembered from row to row. */
export interface JudgeMemory {
  readonly firstRows: FirstRows;
  /** Words for a person's status that are in no list; bounded, for one warning. */
  readonly unknownStatuses: Set<string>;
  /** Rows with a date of leaving and no word on whether the person is still there. */
  datesWithoutStatus: number;
}

const suggestionFor = rememberLast(suggestDomain);
const employmentOf = rememberLast(readEmployment);
const jobTitleOf = rememberLast(readJobTitle);

const unknownStatusesMax = 20;

export function newMemory(): JudgeMemory {
  return { firstRows: new FirstRows(), unknownStatuses: new Set(), datesWithoutStatus: 0 };
}

/** For people, once for the whole file. */
export function warningsOf({ unknownStatuses, datesWithoutStatus }: JudgeMemory): string[] {
  const words = `Taken for active, because nothing is known of these words for a person's status: ${listNames([...unknownStatuses])}.`;
  const dates = `${datesWithoutStatus} ${datesWithoutStatus === 1 ? 'row has' : 'rows have'} a date of leaving and no status. Dates are not judged, so these people are taken for active.`;
  return [...(unknownStatuses.size > 0 ? [words] : []), ...(datesWithoutStatus > 0 ? [dates] : [])];
}

export function judgeRow(record: TextRecord, context: JudgeContext, memory: JudgeMemory): Judgement {
  const { row } = record;
  const { columns } = context;
  if (record.damage !== undefined) return settled(invalid(row, record.damage, undefined, damages[record.damage]));
  const widthFault = judgeWidth(record, columns) ?? judgeReportRow(record, columns);
  if (widthFault !== undefined) return settled(widthFault);
  const cells = restored(record.cells, columns);
  const gone = judgeEmployment(row, cells, context, memory);
  if (gone !== undefined) return settled(gone);

  const address = judgeEmail(row, cells, context);
  if (typeof address !== 'string') return settled(address);
  const key = emailKey(address);
  const role = resolve(row, 'role', cells, columns, context.roles);
  if (role.kind === 'settled') return role;
  const organization = resolve(row, 'organization', cells, columns, context.organizations);
  if (organization.kind === 'settled') return organization;

  // Only a row that is all right counts as the first one.
  const firstRow = memory.firstRows.firstRowOf(key, row);
  if (firstRow !== undefined) return settled(duplicate(row, firstRow, headerOf('email', columns)));
  const user = context.users.get(key);
  if (user !== undefined) return settled(already(row, user));
  const roleId = role.id ?? context.defaultRoleId;
  const organizationId = organization.id ?? context.defaultOrganizationId;
  return inviteeOf(row, address, cells, columns, roleId, organizationId);
}

/** What looks like an address within other text. */
const addressInText = /[^\s<>"',;|()[\]]+@[^\s<>"',;|()[\]]+/gu;

/**
 * The addresses of those whom a row may be about, whatever is wrong with it: the one in its column, or else all that stand
 * anywhere in it.
 */
export function peopleIn(record: TextRecord, { columns }: JudgeContext): readonly string[] {
  const { cells, raw, damage } = record;
  const isWhole = damage === undefined && judgeWidth(record, columns) === undefined;
  const reading = isWhole ? readEmail(emailCell(restored(cells, columns), columns)) : undefined;
  if (reading?.kind === 'email') return [reading.email];
  return raw.match(addressInText)?.slice(0, uploadLimits.namesListedMax) ?? [];
}

/** The role and the organization that a row itself names, by their ids, as far as they are known. */
export function accessIn(
  cells: readonly string[],
  { columns, roles, organizations }: JudgeContext,
): Pick<Invitee, 'roleId' | 'organizationId'> {
  const own = restored(cells, columns);
  const role = resolve(0, 'role', own, columns, roles);
  const organization = resolve(0, 'organization', own, columns, organizations);
  return {
    ...(role.kind === 'resolved' && role.id !== undefined ? { roleId: role.id } : {}),
    ...(organization.kind === 'resolved' && organization.id !== undefined ? { organizationId: organization.id } : {}),
  };
}

const damages: Readonly<Record<Damage, string>> = {
  unclosed_quote:
    'A double quote opens a cell in this line and is never closed. Close it, or write a quote inside a cell as two.',
  stray_quote: 'A double quote closes a cell in this line in front of other text. Write a quote inside a cell as two.',
  line_too_long: 'This line is far too long for one person; its line break or a quote is probably missing.',
};

/** What a report did to cells is undone where the upload is a report; nobody else puts an apostrophe there. */
function restored(cells: readonly string[], columns: Columns): readonly string[] {
  return columns.isReport ? cells.map(restore) : cells;
}

function judgeWidth({ row, cells }: TextRecord, columns: Columns): Outcome | undefined {
  const expected = columns.header.length;
  // Spreadsheets like to write empty cells behind the last column.
  if (cells.length === expected || (cells.length > expected && cells.slice(expected).every(isBlank))) return undefined;
  const code = cells.length < expected ? 'too_few_cells' : 'too_many_cells';
  const found = `This row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}, the header has ${expected}.`;
  const next = 'A cell with a delimiter or a line break in it must stand in double quotes.';
  return invalid(row, code, undefined, `${found} ${next}`);
}

/** A report shows the cells of a damaged row, but not where they belong: read again, they would pass for sound ones. */
function judgeReportRow({ row, cells }: TextRecord, { isReport, header }: Columns): Outcome | undefined {
  if (!isReport) return undefined;
  const code = (cells[header.findIndex((name) => name.trim().toLowerCase() === 'invite_code')] ?? '').trim();
  if (!isMisplaced(code)) return undefined;
  return invalid(row, code, undefined, 'This row was damaged in the file that the report is about. Mend it there.');
}

function judgeEmployment(
  row: number,
  cells: readonly string[],
  context: JudgeContext,
  memory: JudgeMemory,
): Outcome | undefined {
  if (context.invitesGone) return undefined;
  const { statusIndexes, goneIndexes, leavingDateIndexes, header } = context.columns;
  for (const index of statusIndexes) {
    const cell = (cells[index] ?? '').trim();
    const employment = employmentOf(cell);
    if (employment === 'gone') return skipped(row, header[index] ?? '', cell);
    if (employment === 'not_known' && memory.unknownStatuses.size < unknownStatusesMax)
      memory.unknownStatuses.add(cell);
  }
  const yes = goneIndexes.find((index) => saysYes(cells[index] ?? ''));
  if (yes !== undefined) return skipped(row, header[yes] ?? '', cells[yes] ?? '');
  const saysNothing = statusIndexes.every((index) => isBlank(cells[index] ?? ''));
  if (saysNothing && leavingDateIndexes.some((index) => !isBlank(cells[index] ?? ''))) memory.datesWithoutStatus += 1;
  return undefined;
}

function skipped(row: number, column: string, cell: string): Outcome {
  const message = `${quote(column)} says ${quote(cell)}, so this person is not invited.`;
  return { row, status: 'skipped', code: 'no_longer_active', column, message, attempts: 0 };
}

/** Gives the address, or why there is none. */
function judgeEmail(row: number, cells: readonly string[], context: JudgeContext): string | Outcome {
  const { columns, allowedDomains } = context;
  const column = headerOf('email', columns);
  const cell = emailCell(cells, columns);
  const reading = readEmail(cell);
  if (guestName.test(cell)) {
    return invalid(row, 'guest_name', column, `${quote(cell)} is the name of a guest's account, not an email address.`);
  }
  if (reading.kind === 'blank') return invalid(row, 'email_missing', column, 'There is no email address in this row.');
  if (reading.kind === 'refused') {
    return invalid(row, 'email_invalid', column, `${quote(cell)} is not an email address: ${reading.reason}.`);
  }
  if (isGarbled(cell.trim()) || (context.isEncodingGuessed && !isAscii.test(reading.email))) {
    return invalid(
      row,
      'email_garbled',
      column,
      `${quote(cell)} came garbled: the encoding of the file was lost on the way.`,
    );
  }
  const domain = reading.email.slice(reading.email.lastIndexOf('@') + 1);
  if (allowedDomains.has(domainKey(domain))) return reading.email;
  const suggestion = suggestionFor(domain);
  if (suggestion !== undefined) {
    const message = `${quote(domain)} looks like a typing mistake. Is ${quote(suggestion)} meant? If it is right as it stands, name it with --allow-domain, and with it every other domain of the file.`;
    return invalid(row, 'domain_typo', column, message);
  }
  if (allowedDomains.size === 0) return reading.email;
  const message = `Addresses of ${quote(domain)} are not allowed in this job, only those of ${listNames([...allowedDomains])}.`;
  return invalid(row, 'domain_not_allowed', column, message);
}

const guestName = /#ext#/iu;
const isAscii = /^\p{ASCII}*$/u;

/** A guest's user principal name, with #EXT# in it, is no address. */
function emailCell(cells: readonly string[], columns: Columns): string {
  const cell = cellOf('email', cells, columns);
  const fallback = columns.emailFallbackIndex === undefined ? '' : (cells[columns.emailFallbackIndex] ?? '');
  return readEmail(cell).kind === 'blank' && !guestName.test(fallback) ? fallback : cell;
}

function isBlank(cell: string): boolean {
  return cell.trim() === '';
}

function duplicate(row: number, firstRow: number, column: string): Outcome {
  const message = `Same email address as row ${firstRow}.`;
  return { row, status: 'duplicate', code: 'duplicate', column, message, attempts: 0 };
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
  index: NamedIndex | undefined,
): Resolved {
  const text = cellOf(field, cells, columns).trim();
  if (text === '' || index === undefined) return { kind: 'resolved', id: text === '' ? undefined : text };
  const resolution = resolveNamed(text, index);
  const column = headerOf(field, columns);
  switch (resolution.kind) {
    case 'found':
      return { kind: 'resolved', id: resolution.id };
    case 'unknown':
      return settled(invalid(row, `unknown_${field}`, column, unknownName(field, text, index.names)));
    case 'ambiguous': {
      const message = `Several have the name ${quote(text)}; write the id of one instead: ${listNames(resolution.ids)}.`;
      return settled(invalid(row, `ambiguous_${field}`, column, message));
    }
    default:
      return resolution satisfies never;
  }
}

function unknownName(field: string, text: string, names: readonly string[]): string {
  const nearest = nearestNames(text, names);
  const found = `There is no ${field} ${quote(text)}.`;
  if (nearest.length > 0) return `${found} Nearest: ${listNames(nearest)}.`;
  return names.length === 0 ? `${found} There is none at all.` : `${found} Known: ${listNames(names)}.`;
}

function inviteeOf(
  row: number,
  email: string,
  cells: readonly string[],
  columns: Columns,
  roleId: string | undefined,
  organizationId: string | undefined,
): Judgement {
  const names = { firstName: cellOf('firstName', cells, columns), lastName: cellOf('lastName', cells, columns) };
  const firstName = names.firstName.trim();
  const lastName = names.lastName.trim();
  const title = cellOf('jobTitle', cells, columns).trim();
  const jobTitle = jobTitleOf(title);
  const invitee: Invitee = {
    email,
    ...(isSendable(names.firstName) ? { firstName } : {}),
    ...(isSendable(names.lastName) ? { lastName } : {}),
    ...(jobTitle === undefined ? {} : { jobTitle }),
    ...(roleId === undefined ? {} : { roleId }),
    ...(organizationId === undefined ? {} : { organizationId }),
  };
  const warnings = [
    ...Object.values(names).filter(isGarbled).map(leftOut),
    ...(title !== '' && jobTitle === undefined ? [titleLeftOut(title)] : []),
  ];
  const warning = warnings.length === 0 ? {} : { warning: warnings.join(' ') };
  return { kind: 'invitee', inviteeRow: { row, invitee, ...warning } };
}

function isSendable(name: string): boolean {
  return name.trim() !== '' && !isGarbled(name);
}

const titleLeftOut = rememberLast(
  (title) => `Job title ${quote(title)} is not one that DoiT knows, so it was left out.`,
);

function leftOut(name: string): string {
  return `The name ${quote(name.trim())} came garbled, so it was left out.`;
}

function invalid(row: number, code: string, column: string | undefined, message: string): Outcome {
  return { row, status: 'invalid', code, ...(column === undefined ? {} : { column }), message, attempts: 0 };
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
