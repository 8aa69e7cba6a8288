/**
 * A job's summary for people, and what it means for a script.
 */
import { needsAttention, type Status, statuses } from '../lambdas/core/outcome.ts';
import type { Summary } from '../lambdas/ledger/summary.ts';

export const exitCodes = { allWell: 0, couldNotRun: 1, needsAttention: 2, interrupted: 130 } as const;

const meanings: Readonly<Record<Status, string>> = {
  invited: 'an invitation was created by this job',
  already_invited: 'invited before; nothing sent',
  already_active: 'a user before; nothing sent',
  already_exists: 'in the directory in another state; nothing sent',
  duplicate: 'same email address as an earlier row',
  invalid: 'the row itself is at fault; nothing sent',
  rejected: 'the API refused it',
  failed: 'given up after retries; certainly not invited',
  unknown: 'an attempt was made, its effect could not be found out',
  not_attempted: 'the job ended before this row',
  skipped: 'the row says that this person is not to be invited',
  would_invite: 'dry run: would be invited',
  resent: 'an open invitation was sent again',
};

export function exitCodeOf({ state, counts }: Summary): number {
  if (state === 'failed') return exitCodes.couldNotRun;
  return statuses.some((status) => needsAttention(status) && (counts[status] ?? 0) > 0)
    ? exitCodes.needsAttention
    : exitCodes.allWell;
}

/** Lines of text. */
export function describeSummary({ state, rows, counts, error, files }: Summary): string[] {
  const heading =
    state === 'completed'
      ? `Done: ${rows} ${rows === 1 ? 'row' : 'rows'}.`
      : `The job failed: ${error?.message ?? 'no reason was recorded.'}`;
  const present = statuses.filter((status) => (counts[status] ?? 0) > 0);
  const width = Math.max(0, ...present.map((status) => String(counts[status]).length));
  const lines = present.map(
    (status) => `  ${String(counts[status]).padStart(width)}  ${status.padEnd(15)}  ${meanings[status]}`,
  );
  const retryRows = files.find(({ name }) => name === 'retry.csv')?.rows ?? 0;
  const retry =
    retryRows > 0 ? [`${retryRows} of them are worth another try: run retry.csv when the cause is mended.`] : [];
  return [heading, ...lines, ...retry];
}
