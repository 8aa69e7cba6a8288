/**
 * Finds the delimiter of a file from its beginning.
 */
import { RecordReader } from './recordReader.ts';

export const delimiters = [',', ';', '\t', '|'] as const;

export type Delimiter = (typeof delimiters)[number];

export interface Dialect {
  readonly delimiter: Delimiter;
  /** Records before the first that counts: 1 where the first line is `sep=;`, as Excel understands it. */
  readonly skippedRecords: 0 | 1;
}

/** So many records tell a delimiter well enough. */
const recordsLookedAt = 50;

/** @param text The beginning of a file. */
export function findDialect(text: string): Dialect {
  const declared = /^sep=(.)(?:\r\n|\n|\r|$)/u.exec(text)?.[1];
  const known = delimiters.find((delimiter) => delimiter === declared);
  if (known !== undefined) return { delimiter: known, skippedRecords: 1 };
  const ranked = delimiters.map((delimiter) => ({ delimiter, score: score(text, delimiter) }));
  const best = ranked.reduce((first, other) => (other.score > first.score ? other : first));
  return { delimiter: best.delimiter, skippedRecords: 0 };
}

/**
 * Cells in records that have the usual width, where that is more than one: the right delimiter makes many records of one
 * width, a wrong one none or a few of many widths.
 */
function score(text: string, delimiter: Delimiter): number {
  const widths = new RecordReader({ delimiter })
    .push(text.endsWith('\n') || text.endsWith('\r') ? text : `${text}\n`)
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''))
    .slice(0, recordsLookedAt)
    // A line that the wrong delimiter damages speaks against it.
    .map(({ cells, damage }) => (damage === undefined ? cells.length : 0));
  const counts = new Map<number, number>();
  for (const width of widths) if (width > 1) counts.set(width, (counts.get(width) ?? 0) + 1);
  const [usualWidth, count] = [...counts].reduce((first, other) => (other[1] > first[1] ? other : first), [1, 0]);
  return (count / Math.max(1, widths.length)) * (1 + Math.min(usualWidth, 20) / 10_000);
}
