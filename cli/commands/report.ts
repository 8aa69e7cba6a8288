/**
 * `bulk-invite report JOB`: fetches the report of a job that has ended, or is held.
 */
import { resolve } from 'node:path';
import { parseJobId } from '../../lambdas/core/jobId.ts';
import { type DeliveryOptions, deliverReport } from '../jobs/deliverReport.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { findJob, findReport } from '../jobs/findJob.ts';
import { standingSummary } from '../jobs/followJob.ts';
import { readJobState } from '../jobs/jobState.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import type { Place } from '../place/place.ts';
import { openTerminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

/** @param text Which job, as a person names it. @returns The exit code. */
export async function report(text: string, options: PlaceOptions & DeliveryOptions): Promise<number> {
  const terminal = openTerminal();
  if (options.out !== undefined) prepareFolder(resolve(options.out), undefined);
  return await withPlace(options, terminal, async (place) => {
    // Of a whole id the report is looked for first: that needs no right but to find the stack and to read reports.
    const jobId = parseJobId(text);
    const reported = jobId === undefined ? undefined : await findReport(place, jobId);
    const job = reported ?? (await findJob(place, text));
    const summary = await standingSummary(place, job);
    if (summary === undefined) throw await notReported(place, job);
    return await deliverReport(place, job, summary, options, terminal);
  });
}

async function notReported(place: Place, job: Parameters<typeof readJobState>[1]): Promise<UserError> {
  const { phase, rows, settled = 0 } = await readJobState(place, job);
  const progress = rows === undefined ? '' : `, ${settled} of ${rows} rows settled`;
  return new UserError(
    `Job ${job.jobId} has no report yet (${phase}${progress}). To follow it to its report: npx bulk-invite watch ${job.jobId}${place.options}`,
  );
}
