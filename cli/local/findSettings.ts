/**
 * What a job of a data folder was started for.
 */
import type { JobRef } from '../place/place.ts';
import { UserError } from '../userError.ts';
import { howToFinish } from './howToFinish.ts';
import { cameByLink, type JobSettings, settingsDifference } from './jobSettings.ts';
import { stageOf } from './jobStage.ts';
import type { LocalStorage } from './localStorage.ts';
import { readRunNote } from './rosterRuns.ts';
import { noteSettings, readSettingsNote } from './settingsNote.ts';
import { describeUpload } from './uploads.ts';

interface Choice {
  /** What a job is worked on with that calls nobody any more, if nothing else is known. */
  readonly chosen: JobSettings;
  /** What a job is worked on with that came by a link and was not worked on before; undefined where the command has no say in it. */
  readonly forLinks: JobSettings | undefined;
  /** What a person adds to a command to mean this data folder. */
  readonly options: string;
}

interface Found {
  readonly settings: JobSettings;
  /** To be called when work begins: from then on, they hold for whoever goes on with the job. */
  keep(): Promise<void>;
}

/**
 * For an upload that came by a link, nothing was said: whoever first works on it says it.
 *
 * @throws UserError where nobody has said it, or something else was chosen.
 */
export async function findSettings(job: JobRef, storage: LocalStorage, choice: Choice): Promise<Found> {
  const { jobId } = job;
  const { store } = storage;
  const { chosen, forLinks, options } = choice;
  const started = await readStarted(job, storage);
  const nothingToKeep = async () => undefined;
  if (started !== undefined) {
    refuseOtherTarget(jobId, started, forLinks);
    return { settings: started, keep: nothingToKeep };
  }
  if ((await stageOf(store, job)) === 'stopped') return { settings: chosen, keep: nothingToKeep };
  if (forLinks === undefined)
    throw new UserError(`Job ${jobId} cannot go on: ${cameByLink}. ${howToFinish(jobId, undefined, options)}`);
  return { settings: forLinks, keep: async () => void (await noteSettings(store, jobId, forLinks)) };
}

async function readStarted({ jobId, uploadKey }: JobRef, storage: LocalStorage): Promise<JobSettings | undefined> {
  const { store, bucket } = storage;
  const info = await store.head(uploadKey);
  const ofUpload = info === undefined ? undefined : describeUpload(bucket, info);
  // By now, another upload may have this name.
  const label = ofUpload?.jobId === jobId ? ofUpload.label : undefined;
  return (await readRunNote(storage, jobId))?.settings ?? label ?? (await readSettingsNote(store, jobId));
}

function refuseOtherTarget(jobId: string, started: JobSettings, { api }: Partial<JobSettings> = {}): void {
  const difference = api === undefined ? undefined : settingsDifference(started, { ...started, api });
  if (difference === undefined) return;
  throw new UserError(`Job ${jobId} cannot be continued like that: ${difference}. Leave out --api-url and --tenant.`);
}
