/**
 * Cells that a spreadsheet would run as a formula, made harmless for people who open a report, and undone when the report
 * is uploaded again.
 */

/**
 * `=`, `+`, `-`, `@`, also in full width, at the beginning or behind blanks, quotes and what cannot be seen; a tab or a
 * carriage return first.
 */
const runs = /^(?:[\s"'\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20]|["']*[\t\r])/u;

const guard = "'";

export function neutralize(cell: string): string {
  return runs.test(cell) ? guard + cell : cell;
}

/** Undoes `neutralize`, and changes nothing else. */
export function restore(cell: string): string {
  return cell.startsWith(guard) && runs.test(cell.slice(1)) ? cell.slice(1) : cell;
}
