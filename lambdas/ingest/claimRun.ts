/**
 * Whether a run of a roster may begin: not before its last one has ended, and not with a file that is too old.
 */
import { BrokenInvariant, type Fault } from '../core/fault.ts';
import { approvableUntilMs } from '../core/hold.ts';
import { rosterLimits } from '../core/limits.ts';
import { isStale } from '../core/roster.ts';
import { findApproval } from '../ledger/approval.ts';
import { type Job, readJob } from '../ledger/job.ts';
import { readManifest } from '../ledger/manifest.ts';
import { type RosterRun, type RunEnd, readRosterRun, replaceRosterRun } from '../ledger/rosterRun.ts';
import { readStop, writeStop } from '../ledger/stop.ts';
import { readSummary } from '../ledger/summary.ts';
import { goOn } from './goOn.ts';
import type { IngestPorts } from './ingest.ts';

/** A job that is no run of a roster may always begin. */
export type RunClaim = { readonly fault: Fault } | { readonly rowsBefore?: number };

type Roster = NonNullable<Job['roster']>;

export async function claimRun(job: Job, ports: IngestPorts): Promise<RunClaim> {
  const { roster } = job;
  if (roster === undefined) return {};
  const fault = faultOfUpload(job, roster, ports.clock.now());
  // It invites nobody, so it may overlap, and takes nobody's place.
  if (job.settings.dryRun) return fault === undefined ? await beforeDryRun(roster, ports) : { fault };
  for (let tries = 0; tries < rosterLimits.runTriesMax; tries += 1) {
    const claim = await tryToClaim(job, roster, fault, ports);
    if (claim !== undefined) return claim;
  }
  throw new BrokenInvariant(`The runs of roster ${roster.name} were changed by others again and again.`);
}

/** Undefined where another process was faster. @param fault Of the upload, as it is now. */
async function tryToClaim(
  job: Job,
  roster: Roster,
  fault: Fault | undefined,
  ports: IngestPorts,
): Promise<RunClaim | undefined> {
  const { store } = ports;
  const stored = await readRosterRun(store, roster.name);
  const last = stored?.value;
  // What has begun goes on, however old its file has become while the API kept it waiting.
  if (last?.jobId === job.jobId) return before(last);
  if (fault !== undefined) return { fault };
  if (last !== undefined && last.jobId > job.jobId) return { fault: late(roster, last) };
  const ended = await endOf(last, ports);
  if (last !== undefined && ended === undefined && (await isAtWork(last, job, ports)))
    return { fault: busy(roster, last) };
  const run: RosterRun = {
    jobId: job.jobId,
    uploadKey: job.source.key,
    startedAtMs: job.startedAtMs,
    ...completed(last, ended),
  };
  return (await replaceRosterRun(store, roster.name, run, stored?.etag)) ? before(run) : undefined;
}

async function beforeDryRun({ name }: Roster, ports: IngestPorts): Promise<RunClaim> {
  const last = (await readRosterRun(ports.store, name))?.value;
  return before(completed(last, await endOf(last, ports)));
}

/** Where it was not noted, the run was reported by an earlier version, if at all: then the summary tells. */
async function endOf(last: RosterRun | undefined, { store }: IngestPorts): Promise<RunEnd | undefined> {
  if (last === undefined || last.ended !== undefined) return last?.ended;
  const summary = await readSummary(store, { jobId: last.jobId, source: { key: last.uploadKey } });
  if (summary === undefined || summary.state === 'held') return undefined;
  return { state: summary.state, rows: summary.rows };
}

function faultOfUpload({ source }: Job, roster: Roster, nowMs: number): Fault | undefined {
  if (source.etag === '') {
    const message = `There is no file ${source.key} for the roster “${roster.name}”. Upload it there; the next run reads it.`;
    return { code: 'roster_missing', message };
  }
  if (!isStale(source.uploadedAtMs, nowMs, roster)) return undefined;
  const refreshedAt = new Date(source.uploadedAtMs).toISOString();
  const message = `The file of the roster “${roster.name}” was last refreshed at ${refreshedAt}, and a file older than ${age(roster.staleAfterMs)} is not run. See why the export no longer comes; the next run reads it when it does.`;
  return { code: 'roster_stale', message };
}

function busy({ name }: Roster, { jobId }: RosterRun): Fault {
  const message = `Another run of the roster “${name}”, job ${jobId}, has not ended, so this one was not begun. The next run comes at its time; if job ${jobId} hangs, cancel it.`;
  return { code: 'roster_busy', message };
}

function late({ name }: Roster, { jobId }: RosterRun): Fault {
  const message = `A later run of the roster “${name}”, job ${jobId}, had begun before this one, so this one was not begun.`;
  return { code: 'roster_late', message };
}

/**
 * Of a run whose end is not known. One that is held, and that nobody has approved, makes way: what it holds is older than what
 * comes now. One that was approved is at work until its report is made, whether or not it was stopped: its workers heed a stop
 * only after a while.
 */
async function isAtWork(last: RosterRun, job: Job, ports: IngestPorts): Promise<boolean> {
  const { store, clock, log } = ports;
  const manifest = await readManifest(store, last.jobId);
  // `job.json` is there before a run is claimed. Where that is gone, too, nothing is left that it could go on with.
  if (manifest === undefined && (await readJob(store, last.jobId)) === undefined) return false;
  // It invites nobody.
  if (manifest?.fault !== undefined) return false;
  const approval = manifest?.hold === undefined ? undefined : await findApproval(store, last.jobId, manifest, log);
  const isHeld = manifest?.hold !== undefined && approval === undefined;
  // It has lapsed: nothing lets it go on, and its records may be half deleted.
  if (isHeld && clock.now() > approvableUntilMs(manifest.endedAtMs)) return false;
  if (!isHeld) return clock.now() - (approval?.atMs ?? last.startedAtMs) <= rosterLimits.runMs;
  if ((await readStop(store, last.jobId)) === undefined) {
    const message = `Nobody had approved it when the next run of the same roster began, job ${job.jobId}.`;
    await writeStop(store, last.jobId, { code: 'superseded', message, atMs: clock.now() });
  }
  // It gets its report, whether or not the store tells of the stop.
  await goOn(last.jobId, manifest, ports);
  // An approval that comes after the stop releases nothing; one that came before may have.
  return (await findApproval(store, last.jobId, manifest, log)) !== undefined;
}

function completed(last: RosterRun | undefined, ended: RunEnd | undefined): Pick<RosterRun, 'lastCompleted'> {
  if (last !== undefined && ended?.state === 'completed')
    return { lastCompleted: { jobId: last.jobId, rows: ended.rows } };
  return last?.lastCompleted === undefined ? {} : { lastCompleted: last.lastCompleted };
}

function before({ lastCompleted }: Pick<RosterRun, 'lastCompleted'>): RunClaim {
  return lastCompleted === undefined ? {} : { rowsBefore: lastCompleted.rows };
}

function age(ms: number): string {
  const hours = Math.round(ms / 3_600_000);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 2.4) / 10} days`;
}
