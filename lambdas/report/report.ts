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
import { type Job, readJob } from '../ledger/job.ts';
import { type Manifest, readManifest } from '../ledger/manifest.ts';
import { readReportMessage } from '../ledger/messages.ts';
import { noteEnded } from '../ledger/overlap.ts';
import { readStop, type Stop } from '../ledger/stop.ts';
import { readSummary, type Summary, writeSummary } from '../ledger/summary.ts';
import type { Clock, CsvFormat, Log, Metrics, ObjectStore } from '../ports.ts';
import { type OutcomesInOrder, outcomesInOrder } from './outcomesInOrder.ts';
import { writePage } from './writePage.ts';
import { type OutcomeOf, type Tables, writeTables } from './writeTables.ts';

export interface ReportPorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly csv: CsvFormat;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function report(ports: ReportPorts): HandleMessage {
  return async (body) => {
    const { jobId } = readReportMessage(body);
    await reportJob(jobId, ports);
    return { kind: 'done' };
  };
}

async function reportJob(jobId: JobId, ports: ReportPorts): Promise<void> {
  const { store, clock, csv, log, metrics } = ports;
  const job = await readJob(store, jobId);
  const manifest = await readManifest(store, jobId);
  if (job === undefined || manifest === undefined)
    throw new BrokenInvariant(`Job ${jobId} is to be reported, but has not been read.`);
  if ((await readSummary(store, job)) !== undefined) return;

  const { fault } = manifest;
  const inOrder = fault === undefined ? outcomesInOrder(store, jobId, manifest.chunks) : undefined;
  const outcomeOf = inOrder === undefined ? notAttempted(fault) : fromParts(jobId, inOrder);
  const tables = await writeTables(job, store, csv, manifest.reading, fault, outcomeOf);
  if (inOrder !== undefined) await expectAllRowsReported(jobId, manifest, tables, inOrder);

  await noteEnded(store, jobId, effectsEndAtMs(tables, clock.now()));
  const stop = fault ?? (await readStop(store, jobId));
  const summary = summarize(job, manifest, tables, inOrder, stop);
  const page = await writePage(store, job, summary, tables.attention);
  await writeSummary(store, job, { ...summary, files: [...summary.files, page] });
  metrics.count('Jobs', 1, { state: summary.state });
  if (summary.error !== undefined) metrics.count('JobsFailed', 1, { code: summary.error.code });
  log.info('job_reported', { jobId, state: summary.state, rows: summary.rows });
}

function notAttempted(fault: Fault | undefined): OutcomeOf {
  if (fault === undefined) throw new BrokenInvariant('A job without a fault has parts.');
  const message = `The job ended before this row. ${fault.message}`;
  return async (row) => ({ row, status: 'not_attempted', code: fault.code, message, attempts: 0 });
}

/** Rows and outcomes must go side by side; anything else would be a row without an outcome, or with that of another. */
function fromParts(jobId: JobId, { outcomes }: OutcomesInOrder): OutcomeOf {
  return async (row) => {
    const outcome: Outcome | undefined = (await outcomes.next()).value;
    if (outcome?.row === row) return outcome;
    const found = outcome === undefined ? 'no outcome is left' : `the next outcome is for row ${outcome.row}`;
    throw new BrokenInvariant(`Row ${row} of job ${jobId} is to be reported, but ${found}.`);
  };
}

async function expectAllRowsReported(
  jobId: JobId,
  manifest: Manifest,
  tables: Tables,
  inOrder: OutcomesInOrder,
): Promise<void> {
  const left: Outcome | undefined = (await inOrder.outcomes.next()).value;
  if (left !== undefined)
    throw new BrokenInvariant(`Job ${jobId} has an outcome for row ${left.row}, which is not in the upload.`);
  if (tables.rows === manifest.rows) return;
  throw new BrokenInvariant(`Job ${jobId} has ${manifest.rows} rows, but ${tables.rows} were reported.`);
}

/** Where the effect of an attempt is unknown, it may still come. */
function effectsEndAtMs({ counts }: Tables, nowMs: number): number {
  return counts.unknown === 0 ? nowMs : nowMs + workerLimits.lateEffectMs;
}

/** Nothing here depends on when the report is built, so a second one is the same. */
function summarize(
  job: Job,
  manifest: Manifest,
  { rows, counts, files }: Tables,
  inOrder: OutcomesInOrder | undefined,
  end: Fault | Stop | undefined,
): Summary {
  const { key, bytes, versionId, etag } = job.source;
  const { reading } = manifest;
  const totals = inOrder?.totals() ?? { apiCalls: {}, endedAtMs: 0 };
  return {
    jobId: job.jobId,
    state: end === undefined ? 'completed' : 'failed',
    source: { name: key.slice(incomingPrefix.length), bytes, version: versionId ?? etag },
    rows,
    counts,
    apiCalls: addApiCalls(manifest.apiCalls, totals.apiCalls),
    startedAt: new Date(job.startedAtMs).toISOString(),
    finishedAt: new Date(Math.max(manifest.endedAtMs, totals.endedAtMs)).toISOString(),
    ...(reading === undefined
      ? {}
      : { reading: { encoding: reading.encoding, delimiter: reading.delimiter, headerRow: reading.headerRow } }),
    warnings: manifest.warnings,
    columns: manifest.columns ?? { used: {}, ignored: [] },
    files: [...files],
    ...(end === undefined ? {} : { error: { code: end.code, message: end.message } }),
  };
}
