/**
 * A job's summary for people, and what it means for a script.
 */
import { approvableUntilMs } from '../../lambdas/core/hold.ts';
import { needsAttention, type Status, statuses } from '../../lambdas/core/outcome.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { describeMoment } from '../describeMoment.ts';
import { countLines } from './describeCounts.ts';
import { decideCommands } from './describeDecision.ts';
import { driftLines } from './describeDrift.ts';

type Counts = Readonly<Partial<Record<Status, number>>>;

export const exitCodes = { allWell: 0, couldNotRun: 1, needsAttention: 2, interrupted: 130 } as const;

export function exitCodeOf({ state, counts }: Pick<Summary, 'state'> & { readonly counts: Counts }): number {
  switch (state) {
    case 'failed':
      return exitCodes.couldNotRun;
    case 'held':
    case 'cancelled':
      return exitCodes.needsAttention;
    case 'completed':
      return statuses.some((status) => needsAttention(status) && (counts[status] ?? 0) > 0)
        ? exitCodes.needsAttention
        : exitCodes.allWell;
    default:
      return state satisfies never;
  }
}

/**
 * Lines of text.
 *
 * @param options What a person adds to a command to mean the same place.
 * @param nowMs Milliseconds since 1970.
 */
export function describeSummary(summary: Summary, options: string, nowMs: number): string[] {
  const { jobId, state, counts, files, warnings, hold = [], approval, drift } = summary;
  const retryRows = files.find(({ name }) => name === 'retry.csv')?.rows ?? 0;
  const differences = driftLines(drift);
  return [
    headingOf(summary),
    ...hold.map(({ message }) => (state === 'held' ? message : `It was held: ${message}`)),
    ...(approval === undefined ? [] : [`Approved by ${approval.by}, ${describeMoment(Date.parse(approval.at))}.`]),
    ...countLines(counts),
    ...(retryRows > 0 ? [`${retryRows} of them are worth another try: run retry.csv${retryWhen(state)}.`] : []),
    ...(differences.length > 0
      ? [`How the directory differed from the roster (drift.csv); ${whatChanged(counts)}:`]
      : []),
    ...differences.map((line) => `  ${line}`),
    ...warnings.map((warning) => `To know: ${warning}`),
    ...(state === 'held' ? whatToDecide(jobId, options, Date.parse(summary.finishedAt), nowMs) : []),
    ...(summary.dryRun && state === 'completed' ? [forReal(summary)] : []),
  ];
}

function whatToDecide(jobId: string, options: string, heldAtMs: number, nowMs: number): string[] {
  if (nowMs <= approvableUntilMs(heldAtMs)) return decideCommands(jobId, options, heldAtMs);
  return ['Nobody approved it in time, so that it has lapsed. To invite these people, upload the file again.'];
}

function retryWhen(state: Summary['state']): string {
  return state === 'cancelled' ? ' to go on' : ' when the cause is mended';
}

function whatChanged({ resent = 0 }: Counts): string {
  return resent > 0 ? 'of it, only invitations were sent again' : 'none of it was changed';
}

function headingOf({ state, rows, error, dryRun }: Summary): string {
  const allRows = `${rows} ${rows === 1 ? 'row' : 'rows'}`;
  switch (state) {
    case 'completed':
      return dryRun ? `Dry run: ${allRows}. Nobody was invited.` : `Done: ${allRows}.`;
    case 'held':
      return `Held: ${allRows}. Nobody was invited, and nobody will be until somebody approves it.`;
    case 'cancelled':
      return `Ended early: ${error?.message ?? 'no reason was recorded.'}${error?.by === undefined ? '' : ` (${error.by})`}`;
    case 'failed':
      return `The job failed: ${error?.message ?? 'no reason was recorded.'}`;
    default:
      return state satisfies never;
  }
}

function forReal({ roster }: Summary): string {
  return roster === undefined
    ? 'To invite them: the same command without --dry-run; in a bucket, the same file outside of dry-run/.'
    : 'To invite them: the same command without --dry-run.';
}
