/**
 * From parts to the report: every row of the upload once, in order, with what became of it.
 */

import type { HandleMessage } from '../consume.ts';
import { addApiCalls } from '../core/apiCalls.ts';
import { BrokenInvariant, type Fault } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { incomingPrefix } from '../core/keys.ts';
import { workerLimits } from '../core/limits.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Approval } from '../ledger/approval.ts';
import { hasAllParts } from '../ledger/checkCompletion.ts';
import { type Decision, fixDecision, readDecision } from '../ledger/decision.ts';
import { type Job, readJob } from '../ledger/job.ts';
import { type Manifest, readManifest } from '../ledger/manifest.ts';
import { readReportMessage } from '../ledger/messages.ts';
import { noteResent } from '../ledger/openInvitations.ts';
import { noteEnded } from '../ledger/overlap.ts';
import { noteRunEnded } from '../ledger/rosterRun.ts';
import { isCancel, type Stop } from '../ledger/stop.ts';
import { hasEnded, readSummary, type Summary, writeSummary } from '../ledger/summary.ts';
import type { Clock, CsvFormat, Log, Metrics, ObjectStore } from '../ports.ts';
import { type OutcomesInOrder, outcomesInOrder } from './outcomesInOrder.ts';
import { type DriftTable, writeDriftTable } from './writeDriftTable.ts';
import { writePage } from './writePage.ts';
import { type Outcomes, type Tables, writeTables } from './writeTables.ts';

export interface ReportPorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly csv: CsvFormat;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface ReportSettings {
  /** What a person adds to a command to mean this place, with a blank in front. */
  readonly commandOptions?: string;
}

export function report(ports: ReportPorts, { commandOptions = '' }: ReportSettings = {}): HandleMessage {
  return async (body) => {
    const { jobId } = readReportMessage(body);
    await reportJob(jobId, commandOptions, ports);
    return { kind: 'done' };
  };
}

async function reportJob(jobId: JobId, commandOptions: string, ports: ReportPorts): Promise<void> {
  const { store, csv, log, metrics } = ports;
  const job = await readJob(store, jobId);
  const manifest = await readManifest(store, jobId);
  if (job === undefined || manifest === undefined)
    throw new BrokenInvariant(`Job ${jobId} is to be reported, but has not been read.`);
  const earlier = await readSummary(store, job);
  if (hasEnded(earlier)) return;
  const decision = await decisionFor(jobId, manifest, earlier, ports);
  if (decision === undefined) return;

  const { fault } = manifest;
  const { isHeld } = decision;
  const place = { uploadKey: job.source.key, jobId, isHeld };
  const inOrder = fault === undefined ? outcomesInOrder(store, jobId, manifest.chunks, isHeld) : undefined;
  const outcomes = inOrder === undefined ? notAttempted(fault) : fromParts(jobId, manifest, inOrder);
  const tables = await writeTables(job, place, store, csv, manifest.reading, fault, outcomes);
  const drift =
    job.roster === undefined || fault !== undefined ? undefined : await writeDriftTable(store, csv, jobId, place);
  const summary = summarize(job, manifest, decision, tables, drift, inOrder);
  await noteEnds(job, summary, tables, ports);
  const page = await writePage(store, place, summary, tables.attention, commandOptions);
  await writeSummary(store, job, { ...summary, files: [...summary.files, page] });
  metrics.count('Jobs', 1, { state: summary.state });
  if (summary.state === 'failed' && summary.error !== undefined)
    metrics.count('JobsFailed', 1, { code: summary.error.code });
  log.info('job_reported', { jobId, state: summary.state, rows: summary.rows });
}

interface KnownDecision extends Decision {
  /** The job waits for somebody's approval. */
  readonly isHeld: boolean;
}

/** Undefined where there is nothing to report: parts are still to come, or the report of the held job is there. */
async function decisionFor(
  jobId: JobId,
  manifest: Manifest,
  earlier: Summary | undefined,
  { store, log }: ReportPorts,
): Promise<KnownDecision | undefined> {
  const hasParts = await hasAllParts(store, jobId, manifest);
  const isUndecidedYet = isUndecided(manifest, await readDecision(store, jobId, manifest, log));
  // Parts of workers show that the job was released, whatever has become of its approval since.
  if (isUndecidedYet && !(hasParts && manifest.chunks > 0)) return earlier === undefined ? { isHeld: true } : undefined;
  return hasParts ? { ...(await fixDecision(store, jobId, manifest, log)), isHeld: false } : undefined;
}

/** Whether the job waits for somebody's approval. */
function isUndecided({ hold }: Manifest, { stop, approval }: Decision): boolean {
  return hold !== undefined && stop === undefined && approval === undefined;
}

/**
 * Other jobs need no longer heed this one, which a dry run never asked for; what was sent again is new; and the next run of
 * the roster may begin. That one begins with what the last one has sent again, so it is told last.
 */
async function noteEnds(
  { jobId, settings, roster }: Job,
  { state, rows, hold }: Summary,
  tables: Tables,
  { store, clock, log }: ReportPorts,
): Promise<void> {
  if (settings.dryRun || state === 'held') return;
  const endsAtMs = effectsEndAtMs(tables, clock.now());
  await noteEnded(store, jobId, endsAtMs);
  if (hold !== undefined) await noteEnded(store, jobId, endsAtMs, 'released');
  if (roster === undefined) return;
  if (tables.resentTo.length > 0) await noteResent(store, roster.name, jobId, tables.resentTo, clock.now());
  try {
    await noteRunEnded(store, roster.name, jobId, { state, rows });
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    // The rows of this run get their report all the same; the next run refuses what it cannot understand.
    log.error('run_end_not_noted', { jobId }, error);
  }
}

function notAttempted(fault: Fault | undefined): Outcomes {
  if (fault === undefined) throw new BrokenInvariant('A job without a fault has parts.');
  const message = `The job ended before this row. ${fault.message}`;
  return {
    of: async (row) => ({ row, status: 'not_attempted', code: fault.code, message, attempts: 0 }),
    // How many rows there were, only the upload could tell.
    all: async function* () {},
    end: async () => undefined,
  };
}

/** Rows and outcomes must go side by side; anything else would be a row without an outcome, or with that of another. */
function fromParts(jobId: JobId, manifest: Manifest, { outcomes }: OutcomesInOrder): Outcomes {
  return {
    of: async (row) => {
      const outcome: Outcome | undefined = (await outcomes.next()).value;
      if (outcome?.row === row) return outcome;
      const found = outcome === undefined ? 'no outcome is left' : `the next outcome is for row ${outcome.row}`;
      throw new BrokenInvariant(`Row ${row} of job ${jobId} is to be reported, but ${found}.`);
    },
    all: () => eachRowOnce(jobId, outcomes),
    end: async (rows) => {
      const left: Outcome | undefined = (await outcomes.next()).value;
      if (left !== undefined)
        throw new BrokenInvariant(`Job ${jobId} has an outcome for row ${left.row}, which is not in the upload.`);
      if (rows === manifest.rows) return;
      throw new BrokenInvariant(`Job ${jobId} has ${manifest.rows} rows, but ${rows} were reported.`);
    },
  };
}

/** Where the effect of an attempt is unknown, it may still come. */
function effectsEndAtMs({ counts }: Tables, nowMs: number): number {
  return counts.unknown === 0 ? nowMs : nowMs + workerLimits.lateEffectMs;
}

/** Without the upload beside them, only their order shows that none is there twice. */
async function* eachRowOnce(jobId: JobId, outcomes: AsyncIterable<Outcome>): AsyncGenerator<Outcome> {
  let before = 0;
  for await (const outcome of outcomes) {
    if (outcome.row <= before) throw new BrokenInvariant(`Job ${jobId} has two outcomes for row ${outcome.row}.`);
    before = outcome.row;
    yield outcome;
  }
}

const uploadGone =
  'The file was replaced or deleted before this report was written. What would be taken from it is missing: its columns in ' +
  'results.csv, and all of retry.csv. To try rows again, upload the file as it was; nobody is invited twice.';

/** Nothing here depends on when the report is built, so a second one is the same, as long as the upload is there. */
function summarize(
  job: Job,
  manifest: Manifest,
  decision: KnownDecision,
  tables: Tables,
  drift: DriftTable | undefined,
  inOrder: OutcomesInOrder | undefined,
): Summary {
  const { key, bytes, versionId, etag } = job.source;
  const { rows, counts, files, isUploadGone } = tables;
  const { reading, hold } = manifest;
  const { stop, approval, isHeld } = decision;
  const totals = inOrder?.totals() ?? { apiCalls: {}, endedAtMs: 0 };
  const end = endOf(manifest, decision, tables);
  return {
    jobId: job.jobId,
    state: isHeld ? 'held' : stateOf(end),
    dryRun: job.settings.dryRun,
    ...(job.roster === undefined
      ? {}
      : { roster: { name: job.roster.name, scheduledAt: new Date(job.roster.scheduledAtMs).toISOString() } }),
    source: { name: key.slice(incomingPrefix.length), bytes, version: versionId ?? etag },
    rows,
    counts,
    apiCalls: addApiCalls(manifest.apiCalls, totals.apiCalls),
    startedAt: new Date(job.startedAtMs).toISOString(),
    finishedAt: new Date(Math.max(manifest.endedAtMs, totals.endedAtMs)).toISOString(),
    ...(reading === undefined
      ? {}
      : { reading: { encoding: reading.encoding, delimiter: reading.delimiter, headerRow: reading.headerRow } }),
    warnings: isUploadGone ? [...manifest.warnings, uploadGone] : manifest.warnings,
    columns: manifest.columns ?? { used: {}, ignored: [] },
    files: [...files, ...(drift === undefined ? [] : [drift.file])],
    ...(hold === undefined ? {} : { hold }),
    ...(approval === undefined || (end !== undefined && isAfter(approval, stop))
      ? {}
      : { approval: { by: approval.by, at: new Date(approval.atMs).toISOString() } }),
    ...(drift === undefined ? {} : { drift: drift.counts }),
    ...(end === undefined ? {} : { error: errorOf(end) }),
  };
}

/** What is approved after it was stopped is not released, unless everything was done all the same. */
function isAfter(approval: Approval, stop: Stop | undefined): boolean {
  return stop !== undefined && approval.atMs > stop.atMs;
}

type End = Fault | Stop;

/** Why the job ended before its time. Somebody who cancels a job whose rows are all settled comes too late. */
function endOf({ fault, hold }: Manifest, { stop, approval }: Decision, { decided }: Tables): End | undefined {
  if (fault?.code === 'cancelled') return stop ?? fault;
  if (fault !== undefined || stop === undefined) return fault;
  const wasReleased = hold === undefined || approval !== undefined;
  const isLate = isCancel(stop) && wasReleased && decided === 0;
  return isLate ? undefined : stop;
}

function stateOf(end: End | undefined): Summary['state'] {
  if (end === undefined) return 'completed';
  return isCancel(end) ? 'cancelled' : 'failed';
}

function errorOf(end: End): NonNullable<Summary['error']> {
  const by = 'by' in end ? end.by : undefined;
  return { code: end.code, message: end.message, ...(by === undefined ? {} : { by }) };
}
