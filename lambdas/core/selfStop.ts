/**
 * Whether the last rows of a job show that all of it is wrong.
 */
import { selfStopLimits } from './limits.ts';
import { percent, portion } from './share.ts';

/** Of the last rows that were settled, whether each was rejected; the oldest first. */
export type LastRows = readonly boolean[];

export function withRow(lastRows: LastRows, isRejected: boolean): LastRows {
  return [...lastRows, isRejected].slice(-selfStopLimits.lastRows);
}

export function wrongJobMessage(lastRows: LastRows, rejectedShareMax: number): string {
  const expected = `and more than ${percent(rejectedShareMax)} stop a job`;
  const found = `The API rejected ${rejectedCount(lastRows)} of the last ${lastRows.length} rows, ${expected}: something may be wrong with all of them.`;
  const next =
    'Look at the rejected rows of the report, mend the cause, and run the whole file again: nobody is invited twice.';
  return `${found} ${next}`;
}

/** Whether it is worth a look at what other workers have settled: too few rows to conclude anything, and most of them rejected. */
export function isSuspicious(lastRows: LastRows, rejectedShareMax: number): boolean {
  return lastRows.length < selfStopLimits.lastRows && isMostlyRejected(lastRows, rejectedShareMax);
}

/** @param rejectedShareMax More than this share of them, from 0 to 1, shows it; with 1, nothing does. */
export function showsWrongJob(lastRows: LastRows, rejectedShareMax: number): boolean {
  if (lastRows.length < selfStopLimits.lastRows) return false;
  return isMostlyRejected(lastRows, rejectedShareMax);
}

function isMostlyRejected(lastRows: LastRows, rejectedShareMax: number): boolean {
  return rejectedCount(lastRows) > portion(lastRows.length, rejectedShareMax);
}

function rejectedCount(lastRows: LastRows): number {
  return lastRows.filter(Boolean).length;
}
