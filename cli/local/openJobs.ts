/**
 * The jobs of a data folder that go on as soon as somebody works there, whichever is followed: the functions take what is in
 * the queues, and have one set of settings for all of it.
 */
import type { JobId } from '../../lambdas/core/jobId.ts';
import { UserError } from '../userError.ts';
import { howToFinish } from './howToFinish.ts';
import { cameByLink, type JobSettings, settingsDifference } from './jobSettings.ts';
import type { LocalStorage } from './localStorage.ts';
import { unfinishedRuns } from './rosterRuns.ts';
import { unfinishedUploads } from './uploads.ts';

export interface OpenJob {
  readonly jobId: JobId;
  /** Absent where the upload came by a link, and nobody has worked on it yet. */
  readonly settings?: JobSettings;
}

export async function* openJobs(storage: LocalStorage): AsyncGenerator<OpenJob> {
  for await (const { upload, stage, settings } of unfinishedUploads(storage))
    if (stage === 'open') yield { jobId: upload.jobId, ...(settings === undefined ? {} : { settings }) };
  for await (const { jobId, stage, settings } of unfinishedRuns(storage))
    if (stage === 'open') yield { jobId, settings };
}

/** The others that would go on, too. */
export async function neighboursOf(jobId: JobId, storage: LocalStorage): Promise<JobId[]> {
  const others: JobId[] = [];
  for await (const other of openJobs(storage)) if (other.jobId !== jobId) others.push(other.jobId);
  return others;
}

/** @throws UserError where something is unfinished that is no run of this roster: it would go on, though nobody asked for it. */
export async function refuseOthers(roster: string, storage: LocalStorage, options: string): Promise<void> {
  const runs = await Array.fromAsync(unfinishedRuns(storage));
  const ours = new Set(runs.filter(({ message }) => message.roster.name === roster).map(({ jobId }) => jobId));
  for await (const { jobId, settings } of openJobs(storage)) {
    if (ours.has(jobId)) continue;
    const unsaid = settings === undefined ? `, and ${cameByLink}` : '';
    throw new UserError(
      `The data folder has an unfinished job, ${jobId}, which is no run of the roster “${roster}” and would go on, too${unsaid}. ` +
        `${howToFinish(jobId, settings, options)}; or choose another data folder with --data.`,
    );
  }
}

/**
 * @param jobId Of the job that is to be worked on; undefined where it is yet to begin.
 * @param options What a person adds to a command to mean the same data folder.
 * @throws UserError where another one was started with other settings, or nobody has said with which, and would go on with these.
 */
export async function refuseOtherSettings(
  settings: JobSettings,
  jobId: JobId | undefined,
  storage: LocalStorage,
  options: string,
): Promise<void> {
  for await (const other of openJobs(storage)) {
    if (other.jobId === jobId) continue;
    const difference = other.settings === undefined ? cameByLink : settingsDifference(other.settings, settings);
    if (difference === undefined) continue;
    throw new UserError(
      `Another job of this data folder is unfinished, ${other.jobId}, and ${difference}. ${howToFinish(other.jobId, other.settings, options)}`,
    );
  }
}
