/**
 * `bulk-invite watch JOB`: follows a job that was submitted before, and fetches its report.
 */
import { resolve } from 'node:path';
import { deliverReport } from '../jobs/deliverReport.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { findJob } from '../jobs/findJob.ts';
import { followAndDeliver } from '../jobs/followAndDeliver.ts';
import { standingSummary } from '../jobs/followJob.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import { openTerminal } from '../terminal.ts';

export interface WatchOptions extends PlaceOptions {
  /** For a local job that came by a link. */
  readonly settings: JobSettings;
  readonly out?: string;
  readonly json: boolean;
}

/** @param text Which job, as a person names it. @returns The exit code. */
export async function watch(text: string, options: WatchOptions): Promise<number> {
  const terminal = openTerminal();
  if (options.out !== undefined) prepareFolder(resolve(options.out), undefined);
  const { settings } = options;
  return await withPlace(
    options,
    terminal,
    async (place) => {
      const job = await findJob(place, text);
      const summary = await standingSummary(place, job);
      if (summary !== undefined) return await deliverReport(place, job, summary, options, terminal);
      terminal.say(`Job ${job.jobId} for ${job.uploadKey}.`);
      const attendance = await place.attend(job);
      try {
        return await followAndDeliver(place, job, attendance, options, terminal);
      } finally {
        await attendance.close();
      }
    },
    { settingsForLinks: settings },
  );
}
