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
import { type Outcomes, type Tables, writeTables } from './writeTables.ts';

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
  const end = fault ?? (await readStop(store, jobId));
  const inOrder = fault === undefined ? outcomesInOrder(store, jobId, manifest.chunks) : undefined;
  const outcomes = inOrder === undefined ? notAttempted(fault) : fromParts(jobId, manifest, inOrder);
  const tables = await writeTables(job, store, csv, manifest.reading, fault, outcomes);
  await noteEnded(store, jobId, effectsEndAtMs(tables, clock.now()));
  const summary = summarize(job, manifest, tables, inOrder, end);
  const page = await writePage(store, job, summary, tables.attention);
  await writeSummary(store, job, { ...summary, files: [...summary.files, page] });
  metrics.count('Jobs', 1, { state: summary.state });
  if (summary.error !== undefined) metrics.count('JobsFailed', 1, { code: summary.error.code });
  log.info('job_reported', { jobId, state: summary.state, rows: summary.rows });
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
  { rows, counts, files, isUploadGone }: Tables,
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
    warnings: isUploadGone ? [...manifest.warnings, uploadGone] : manifest.warnings,
    columns: manifest.columns ?? { used: {}, ignored: [] },
    files: [...files],
    ...(end === undefined ? {} : { error: { code: end.code, message: end.message } }),
  };
}
