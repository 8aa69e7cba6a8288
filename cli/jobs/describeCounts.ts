/**
 * Numbers of rows by status, for people. A status without rows is left out.
 */
import { meanings, type Status, statuses } from '../../lambdas/core/outcome.ts';

type Counts = Readonly<Partial<Record<Status, number>>>;

export function countsInOneLine(counts: Counts): string {
  return present(counts)
    .map((status) => `${counts[status]} ${status}`)
    .join(', ');
}

/** One line for each status, with its meaning. */
export function countLines(counts: Counts): string[] {
  const shown = present(counts);
  const width = Math.max(0, ...shown.map((status) => String(counts[status]).length));
  return shown.map(
    (status) => `  ${String(counts[status]).padStart(width)}  ${status.padEnd(15)}  ${meanings[status]}`,
  );
}

function present(counts: Counts): Status[] {
  return statuses.filter((status) => (counts[status] ?? 0) > 0);
}
