/**
 * What `check` found, for people.
 */
import type { Encoding } from '../lambdas/core/encoding.ts';
import type { Outcome } from '../lambdas/core/outcome.ts';
import { plain } from '../lambdas/core/quote.ts';
import type { Newline, Reading } from '../lambdas/core/reading.ts';
import type { CheckResult } from './checkUpload.ts';

const encodings: Readonly<Record<Encoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 (little endian)',
  'utf-16be': 'UTF-16 (big endian)',
  'windows-1252': 'Windows-1252, because it is not valid UTF-8',
};
const delimiterNames: Readonly<Record<Reading['delimiter'], string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'pipe',
};
const newlines: Readonly<Record<Newline, string>> = { '\n': 'LF', '\r\n': 'CRLF', '\r': 'CR' };

const ignoredShown = 12;
const nameShown = 60;
const labels: Readonly<Record<string, string>> = { emailWhereBlank: 'email, where blank', stillThere: 'still there?' };

/** Lines of text. */
export function describeCheck(name: string, result: CheckResult): string[] {
  const { error } = result;
  const lines = [
    name,
    ...section('How it is read', readingLines(result.reading)),
    ...section('Columns', columnLines(result)),
  ];
  if (error !== undefined) return [...lines, '', 'It cannot be used as it is:', `  ${error.message}`];
  return [
    ...lines,
    ...section('To know', [...result.warnings]),
    ...section('The first to be invited, unless they are users already', result.firstInvitees.map(inviteeLine)),
    ...section('Left out or changed', outcomeLines(result.notices)),
    ...section('Problems', outcomeLines(result.problems)),
    '',
    `${verdict(result)}. Nothing was sent.`,
  ];
}

/** Lines of text, where the file is about to be used: what a person should not miss. */
export function describeBriefly(name: string, result: CheckResult): string[] {
  return [`${name}: ${verdict(result)}.`, ...section('Problems', outcomeLines(result.problems))];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function readingLines(reading: Reading | undefined): string[] {
  if (reading === undefined) return [];
  const { encoding, hasByteOrderMark, delimiter, newline, headerRow, firstRow } = reading;
  const mark = hasByteOrderMark ? ' with a byte order mark' : '';
  const header = firstRow > headerRow + 1 ? `rows ${headerRow} to ${firstRow - 1}` : `row ${headerRow}`;
  return [
    `${encodings[encoding]}${mark}, ${delimiterNames[delimiter]} between cells, ${newlines[newline]} at line ends`,
    `The header is ${header}.`,
  ];
}

function columnLines({ columns }: CheckResult): string[] {
  if (columns === undefined) return [];
  const { used, ignored } = columns;
  const entries = Object.entries(used).map(
    ([field, name]) => [labels[field] ?? field, plain(name, nameShown)] as const,
  );
  const width = Math.max('not used'.length, ...entries.map(([field]) => field.length));
  const shown = ignored.slice(0, ignoredShown).map((name) => (name === '' ? '(no name)' : plain(name, nameShown)));
  const more = ignored.length > shown.length ? ` and ${ignored.length - shown.length} more` : '';
  return [
    ...entries.map(([field, name]) => `${field.padEnd(width)}  ${name}`),
    ...(ignored.length === 0 ? [] : [`${'not used'.padEnd(width)}  ${shown.join(', ')}${more}`]),
  ];
}

function inviteeLine({ row, email, ...rest }: CheckResult['firstInvitees'][number]): string {
  const details = Object.entries(rest).map(([field, value]) => `${field} ${plain(value, nameShown)}`);
  return `row ${row}: ${[email, ...details].join(', ')}`;
}

function outcomeLines({
  count,
  first,
}: {
  count: number;
  first: readonly Pick<Outcome, 'row' | 'status' | 'column' | 'message'>[];
}): string[] {
  const lines = first.map(
    ({ row, column, message }) =>
      `row ${row}${column === undefined ? '' : `, ${plain(column, nameShown)}`}: ${message ?? ''}`,
  );
  return count > first.length ? [...lines, `… and ${count - first.length} more`] : lines;
}

function verdict({ rows, invitees, counts, problems }: CheckResult): string {
  const parts = [
    `${rows} ${rows === 1 ? 'row' : 'rows'}`,
    `${invitees} to invite, unless they are users already`,
    ...(counts.duplicate > 0 ? [`${counts.duplicate} duplicate`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
    problems.count === 0 ? 'no problems' : `${problems.count} with problems`,
  ];
  return parts.join(' · ');
}
