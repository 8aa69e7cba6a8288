/**
 * Works on the jobs of a data folder: the functions run in this process, against the target that the job was started for.
 */
import { join } from 'node:path';
import type { Attendance, JobRef } from '../place/place.ts';
import type { Faults } from '../sandbox/faults.ts';
import type { Terminal } from '../terminal.ts';
import { findSettings } from './findSettings.ts';
import { isAbout } from './isAbout.ts';
import type { JobSettings } from './jobSettings.ts';
import { stageOf } from './jobStage.ts';
import { startHandlers } from './localHost.ts';
import type { LocalStorage } from './localStorage.ts';
import { openJobs, refuseOtherSettings } from './openJobs.ts';
import { startAgain } from './rosterRuns.ts';
import { openSandboxTarget, reachTarget, type Target, targetNotCalled } from './target.ts';

export interface WorkOptions {
  /** Worker invocations at once. */
  readonly workers: number;
  /** Calls at once in each of them. */
  readonly concurrency: number;
  readonly callTimeoutSeconds?: number;
  /** The first delay before a row is tried again, and before an API that is down is. */
  readonly retryDelaySeconds?: number;
  readonly outageDelaySeconds?: number;
  /** How the sandbox misbehaves. */
  readonly faults: Faults;
}

/** As they stand on the command line. */
export interface WorkChoices {
  readonly workers: number;
  readonly concurrency: number;
  readonly callTimeout?: number;
  readonly retryDelay?: number;
  readonly outageDelay?: number;
  /** Percent. */
}

export function workOptions(choices: WorkChoices, faults: Faults): WorkOptions {
  const { workers, concurrency, callTimeout, retryDelay, outageDelay } = choices;
  return {
    workers,
    concurrency,
    faults,
    ...(callTimeout === undefined ? {} : { callTimeoutSeconds: callTimeout }),
    ...(retryDelay === undefined ? {} : { retryDelaySeconds: retryDelay }),
    ...(outageDelay === undefined ? {} : { outageDelaySeconds: outageDelay }),
  };
}

interface Circumstances {
  readonly dataFolder: string;
  /** What a person adds to a command to mean this data folder. */
  readonly options: string;
  /** What the functions are told of a job that is yet to be submitted. */
  readonly chosen: JobSettings;
  /** And of one that came by a link and was not worked on before; undefined where the command has no say in it. */
  readonly forLinks: JobSettings | undefined;
  readonly work: WorkOptions;
  /** Does what other commands ask of the process that works with the data folder, until the signal is aborted. */
  readonly attendDoor: (signal: AbortSignal) => Promise<void>;
}

/** Nobody is really kept waiting by the sandbox, so its failures are tried again sooner. */
const sandboxDelays = { retryDelaySeconds: 0.1, outageDelaySeconds: 1 };

/** @param job Undefined where it is yet to be submitted. */
export async function attendLocally(
  job: JobRef | undefined,
  storage: LocalStorage,
  circumstances: Circumstances,
  terminal: Terminal,
): Promise<Attendance> {
  const { dataFolder, options, work, attendDoor } = circumstances;
  const started = job === undefined ? undefined : await findSettings(job, storage, circumstances);
  const settings = started?.settings ?? circumstances.chosen;
  if (job !== undefined) await refuseOtherSettings(settings, job.jobId, storage, options);
  const { api, role, organization, invitesGone, allowedDomains, newPeopleMax, rejectedPercentMax } = settings;
  const target = await openTarget(job, settings, storage, circumstances, terminal);
  await started?.keep();
  if (job !== undefined) await startAgain(job, storage);
  const { faults: _faults, ...rest } = work;
  const host = await startHandlers(storage, {
    apiUrl: target.url,
    apiKey: target.key,
    ...(target.isSandbox ? sandboxDelays : {}),
    ...rest,
    commandOptions: options,
    invitesGone,
    allowedDomains,
    ...(newPeopleMax === undefined ? {} : { newPeopleMax }),
    ...(rejectedPercentMax === undefined ? {} : { rejectedPercentMax }),
    ...(api?.tenant === undefined ? {} : { tenantId: api.tenant }),
    ...(role === '' ? {} : { role }),
    ...(organization === '' ? {} : { organization }),
  });
  return {
    run: async (followed, signal) => {
      await sayWhoElse(followed, storage, terminal);
      await Promise.all([host.run(signal), attendDoor(signal)]);
    },
    obstacle: (followed) => {
      const letter = host.deadLetters().find((message) => isAbout(message, followed));
      const log = join(dataFolder, 'bulk-invite.log');
      return letter === undefined
        ? undefined
        : `The job cannot go on: a message in the queue “${letter.queue}” was given up. The log says why: ${log}`;
    },
    stopping: 'Stopping: no new call is started, those under way end first …',
    stopped: ({ jobId }) =>
      `Stopped. What was settled is kept; to continue with the rest: npx bulk-invite watch ${jobId}${options}`,
    close: async () => {
      await host.close();
      await target.close();
    },
  };
}

/** A job that was stopped needs nobody to answer: it may have been stopped because nobody does. */
async function openTarget(
  job: JobRef | undefined,
  { api }: JobSettings,
  storage: LocalStorage,
  { dataFolder, work, forLinks }: Circumstances,
  terminal: Terminal,
): Promise<Target> {
  if (job !== undefined && (await stageOf(storage.store, job)) === 'stopped') {
    const { done: isAlone = false } = await openJobs(storage).next();
    if (isAlone) return targetNotCalled();
  }
  if (api === undefined) return await openSandboxTarget(dataFolder, work.faults, terminal);
  return await reachTarget(api, job === undefined || forLinks?.api !== undefined);
}

async function sayWhoElse({ jobId }: JobRef, storage: LocalStorage, terminal: Terminal): Promise<void> {
  const others: string[] = [];
  for await (const other of openJobs(storage)) if (other.jobId !== jobId) others.push(other.jobId);
  if (others.length > 0) terminal.say(`Other unfinished jobs of this data folder go on, too: ${others.join(', ')}.`);
}
