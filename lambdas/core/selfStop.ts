/**
 * Whether the last rows of a job show that all of it is wrong.
 */
import { selfStopLimits } from './limits.ts';

/** Of the last rows that were settled, whether each was rejected; the oldest first. */
export type LastRows = readonly boolean[];

export function withRow(lastRows: LastRows, isRejected: boolean): LastRows {
  return [...lastRows, isRejected].slice(-selfStopLimits.lastRows);
}

export function wrongJobMessage(lastRows: LastRows): string {
  const found = `The API rejected ${rejectedCount(lastRows)} of the last ${lastRows.length} rows, so something may be wrong with all of them.`;
  const next =
    'Look at the rejected rows of the report, mend the cause, and run the whole file again: nobody is invited twice.';
  return `${found} ${next}`;
}

/** Whether it is worth a look at what other workers have settled: too few rows to conclude anything, and most of them rejected. */
export function isSuspicious(lastRows: LastRows): boolean {
  return lastRows.length < selfStopLimits.lastRows && isMostlyRejected(lastRows);
}

export function showsWrongJob(lastRows: LastRows): boolean {
  if (lastRows.length < selfStopLimits.lastRows) return false;
  return isMostlyRejected(lastRows);
}

function isMostlyRejected(lastRows: LastRows): boolean {
  return rejectedCount(lastRows) > lastRows.length * selfStopLimits.rejectedShareMax;
}

function rejectedCount(lastRows: LastRows): number {
  return lastRows.filter(Boolean).length;
}
