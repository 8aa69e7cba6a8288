/**
 * A moment as it stands in ids and keys. It sorts by time.
 */

/** Gives for example `20260131T070500Z`: UTC, whole seconds, rounded down. */
export function compactTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d+/gu, '');
}
