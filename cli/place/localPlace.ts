/**
 * A data folder of the local host as the place where the command works. Nobody else works on its jobs, so whoever follows
 * one runs the functions.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { systemClock } from '../../lambdas/adapters/systemClock.ts';
import { endJob } from '../jobs/endJob.ts';
import { findJob } from '../jobs/findJob.ts';
import { followLimits, linkLimits } from '../limits.ts';
import { attendLocally, type WorkOptions } from '../local/attendLocally.ts';
import { type DataFolder, takeDataFolder } from '../local/dataFolder.ts';
import { noteDelivered } from '../local/delivered.ts';
import { attendDoor } from '../local/door.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { type LocalStorage, openLocalStorage } from '../local/localStorage.ts';
import { nameOfThisPerson } from '../local/nameOfThisPerson.ts';
import { neighboursOf, refuseOtherSettings, refuseOthers } from '../local/openJobs.ts';
import {
  expectTarget,
  forgetRun,
  type RosterRequest,
  startRun,
  type UnfinishedRun,
  unfinishedRuns,
} from '../local/rosterRuns.ts';
import { forgetSettings } from '../local/settingsNote.ts';
import { startOrContinue } from '../local/startOrContinue.ts';
import { divertOutput, type Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';
import { bucketListing } from './bucketListing.ts';
import { jobOfUpload } from './jobOfUpload.ts';
import { optionsText } from './optionsText.ts';
import type { JobRef, Place, UploadLink } from './place.ts';
import { signUploadLink } from './signUploadLink.ts';

export interface LocalPlaceOptions {
  readonly dataFolder: string;
  /** Whether the folder is made where it does not exist. */
  readonly isMade: boolean;
  /** What new jobs are started with. */
  readonly settings: JobSettings;
  /** What a job is worked on with that came by a link; undefined where the command has no say in it. */
  readonly settingsForLinks?: JobSettings;
  /** Whether unfinished jobs of other files may be worked on together with a new one. */
  readonly welcomesNeighbours: boolean;
  readonly work: WorkOptions;
  readonly isVerbose: boolean;
}

/** What only this machine does when it is asked: a stack runs its rosters by itself. */
export interface LocalPlace extends Place {
  /**
   * Runs of this roster that have not been delivered, the oldest first.
   *
   * @throws UserError where earlier runs had another target, or something else is unfinished and was started with other settings.
   */
  unfinishedRuns(name: string): Promise<UnfinishedRun[]>;
  /** Hands the file to a run of its own, whether it has changed or not. */
  startRun(file: string, request: RosterRequest): Promise<JobRef>;
  /** Once more, in case that it was cut off before it began. */
  continueRun(run: UnfinishedRun): void;
}

export const defaultDataFolder = '.bulk-invite';

/** @throws UserError or DataFolderInUse where the folder cannot be used. */
export async function openLocalPlace(options: LocalPlaceOptions, terminal: Terminal): Promise<LocalPlace> {
  // On a machine with much memory, V8 lets garbage grow to twice what is in use; this process is a guest there.
  setFlagsFromString('--optimize-for-size');
  const folder = takeFolder(resolve(options.dataFolder), options.isMade);
  try {
    divertOutput(join(folder.path, 'bulk-invite.log'), options.isVerbose);
    const storage = await openLocalStorage(folder.path);
    return placeOf(folder, storage, options, terminal);
  } catch (error) {
    folder.release();
    throw error;
  }
}

function placeOf(
  folder: DataFolder,
  storage: LocalStorage,
  options: LocalPlaceOptions,
  terminal: Terminal,
): LocalPlace {
  const { bucket, store, s3 } = storage;
  const isDefault = options.dataFolder === defaultDataFolder;
  const place = {
    dataFolder: folder.path,
    options: optionsText({ local: true, data: isDefault ? undefined : options.dataFolder }),
  };
  const { settings, settingsForLinks: forLinks, work } = options;
  const attendOurDoor = (signal: AbortSignal) =>
    attendDoor(
      folder.path,
      async ({ ending, job, by }) => {
        const found = await findJob(local, job);
        const answer = await endJob(ending, local, found, by);
        if (answer.kind !== 'ending') return answer;
        const deliver = `Whoever follows the job gets its report; else: npx bulk-invite watch ${found.jobId}${place.options}`;
        return { ...answer, sentence: `${answer.sentence} ${deliver}` };
      },
      signal,
    );
  const local: LocalPlace = {
    name: `the data folder ${folder.path}`,
    options: place.options,
    bucket,
    store,
    listing: bucketListing(s3, bucket),
    notedRuns: () => unfinishedRuns(storage),
    lookEveryMs: followLimits.lookEveryLocallyMs,
    showEveryMs: followLimits.showEveryMs,
    submit: (file, { mapping, dryRun }) =>
      startOrContinue({ file, mapping, dryRun, ...settings }, storage, {
        ...place,
        areWelcome: options.welcomesNeighbours,
      }),
    worksByItself: false,
    now: systemClock.now,
    whoAmI: async () => nameOfThisPerson(),
    neighboursOf: (job) => neighboursOf(job.jobId, storage),
    attend: (job) =>
      attendLocally(job, storage, { ...place, chosen: settings, forLinks, work, attendDoor: attendOurDoor }, terminal),
    createLink: (key, expirySeconds) => createLink(storage, key, expirySeconds),
    givenUp: async () => describeGivenUp(storage, join(folder.path, 'bulk-invite.log')),
    noteDelivered: async (jobId) => {
      await noteDelivered(store, jobId);
      await forgetRun(storage, jobId);
      await forgetSettings(storage, jobId);
    },
    unfinishedRuns: async (name) => {
      await refuseOthers(name, storage, place.options);
      await refuseOtherSettings(settings, undefined, storage, place.options);
      await expectTarget(name, settings, storage);
      const runs = await Array.fromAsync(unfinishedRuns(storage));
      return runs.filter(({ message }) => message.roster.name === name);
    },
    startRun: (file, request) => startRun(file, request, settings, storage),
    continueRun: ({ message }) => storage.services.startRoster(message),
    close: async () => {
      await storage.close();
      folder.release();
    },
  };
  return local;
}

function describeGivenUp({ services }: LocalStorage, log: string): string[] {
  const { length: count } = services.deadLetters();
  if (count === 0) return [];
  const messages = count === 1 ? '1 message was' : `${count} messages were`;
  return [
    `${messages} given up. As soon as a job of this folder is followed, that is tried again. The log says why: ${log}`,
  ];
}

function takeFolder(path: string, isMade: boolean): DataFolder {
  if (existsSync(path) && !statSync(path).isDirectory())
    throw new UserError(`${path} is not a folder. Choose another one with --data.`);
  if (!isMade && !existsSync(path))
    throw new UserError(
      `There is no data folder ${path}, so there are no jobs in it. Name the right one with --data, or start a job with npx bulk-invite submit FILE --local.`,
    );
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return takeDataFolder(path);
}

/** The link works as long as this process runs; after the first upload it is of no more use. */
async function createLink(storage: LocalStorage, key: string, expirySeconds: number): Promise<UploadLink> {
  const { services, store, bucket } = storage;
  // Made up for this link: with the credentials of the services, it would open all of them.
  const secret = () => randomBytes(16).toString('hex');
  const credentials = { accessKeyId: secret(), secretAccessKey: secret() };
  const link = await signUploadLink({ credentials }, bucket, key, expirySeconds);
  services.allowUpload(link.url, link.endsAtMs);
  return {
    ...link,
    notes: ['It leads to this machine alone, and works as long as this command runs, for one file.'],
    serve: async (signal) => {
      while (!signal.aborted && Date.now() < link.endsAtMs) {
        const info = await store.head(key);
        if (info !== undefined) return jobOfUpload(bucket, info);
        await wait(linkLimits.lookEveryMs);
      }
      return undefined;
    },
  };
}
