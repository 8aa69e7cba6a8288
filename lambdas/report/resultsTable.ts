/**
 * The lines of `results.csv`: the upload's own columns as they were, then what became of each row.
 */
import { isReportColumn } from '../core/columns.ts';
import type { Outcome } from '../core/outcome.ts';

const columns = [
  'invite_row',
  'invite_status',
  'invite_code',
  'invite_column',
  'invite_message',
  'invite_user_id',
  'invite_http_status',
  'invite_attempts',
] as const;

export interface ResultsTable {
  readonly header: readonly string[];
  /** Cells beyond the header's width come last, so that nothing is lost and the added columns stay in place. */
  line(cells: readonly string[], outcome: Outcome): readonly string[];
}

/** @param header The upload's header; columns that an earlier report added are left out. */
export function resultsTable(header: readonly string[]): ResultsTable {
  const kept = header.flatMap((name, index) => (isReportColumn(name) ? [] : [index]));
  return {
    header: [...kept.map((index) => header[index] ?? ''), ...columns],
    line: (cells, outcome) => [
      ...kept.map((index) => cells[index] ?? ''),
      String(outcome.row),
      outcome.status,
      outcome.code,
      outcome.column ?? '',
      outcome.message ?? '',
      outcome.userId ?? '',
      outcome.httpStatus === undefined ? '' : String(outcome.httpStatus),
      String(outcome.attempts),
      ...cells.slice(header.length),
    ],
  };
}
