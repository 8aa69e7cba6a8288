/**
 * `bulk-invite reconcile FILE`: one run of a roster on this machine, from the file to the report.
 */
import { basename, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { isRosterName, rosterNameExpected } from '../../lambdas/core/roster.ts';
import { hasEnded } from '../../lambdas/ledger/summary.ts';
import { expectFile } from '../expectFile.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { followAndDeliver } from '../jobs/followAndDeliver.ts';
import { readSummaryOf } from '../jobs/followJob.ts';
import { repeatLimits } from '../limits.ts';
import { type WorkChoices, workOptions } from '../local/attendLocally.ts';
import { DataFolderInUse } from '../local/dataFolder.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { lastingAttendance } from '../local/lastingAttendance.ts';
import type { RosterRequest, UnfinishedRun } from '../local/rosterRuns.ts';
import { expectKey } from '../local/target.ts';
import { type LocalPlace, openLocalPlace } from '../place/localPlace.ts';
import type { Attendance } from '../place/place.ts';
import type { Faults } from '../sandbox/faults.ts';
import { openTerminal, type Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

export interface ReconcileOptions extends WorkChoices {
  readonly name?: string;
  readonly out?: string;
  readonly data: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly map: Mapping;
  readonly settings: JobSettings;
  readonly faults: Faults;
  readonly dryRun: boolean;
  /** More invitations than this hold the run: a number of them, or a share of the users. */
  readonly maxNew?: Pick<RosterRequest, 'newPeopleMax' | 'newPeopleShare'>;
  /** Percent. */
  readonly minRows?: number;
  readonly maxInvalid?: number;
  /** Seconds. */
  readonly staleAfter?: number;
  readonly openAfter?: number;
  readonly resendPending?: number;
}

/**
 * Before it is left alone with `--every`: whether it could run at all.
 *
 * @throws UserError where there is no such file, no name for the roster, no key, or no place for the report.
 */
export function expectRunnable(file: string, options: ReconcileOptions): void {
  const path = expectFile(file);
  requestOf(path, options);
  if (options.out !== undefined) prepareFolder(resolve(options.out), path);
  if (options.settings.api !== undefined) expectKey(true);
}

/** @returns The exit code. */
export async function reconcile(file: string, options: ReconcileOptions): Promise<number> {
  endWithParent();
  const terminal = openTerminal();
  const path = expectFile(file);
  const request = requestOf(path, options);
  const { out, data, settings, faults, verbose } = options;
  if (out !== undefined) prepareFolder(resolve(out), path);
  const place = await whenFree(() =>
    openLocalPlace(
      {
        dataFolder: data,
        isMade: true,
        settings,
        welcomesNeighbours: true,
        work: workOptions(options, faults),
        isVerbose: verbose,
      },
      terminal,
    ),
  );
  try {
    const unfinished = await place.unfinishedRuns(request.name);
    expectNothingToSend(unfinished, request, place);
    const attendance = lastingAttendance(await place.attend(undefined));
    try {
      for (const run of unfinished) {
        const code = await finish(run, request, place, attendance, terminal);
        if (code === exitCodes.interrupted) return code;
      }
      const code = await runOnce(path, request, options, place, attendance, terminal);
      for (const run of unfinished) if (run.stage === 'held') await tellOfEnd(run, request, place, terminal);
      return code;
    } finally {
      await attendance.close();
    }
  } finally {
    await place.close();
  }
}

/** A dry run must not let an earlier one go on that is none. */
function expectNothingToSend(
  unfinished: readonly UnfinishedRun[],
  { name, dryRun }: RosterRequest,
  { options }: LocalPlace,
): void {
  const open = unfinished.find(({ stage, message }) => stage === 'open' && message.roster.dryRun !== true);
  if (dryRun !== true || open === undefined) return;
  throw new UserError(
    `Run ${open.jobId} of the roster “${name}” is unfinished, and a dry run would let it go on. ` +
      `To finish it first: the same command without --dry-run; to end it: npx bulk-invite cancel ${open.jobId}${options}`,
  );
}

/** A run that is one of many waits for a while where somebody else has the data folder: its next time may be a day away. */
async function whenFree<T>(open: () => Promise<T>): Promise<T> {
  const untilMs = Date.now() + (process.send === undefined ? 0 : repeatLimits.folderWaitMs);
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DataFolderInUse) || Date.now() >= untilMs) throw error;
    }
    await wait(repeatLimits.folderLookEveryMs);
  }
}

/** A run that is one of many stops in order where the process that repeats them is gone. */
function endWithParent(): void {
  if (process.send === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

async function runOnce(
  path: string,
  request: RosterRequest,
  { json, out }: ReconcileOptions,
  place: LocalPlace,
  attendance: Attendance,
  terminal: Terminal,
): Promise<number> {
  const job = await place.startRun(path, request);
  const dryRun = request.dryRun === true ? ' This is a dry run: nobody is invited.' : '';
  terminal.say(`New run of the roster “${request.name}” from ${path}: job ${job.jobId}.${dryRun}`);
  const delivery = { json, file: path, ...(out === undefined ? {} : { out }) };
  const again = 'Stopped. What was settled is kept; run the same command again to continue with the rest first.';
  return await followAndDeliver(place, job, { ...attendance, stopped: () => again }, delivery, terminal);
}

/** An earlier run comes to its end and is reported, before the next one begins. One that is held makes way. */
async function finish(
  run: UnfinishedRun,
  request: RosterRequest,
  place: LocalPlace,
  attendance: Attendance,
  terminal: Terminal,
): Promise<number> {
  const { jobId, stage, file } = run;
  if (stage === 'held') {
    const next =
      request.dryRun === true
        ? 'It stays held, because this is a dry run.'
        : 'This run takes its place as soon as it begins.';
    terminal.say(`Run ${jobId} of the roster “${request.name}” is held, and nobody has approved it. ${next}`);
    return exitCodes.needsAttention;
  }
  const what = stage === 'reported' ? 'Delivering the report of' : 'Continuing';
  terminal.say(
    `${what} run ${jobId} of the roster “${request.name}” from ${file}, which an earlier command has not finished.`,
  );
  if (stage !== 'reported') place.continueRun(run);
  // Standard output is for the new run.
  const aside = { ...terminal, result: terminal.say };
  return await followAndDeliver(place, run, attendance, { json: false }, aside);
}

/** What it was held for, its report has said; where a dry run came after it, it is still held. */
async function tellOfEnd(
  run: UnfinishedRun,
  { name }: RosterRequest,
  place: LocalPlace,
  terminal: Terminal,
): Promise<void> {
  if (!hasEnded(await readSummaryOf(place, run))) return;
  await place.noteDelivered(run.jobId);
  terminal.say(
    `Run ${run.jobId} of the roster “${name}”, which was held, has ended. To fetch its report: npx bulk-invite report ${run.jobId}${place.options}`,
  );
}

function requestOf(path: string, options: ReconcileOptions): RosterRequest {
  const { map, dryRun, maxNew, minRows, maxInvalid, staleAfter, openAfter, resendPending } = options;
  return {
    name: options.name ?? nameFrom(path),
    ...(Object.keys(map).length === 0 ? {} : { mapping: map }),
    ...(dryRun ? { dryRun } : {}),
    ...maxNew,
    ...(minRows === undefined ? {} : { rowsShareMin: minRows / 100 }),
    ...(maxInvalid === undefined ? {} : { invalidShareMax: maxInvalid / 100 }),
    ...(staleAfter === undefined ? {} : { staleAfterMs: staleAfter * 1000 }),
    ...(openAfter === undefined ? {} : { openAfterMs: openAfter * 1000 }),
    ...(resendPending === undefined ? {} : { resendAfterMs: resendPending * 1000 }),
  };
}

/** For example `acme-people` from `Acme people.csv.gz`. */
function nameFrom(path: string): string {
  const name = basename(path)
    .replace(/(?:\.(?:csv|tsv|txt))?(?:\.gz)?$/iu, '')
    .toLowerCase()
    .replaceAll(/[\s._-]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
  if (isRosterName(name)) return name;
  throw new UserError(
    `The name of ${basename(path)} does not make a name for a roster (${rosterNameExpected}). Choose one with --name: it tells which run follows which.`,
  );
}
