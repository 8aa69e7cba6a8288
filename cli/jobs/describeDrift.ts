/**
 * How the directory differs from a roster, for people: numbers by kind.
 */
import { driftKinds, driftMeanings } from '../../lambdas/core/drift.ts';

/** One line for each kind that there is. */
export function driftLines(drift: Readonly<Record<string, number>> = {}): string[] {
  const shown = driftKinds.filter((kind) => (drift[kind] ?? 0) > 0);
  const width = Math.max(0, ...shown.map((kind) => String(drift[kind]).length));
  const nameWidth = Math.max(0, ...shown.map((kind) => kind.length));
  return shown.map(
    (kind) => `${String(drift[kind]).padStart(width)}  ${kind.padEnd(nameWidth)}  ${driftMeanings[kind]}`,
  );
}
