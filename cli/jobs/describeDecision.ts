/**
 * Decisions about a job, for people.
 */
import { approvableUntilMs } from '../../lambdas/core/hold.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { describeMoment } from '../describeMoment.ts';
import type { SeenStop } from './decision.ts';

/**
 * What to do about a job that is held.
 *
 * @param options What a person adds to a command to mean the same place.
 * @param heldAtMs Unknown while its report is still to come.
 */
export function decideCommands(jobId: JobId | string, options: string, heldAtMs?: number): string[] {
  const until = heldAtMs === undefined ? '' : ` (until ${describeMoment(approvableUntilMs(heldAtMs))})`;
  return [
    `To look at it and let it go on${until}: npx bulk-invite approve ${jobId}${options}`,
    `To end it, so that nobody is invited: npx bulk-invite reject ${jobId}${options}`,
  ];
}

/** For example “on 31 Jan 2026, 08:05:00 CET, by ann on laptop”. */
export function describeWhen({ atMs, by }: Pick<SeenStop, 'atMs' | 'by'>): string {
  const when = atMs === undefined ? '' : `on ${describeMoment(atMs)}`;
  return [when, by === undefined ? '' : `by ${by}`].filter(Boolean).join(', ');
}
