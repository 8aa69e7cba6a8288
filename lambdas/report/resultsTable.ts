/**
 * The lines of `results.csv`: the upload's own columns as they were, then what became of each row.
 */

import { restore } from '../core/formula.ts';
import type { Outcome } from '../core/outcome.ts';
import { isReportColumn, reportColumns } from '../core/reportColumns.ts';

export interface ResultsTable {
  readonly header: readonly string[];
  /** Cells beyond the header's width come last, so that nothing is lost and the added columns stay in place. */
  line(cells: readonly string[], outcome: Outcome): readonly string[];
}

/** @param header The upload's header; columns that an earlier report added are left out. */
export function resultsTable(header: readonly string[]): ResultsTable {
  // What an earlier report has put in front of formulas is taken off, or it would grow with every round.
  const original = header.some(isReportColumn) ? restore : (cell: string) => cell;
  const kept = header.flatMap((name, index) => (isReportColumn(name) ? [] : [index]));
  return {
    header: [...kept.map((index) => original(header[index] ?? '')), ...reportColumns],
    line: (cells, outcome) => [
      ...kept.map((index) => original(cells[index] ?? '')),
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
