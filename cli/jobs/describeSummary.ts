/**
 * A job's summary for people, and what it means for a script.
 */
import { needsAttention, statuses } from '../../lambdas/core/outcome.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { countLines } from './describeCounts.ts';

export const exitCodes = { allWell: 0, couldNotRun: 1, needsAttention: 2, interrupted: 130 } as const;

export function exitCodeOf({ state, counts }: Summary): number {
  if (state === 'failed') return exitCodes.couldNotRun;
  return statuses.some((status) => needsAttention(status) && (counts[status] ?? 0) > 0)
    ? exitCodes.needsAttention
    : exitCodes.allWell;
}

/** Lines of text. */
export function describeSummary({ state, rows, counts, error, files, warnings }: Summary): string[] {
  const heading =
    state === 'completed'
      ? `Done: ${rows} ${rows === 1 ? 'row' : 'rows'}.`
      : `The job failed: ${error?.message ?? 'no reason was recorded.'}`;
  const retryRows = files.find(({ name }) => name === 'retry.csv')?.rows ?? 0;
  const retry =
    retryRows > 0 ? [`${retryRows} of them are worth another try: run retry.csv when the cause is mended.`] : [];
  return [heading, ...countLines(counts), ...retry, ...warnings.map((warning) => `To know: ${warning}`)];
}
