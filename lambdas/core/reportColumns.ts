/**
 * The columns that our own reports add. In an upload they say that it is a report that comes back.
 */
import type { Damage } from './recordReader.ts';

export const reportColumns = [
  'invite_row',
  'invite_status',
  'invite_code',
  'invite_column',
  'invite_message',
  'invite_user_id',
  'invite_http_status',
  'invite_attempts',
] as const;

const known: ReadonlySet<string> = new Set(reportColumns);

export function isReportColumn(header: string): boolean {
  return known.has(header.trim().toLowerCase());
}

/** Codes of rows whose cells a report shows, but not in the columns where they belong. */
export type MisplacedCode = Damage | 'too_few_cells' | 'too_many_cells';

const misplaced: ReadonlySet<string> = new Set<MisplacedCode>([
  'unclosed_quote',
  'stray_quote',
  'line_too_long',
  'too_few_cells',
  'too_many_cells',
]);

export function isMisplaced(code: string): boolean {
  return misplaced.has(code.trim());
}
