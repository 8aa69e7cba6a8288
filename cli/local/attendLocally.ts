/**
 * Works on the jobs of a data folder: the functions run in this process, against the target that the job was started for.
 */
import { join } from 'node:path';
import type { Attendance, JobRef } from '../place/place.ts';
import type { Faults } from '../sandbox/faults.ts';
import type { Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';
import { isAbout } from './isAbout.ts';
import { startHandlers } from './localHost.ts';
import type { LocalStorage } from './localStorage.ts';
import { openSandboxTarget, reachTarget } from './target.ts';
import { describeUpload, type JobSettings, settingsDifference, unfinishedUploads } from './uploads.ts';

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

interface Circumstances {
  readonly dataFolder: string;
  /** What a person adds to a command to mean this data folder. */
  readonly options: string;
  /** What the functions are told, unless the job was started with other settings. */
  readonly settings: JobSettings;
  readonly work: WorkOptions;
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
  const { dataFolder, options, work } = circumstances;
  const settings = job === undefined ? circumstances.settings : await settingsOf(job, storage, circumstances.settings);
  const { api, role, organization, invitesGone, allowedDomains } = settings;
  const target =
    api === undefined ? await openSandboxTarget(dataFolder, work.faults, terminal) : await reachTarget(api);
  const { faults: _faults, ...rest } = work;
  const host = await startHandlers(storage, {
    apiUrl: target.url,
    apiKey: target.key,
    ...(target.isSandbox ? sandboxDelays : {}),
    ...rest,
    invitesGone,
    allowedDomains,
    ...(api?.tenant === undefined ? {} : { tenantId: api.tenant }),
    ...(role === '' ? {} : { role }),
    ...(organization === '' ? {} : { organization }),
  });
  return {
    run: async (followed, signal) => {
      await sayWhoElse(followed, storage, terminal);
      await host.run(signal);
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

/** What the job was started for; for an upload that came by a link, nothing was said, and the options decide. */
async function settingsOf(
  { jobId, uploadKey }: JobRef,
  { bucket, store }: LocalStorage,
  settings: JobSettings,
): Promise<JobSettings> {
  const info = await store.head(uploadKey);
  const label = info === undefined ? undefined : describeUpload(bucket, info).label;
  if (label === undefined) return settings;
  const difference =
    settings.api === undefined ? undefined : settingsDifference(label, { ...label, api: settings.api });
  if (difference === undefined) return label;
  throw new UserError(`Job ${jobId} cannot be continued like that: ${difference}. Leave out --api-url and --tenant.`);
}

async function sayWhoElse({ jobId }: JobRef, storage: LocalStorage, terminal: Terminal): Promise<void> {
  const others: string[] = [];
  for await (const { upload, isReported } of unfinishedUploads(storage))
    if (!isReported && upload.jobId !== jobId) others.push(upload.jobId);
  if (others.length > 0) terminal.say(`Other unfinished jobs of this data folder go on, too: ${others.join(', ')}.`);
}
