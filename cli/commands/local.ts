/**
 * `bulk-invite local FILE`: runs a job on this machine, from the file to the report.
 */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { reportKey } from '../../lambdas/core/keys.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { describeSummary, exitCodeOf, exitCodes } from '../describeSummary.ts';
import { expectFile } from '../expectFile.ts';
import { type DataFolder, takeDataFolder } from '../local/dataFolder.ts';
import { fetchReport, prepareFolder } from '../local/fetchReport.ts';
import { type LocalHost, startLocalHost } from '../local/localHost.ts';
import { runJob } from '../local/runJob.ts';
import { openSandboxTarget, reachTarget, type Target } from '../local/target.ts';
import {
  checksumOf,
  differenceOf,
  findUnfinished,
  type LocalUpload,
  type Request,
  uploadFile,
} from '../local/uploads.ts';
import type { Faults } from '../sandbox/faults.ts';
import { divertOutput, openTerminal, type Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

export interface LocalOptions {
  readonly apiUrl?: string;
  readonly tenant?: string;
  readonly out?: string;
  readonly data: string;
  readonly workers: number;
  readonly concurrency: number;
  readonly role?: string;
  readonly organization?: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly map: Mapping;
  readonly allowDomain: readonly string[];
  readonly inviteGone: boolean;
  readonly callTimeout?: number;
  readonly retryDelay?: number;
  readonly outageDelay?: number;
  readonly faults: Faults;
}

/** Nobody is really kept waiting by the sandbox, so its failures are tried again sooner. */
const sandboxDelays = { retryDelay: 0.1, outageDelay: 1 } as const;

/** @returns The exit code. */
export async function local(file: string, options: LocalOptions): Promise<number> {
  // On a machine with much memory, V8 lets garbage grow to twice what is in use; this process is a guest there.
  setFlagsFromString('--optimize-for-size');
  const terminal = openTerminal();
  const path = expectFile(file);
  if (options.out !== undefined) prepareFolder(resolve(options.out), path);
  const folder = takeFolder(resolve(options.data));
  try {
    divertOutput(join(folder.path, 'bulk-invite.log'), options.verbose);
    const { apiUrl, tenant, faults } = options;
    const target =
      apiUrl === undefined ? await openSandboxTarget(folder.path, faults, terminal) : await reachTarget(apiUrl, tenant);
    try {
      return await withHost(folder, target, options, (host) => run(path, host, target, options, terminal));
    } finally {
      await target.close();
    }
  } finally {
    folder.release();
  }
}

function takeFolder(path: string): DataFolder {
  if (existsSync(path) && !statSync(path).isDirectory())
    throw new UserError(`${path} is not a folder. Choose another one with --data.`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return takeDataFolder(path);
}

async function withHost<T>(
  folder: DataFolder,
  target: Target,
  options: LocalOptions,
  use: (host: LocalHost) => Promise<T>,
): Promise<T> {
  const { tenant, role, organization, callTimeout, workers, concurrency } = options;
  const { retryDelay, outageDelay } = { ...(target.isSandbox ? sandboxDelays : {}), ...options };
  const host = await startLocalHost({
    dataFolder: folder.path,
    apiUrl: target.url,
    apiKey: target.key,
    workers,
    concurrency,
    invitesGone: options.inviteGone,
    allowedDomains: options.allowDomain,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(role === undefined ? {} : { role }),
    ...(organization === undefined ? {} : { organization }),
    ...(callTimeout === undefined ? {} : { callTimeoutSeconds: callTimeout }),
    ...(retryDelay === undefined ? {} : { retryDelaySeconds: retryDelay }),
    ...(outageDelay === undefined ? {} : { outageDelaySeconds: outageDelay }),
  });
  try {
    return await use(host);
  } finally {
    await host.close();
  }
}

async function run(
  path: string,
  host: LocalHost,
  target: Target,
  options: LocalOptions,
  terminal: Terminal,
): Promise<number> {
  const request: Request = {
    file: path,
    target: target.name,
    role: options.role ?? '',
    organization: options.organization ?? '',
    mapping: options.map,
    invitesGone: options.inviteGone,
    allowedDomains: options.allowDomain,
  };
  const upload = await startOrContinue(request, host, options, terminal);
  const stop = new AbortController();
  const release = stopOnSignals(stop, terminal);
  try {
    const end = await runJob(host, upload, terminal, stop.signal);
    switch (end.kind) {
      case 'reported':
        return await present(end.summary, upload, host, options, terminal);
      case 'stopped':
        terminal.say('Stopped. What was settled is kept; run the same command again to continue with the rest.');
        return exitCodes.interrupted;
      case 'dead_letter':
        throw new UserError(
          `The job cannot go on: a message in the queue “${end.queue}” was given up. The log says why: ${join(resolve(options.data), 'bulk-invite.log')}`,
        );
      default:
        return end satisfies never;
    }
  } finally {
    release();
  }
}

async function startOrContinue(
  request: Request,
  host: LocalHost,
  options: LocalOptions,
  terminal: Terminal,
): Promise<LocalUpload> {
  const sha256 = await checksumOf(request.file);
  const unfinished = await findUnfinished(host);
  const difference = unfinished === undefined ? undefined : differenceOf(unfinished.upload, request, sha256);
  // A whole report of something else stands in nobody's way.
  if (unfinished === undefined || (unfinished.isReported && difference !== undefined)) {
    const upload = await uploadAnew(request, sha256, host);
    terminal.say(`New job ${upload.jobId} for ${request.file}.`);
    return upload;
  }
  const { upload, isReported } = unfinished;
  if (difference !== undefined) {
    throw new UserError(
      `The data folder ${resolve(options.data)} has an unfinished job, ${upload.jobId}, and ${difference}. ` +
        'To finish it, run the command that started it again. To leave it as it is and start afresh, choose another data folder with --data.',
    );
  }
  terminal.say(
    isReported
      ? `Delivering the report of job ${upload.jobId} for ${request.file}, which an earlier run could not deliver.`
      : `Continuing job ${upload.jobId} for ${request.file}, which an earlier run has not finished. ` +
          'What that run was cut off from is taken over within a minute.',
  );
  // In case that run ended between the upload and its event.
  if (!isReported) host.announce(upload.key, upload.etag);
  return upload;
}

/** Times of objects are whole seconds: within one, the same file again would be the same job. */
async function uploadAnew(request: Request, sha256: string, host: LocalHost): Promise<LocalUpload> {
  const upload = await uploadFile(host, request, sha256);
  if ((await host.store.head(reportKey(upload.key, upload.jobId, 'summary.json'))) === undefined) return upload;
  await wait(1000);
  return await uploadFile(host, request, sha256);
}

async function present(
  summary: Summary,
  upload: LocalUpload,
  host: LocalHost,
  options: LocalOptions,
  terminal: Terminal,
): Promise<number> {
  const folder = resolve(options.out ?? join('reports', upload.jobId));
  prepareFolder(folder, upload.request.file);
  const paths = await fetchReport(host.store, upload.key, upload.jobId, folder);
  const print = options.json ? terminal.say : terminal.result;
  for (const line of describeSummary(summary)) print(line);
  print('');
  for (const path of paths)
    print(relative(process.cwd(), path).startsWith('..') ? path : relative(process.cwd(), path));
  if (options.json) terminal.document(readFileSync(paths.at(-1) ?? '', 'utf8').trimEnd());
  return exitCodeOf(summary);
}

/** The first signal stops in order; a second one of the same kind ends the process at once, and nothing is lost then either. */
function stopOnSignals(stop: AbortController, terminal: Terminal): () => void {
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    terminal.say('Stopping: no new call is started, those under way end first …');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}
