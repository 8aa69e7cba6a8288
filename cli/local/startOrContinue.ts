/**
 * Whether the same file is a new job. While its job is unfinished, the same command continues it; once the report is
 * delivered, the same command is a new job. An unfinished job of anything else is neither continued nor dropped without being
 * asked. A job that is held is in nobody's way, but for the name of its upload.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { reportKey } from '../../lambdas/core/keys.ts';
import type { JobRef, Submitted } from '../place/place.ts';
import { uploadKeyOf } from '../uploadKeyOf.ts';
import { UserError } from '../userError.ts';
import { howToFinish } from './howToFinish.ts';
import { cameByLink, type JobSettings, settingsDifference } from './jobSettings.ts';
import type { UnfinishedStage } from './jobStage.ts';
import type { LocalStorage } from './localStorage.ts';
import { unfinishedRuns } from './rosterRuns.ts';
import { checksumOf, differenceOf, type Request, type Unfinished, unfinishedUploads, uploadFile } from './uploads.ts';

export interface Neighbours {
  /** Whether jobs of other files may be worked on together with this one, where they were started with the same settings. */
  readonly areWelcome: boolean;
  readonly dataFolder: string;
  /** What a person adds to a command to mean this data folder. */
  readonly options: string;
}

export async function startOrContinue(
  request: Request,
  storage: LocalStorage,
  neighbours: Neighbours,
): Promise<Submitted> {
  const sha256 = await checksumOf(request.file);
  const unfinished = await Array.fromAsync(unfinishedUploads(storage));
  const same = unfinished.filter(({ upload }) => differenceOf(upload, request, sha256) === undefined);
  for (const other of unfinished.filter((candidate) => !same.includes(candidate)))
    expectOutOfTheWay(other, request, sha256, neighbours);
  for await (const run of unfinishedRuns(storage)) {
    const own = `it is a run of the roster “${run.message.roster.name}”`;
    const difference = neighbours.areWelcome ? settingsDifference(run.settings, request) : own;
    if (run.stage === 'open' && difference !== undefined) throw refusal(run, run.settings, difference, neighbours);
  }
  const found = same.find(({ stage }) => stage !== 'reported') ?? same.at(-1);
  return found === undefined ? await startAnew(request, sha256, storage) : continueIt(found, request, storage);
}

function expectOutOfTheWay(
  { upload, stage, settings }: Unfinished,
  request: Request,
  sha256: string,
  neighbours: Neighbours,
): void {
  // A whole report of something else stands in nobody's way.
  if (stage === 'reported') return;
  if (stage !== 'open') {
    if (upload.uploadKey === uploadKeyOf(request.file, request.dryRun))
      throw nameIsTaken(upload, differenceOf(upload, request, sha256) ?? '', stage, neighbours);
    return;
  }
  const difference = neighbours.areWelcome
    ? conflictOf(upload, settings, request, sha256)
    : differenceOf(upload, request, sha256);
  if (difference === undefined) return;
  throw refusal(upload, settings, settings === undefined ? cameByLink : difference, neighbours);
}

/** Its report needs the upload, and its approval what the upload was started with. */
function nameIsTaken(
  { jobId, uploadKey }: Unfinished['upload'],
  difference: string,
  stage: 'held' | 'stopped',
  { dataFolder, options }: Neighbours,
): UserError {
  const found =
    stage === 'held'
      ? `a job of that file name that is held, ${jobId}`
      : `a job of that file name whose report is still to be written, ${jobId}`;
  const next =
    stage === 'held'
      ? `Decide about it first: npx bulk-invite approve ${jobId}${options}, or npx bulk-invite reject ${jobId}${options}`
      : `Let it come to its end first: npx bulk-invite watch ${jobId}${options}`;
  return new UserError(
    `The data folder ${dataFolder} has ${found}, and ${difference}. A new upload would take the place of its file, ${uploadKey}. ${next}`,
  );
}

/** The functions work on all of them with the same settings, and one key holds one upload. */
function conflictOf(
  upload: Unfinished['upload'],
  settings: Unfinished['settings'],
  request: Request,
  sha256: string,
): string | undefined {
  if (upload.uploadKey === uploadKeyOf(request.file, request.dryRun)) return differenceOf(upload, request, sha256);
  return settings === undefined ? cameByLink : settingsDifference(settings, request);
}

function refusal(
  { jobId }: JobRef,
  settings: JobSettings | undefined,
  difference: string,
  { dataFolder, options }: Neighbours,
): UserError {
  return new UserError(
    `The data folder ${dataFolder} has an unfinished job, ${jobId}, and ${difference}. ${howToFinish(jobId, settings, options)}. ` +
      'To leave it as it is and start afresh, choose another data folder with --data.',
  );
}

async function startAnew(request: Request, sha256: string, storage: LocalStorage): Promise<Submitted> {
  const first = await uploadFile(storage, request, sha256);
  const summaryKey = reportKey(first.uploadKey, first.jobId, 'summary.json');
  // Times of objects are whole seconds: within one, the same file again would be the same job.
  const isReported = (await storage.store.head(summaryKey)) !== undefined;
  if (isReported) await wait(1000);
  const upload = isReported ? await uploadFile(storage, request, sha256) : first;
  const dryRun = request.dryRun ? ' This is a dry run: nobody is invited.' : '';
  return { ...upload, isNew: true, sentence: `New job ${upload.jobId} for ${request.file}.${dryRun}` };
}

function continueIt({ upload, stage }: Unfinished, { file }: Request, { services }: LocalStorage): Submitted {
  const { jobId, uploadKey, etag } = upload;
  // In case that the earlier run ended between the upload and its event.
  if (stage === 'open' || stage === 'stopped') services.announce(uploadKey, etag);
  return { jobId, uploadKey, isNew: false, isHeld: stage === 'held', sentence: continuing[stage](jobId, file) };
}

const continuing: Readonly<Record<UnfinishedStage, (jobId: string, file: string) => string>> = {
  open: (jobId, file) =>
    `Continuing job ${jobId} for ${file}, which an earlier run has not finished. ` +
    'What that run was cut off from is taken over within a minute.',
  held: (jobId, file) => `Job ${jobId} for ${file} is held already; nothing was uploaded again.`,
  stopped: (jobId, file) =>
    `Job ${jobId} for ${file} was ended, and only its report is still to be written. After that, the same command is a new job.`,
  reported: (jobId, file) =>
    `Delivering the report of job ${jobId} for ${file}, which an earlier run could not deliver.`,
};
