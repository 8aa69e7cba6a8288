/**
 * Which column of an upload holds what.
 */
import {
  emailKeys,
  emailWords,
  exportNames,
  goneNames,
  leavingDateName,
  names,
  neutralWords,
  othersOnly,
  statusNames,
  workWords,
} from './columnNames.ts';
import { WholeFileFault } from './fault.ts';
import { restore } from './formula.ts';
import { allHeaderWords, headerKey } from './headerName.ts';
import { listNames, quote } from './quote.ts';
import { isReportColumn } from './reportColumns.ts';

export const fields = ['email', 'firstName', 'lastName', 'jobTitle', 'role', 'organization'] as const;

export type Field = (typeof fields)[number];

/** Headers that a person has chosen, by field. An empty one means that the file has no column for the field. */
export type Mapping = Readonly<Partial<Record<Field, string>>>;

export interface Columns {
  /** The columns' headers as they stand in the file. */
  readonly header: readonly string[];
  /** For each field that the file has: the index of its column, from 0. */
  readonly indexByField: Readonly<Partial<Record<Field, number>>>;
  /** The column whose cell is read where the email is blank: the user principal name of an Entra export. */
  readonly emailFallbackIndex?: number;
  /** Whether the file is a report of ours, which comes back. */
  readonly isReport: boolean;
  /** Columns that say whether a person is still there. */
  readonly statusIndexes: readonly number[];
  /** Columns in which a yes says that a person is gone. */
  readonly goneIndexes: readonly number[];
  /** Columns with dates of leaving, which are not judged. */
  readonly leavingDateIndexes: readonly number[];
  /** Indexes of the columns that were not taken for anything. */
  readonly ignored: readonly number[];
  /** For people: what was not taken, though it looks like it. */
  readonly warnings: readonly string[];
}

/**
 * Finds the fields in a header.
 *
 * @throws WholeFileFault `no_email_column`, `ambiguous_column` where two columns are equally good for one field, or
 * `unknown_mapping` where a chosen column is not in the header.
 */
export function readColumns(found: readonly string[], mapping: Mapping = {}): Columns {
  const isReport = found.some(isReportColumn);
  const header = isReport ? found.map(restore) : found;
  const { indexByField, warnings } = findFields(header, mapping);
  if (indexByField.email === undefined) throw noEmailColumn(header);
  const taken = new Set(Object.values(indexByField));
  const free = (is: (key: string) => boolean) =>
    indexesOf(header, (name) => is(headerKey(name))).filter((index) => !taken.has(index));
  const [fallback] = mapping.email === undefined ? free((key) => key === 'userprincipalname') : [];
  const statusIndexes = free((key) => statusNames.has(key));
  const goneIndexes = free((key) => goneNames.has(key));
  const used = new Set([...taken, ...statusIndexes, ...goneIndexes, ...(fallback === undefined ? [] : [fallback])]);
  const ignored = header.map((_, index) => index).filter((index) => !used.has(index));
  return {
    header,
    indexByField,
    ...(fallback === undefined ? {} : { emailFallbackIndex: fallback }),
    isReport,
    statusIndexes,
    goneIndexes,
    leavingDateIndexes: free((key) => leavingDateName.test(key)),
    ignored,
    warnings: [...warnings, ...(mapping.email === undefined ? otherEmails(header, ignored) : [])],
  };
}

/** For people: what each column was taken for, and which were not. */
export function describeColumns(columns: Columns): {
  readonly used: Record<string, string>;
  readonly ignored: string[];
} {
  const { header, indexByField, emailFallbackIndex, statusIndexes, goneIndexes, ignored } = columns;
  const nameOf = (index: number) => header[index] ?? '';
  const used = Object.entries(indexByField).map(([field, index]) => [field, nameOf(index)] as const);
  const status = [...statusIndexes, ...goneIndexes].map(nameOf).join(', ');
  return {
    used: {
      ...Object.fromEntries(used),
      ...(emailFallbackIndex === undefined ? {} : { emailWhereBlank: nameOf(emailFallbackIndex) }),
      ...(status === '' ? {} : { stillThere: status }),
    },
    ignored: ignored.map(nameOf),
  };
}

function findFields(header: readonly string[], mapping: Mapping): Pick<Columns, 'indexByField' | 'warnings'> {
  const indexByField: Partial<Record<Field, number>> = {};
  const warnings: string[] = [];
  const isExport = header.some((name) => exportNames.has(headerKey(name)));
  for (const field of fields) {
    const chosen = mapping[field];
    const index = chosen === undefined ? findColumn(field, header) : chosenColumn(field, chosen, header);
    if (index === undefined) continue;
    const name = header[index] ?? '';
    if (chosen === undefined && isExport && isForeign(field, name)) warnings.push(foreign(field, index, header));
    else indexByField[field] = index;
  }
  const shared = fields.find((field) => field !== 'email' && indexByField[field] === indexByField.email);
  if (indexByField.email !== undefined && shared !== undefined)
    throw sharedColumn(shared, header[indexByField.email] ?? '');
  return { indexByField, warnings };
}

/** Whether a header names a column with the people's own addresses. */
export function isEmailHeader(name: string): boolean {
  return emailRank(name) !== undefined;
}

function findColumn(field: Field, header: readonly string[]): number | undefined {
  if (field === 'email') return findEmail(header);
  for (const group of names[field]) {
    const found = indexesOf(header, (name) => group.includes(headerKey(name)));
    if (found.length > 1) throw ambiguousColumn(field, found, header);
    if (found[0] !== undefined) return found[0];
  }
  return undefined;
}

function findEmail(header: readonly string[]): number | undefined {
  const ranks = header.map(emailRank);
  const best = Math.min(...ranks.map((rank) => rank ?? Number.POSITIVE_INFINITY));
  const found = ranks.flatMap((rank, index) => (rank === best ? [index] : []));
  if (found.length > 1) throw ambiguousColumn('email', found, header);
  return Number.isFinite(best) ? found[0] : undefined;
}

/** The lower, the better; undefined where it is not certain that the column holds the person's own address. */
function emailRank(name: string): number | undefined {
  if (isReportColumn(name)) return undefined;
  const found = allHeaderWords(name);
  const key = found.join('');
  if (key === 'userprincipalname') return 5;
  if (emailKeys.has(key)) return /^(?:work|business|company)/u.test(key) ? 1 : 2;
  const isPlain = (word: string) => emailWords.has(word) || neutralWords.has(word) || emailKeys.has(word);
  if (!found.some((word) => emailWords.has(word) || emailKeys.has(word))) return undefined;
  if (!found.every((word) => isPlain(word) || workWords.has(word))) return undefined;
  return found.some((word) => workWords.has(word)) ? 1 : 2;
}

function chosenColumn(field: Field, chosen: string, header: readonly string[]): number | undefined {
  if (chosen === '') return undefined;
  const number = Number(/^#(\d+)$/u.exec(chosen)?.[1]);
  if (number >= 1 && number <= header.length) return number - 1;
  const exact = indexesOf(header, (name) => name === chosen);
  const found = exact.length > 0 ? exact : indexesOf(header, (name) => headerKey(name) === headerKey(chosen));
  if (found.length > 1) throw ambiguousColumn(field, found, header);
  if (found[0] !== undefined) return found[0];
  throw new WholeFileFault(
    'unknown_mapping',
    `The column ${quote(chosen)} that was chosen for ${field} is not in the file. Its header has ${listNames(header)}.`,
  );
}

function isForeign(field: Field, name: string): boolean {
  return (
    (field === 'organization' || field === 'role') &&
    !headerKey(name).endsWith('id') &&
    !headerKey(name).includes('doit')
  );
}

function foreign(field: Field, index: number, header: readonly string[]): string {
  return (
    `The column ${quote(header[index] ?? '')} was not taken for DoiT's ${field}, because the file looks like an export of a directory or an ` +
    `HR system, where it means something else. If it is DoiT's, say so with --map ${field}=${chosenAs(index, header)}.`
  );
}

function indexesOf(header: readonly string[], is: (name: string) => boolean): number[] {
  return header.flatMap((name, index) => (!isReportColumn(name) && is(name) ? [index] : []));
}

function noEmailColumn(header: readonly string[]): WholeFileFault {
  const isPerson = header.some((name) => name.includes('@'));
  const missing = isPerson ? ' It looks like a person: is the header row missing? Put one above it.' : '';
  const candidates = header.filter((name) => /mail|correo|courriel|epost/iu.test(name) && !isReportColumn(name));
  const perhaps =
    candidates.length === 0
      ? ''
      : ` ${listNames(candidates)} may be somebody else's or for another purpose, so it was not taken without being told to.`;
  return new WholeFileFault(
    'no_email_column',
    `No column with the email addresses of the people was found. The header has ${listNames(header)}.${missing}${perhaps} Name one column ` +
      '“email” or “work email” (capitals, blanks, dashes and underscores do not matter), or choose one with --map email="…".',
  );
}

function sharedColumn(field: Field, name: string): WholeFileFault {
  return new WholeFileFault(
    'bad_mapping',
    `The column ${quote(name)} was chosen for both email and ${field}. Choose another one for ${field}.`,
  );
}

/**
 * How to choose a column in a command: by its name; or by its place, where several have the same name or a shell would do
 * something else with it than to hand it on.
 */
function chosenAs(index: number, header: readonly string[]): string {
  const name = header[index] ?? '';
  const isUnique = header.filter((other) => other === name).length === 1;
  return isUnique && !unsafeInShell.test(name) ? `"${name}"` : `"#${index + 1}"`;
}

/** Within double quotes, and in a message at all. */
const unsafeInShell = /["$`\\!%\p{C}\p{Zl}\p{Zp}]/u;

/** The address of work may stand in a column whose name has a word that is not known. */
function otherEmails(header: readonly string[], ignored: readonly number[]): string[] {
  return ignored
    .map((index) => ({ index, name: header[index] ?? '' }))
    .filter(({ name }) => !isReportColumn(name) && allHeaderWords(name).some((word) => emailWords.has(word)))
    .filter(({ name }) => !othersOnly.test(allHeaderWords(name).join('')) && emailRank(name) === undefined)
    .map(
      ({ index, name }) =>
        `The column ${quote(name)} was not taken for the email. If it is the one of work, say so with --map email=${chosenAs(index, header)}.`,
    );
}

function ambiguousColumn(field: Field, found: readonly number[], header: readonly string[]): WholeFileFault {
  const candidates = found.map((index) => `column ${index + 1} ${quote(header[index] ?? '')}`).join(' and ');
  return new WholeFileFault(
    'ambiguous_column',
    `Several columns could be the ${field}: ${candidates}. Choose one with --map ${field}=${chosenAs(found[0] ?? 0, header)}, ` +
      'or rename or remove all but one.',
  );
}
