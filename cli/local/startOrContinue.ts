/**
 * Whether the same file is a new job. While its job is unfinished, the same command continues it; once the report is
 * delivered, the same command is a new job. An unfinished job of anything else is neither continued nor dropped without being
 * asked.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { reportKey } from '../../lambdas/core/keys.ts';
import type { Submitted } from '../place/place.ts';
import { uploadKeyOf } from '../uploadKeyOf.ts';
import { UserError } from '../userError.ts';
import type { LocalStorage } from './localStorage.ts';
import {
  checksumOf,
  differenceOf,
  type Request,
  settingsDifference,
  type Unfinished,
  unfinishedUploads,
  uploadFile,
} from './uploads.ts';

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
  // A whole report of something else stands in nobody's way.
  const others = unfinished.filter((other) => !same.includes(other) && !other.isReported);
  for (const { upload } of others) {
    const difference = neighbours.areWelcome
      ? conflictOf(upload, request, sha256)
      : differenceOf(upload, request, sha256);
    if (difference !== undefined) throw refusal(upload, difference, neighbours);
  }
  const found = same.find(({ isReported }) => !isReported) ?? same.at(-1);
  return found === undefined ? await startAnew(request, sha256, storage) : continueIt(found, request, storage);
}

/** The functions work on all of them with the same settings, and one key holds one upload. */
function conflictOf(upload: Unfinished['upload'], request: Request, sha256: string): string | undefined {
  if (upload.uploadKey === uploadKeyOf(request.file)) return differenceOf(upload, request, sha256);
  return upload.label === undefined ? undefined : settingsDifference(upload.label, request);
}

function refusal({ jobId }: Unfinished['upload'], difference: string, { dataFolder, options }: Neighbours): UserError {
  return new UserError(
    `The data folder ${dataFolder} has an unfinished job, ${jobId}, and ${difference}. ` +
      `To finish it, run the command that started it again, or npx bulk-invite watch ${jobId}${options}. ` +
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
  return { ...upload, isNew: true, sentence: `New job ${upload.jobId} for ${request.file}.` };
}

function continueIt({ upload, isReported }: Unfinished, { file }: Request, { services }: LocalStorage): Submitted {
  const { jobId, uploadKey, etag } = upload;
  // In case that the earlier run ended between the upload and its event.
  if (!isReported) services.announce(uploadKey, etag);
  const sentence = isReported
    ? `Delivering the report of job ${jobId} for ${file}, which an earlier run could not deliver.`
    : `Continuing job ${jobId} for ${file}, which an earlier run has not finished. ` +
      'What that run was cut off from is taken over within a minute.';
  return { jobId, uploadKey, isNew: false, sentence };
}
