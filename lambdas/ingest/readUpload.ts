/**
 * Reads and judges a whole upload, and ends with the manifest: of what was found, or of the fault of the whole upload.
 */
import { type ApiCalls, addApiCall } from '../core/apiCalls.ts';
import { type Columns, describeColumns, readColumns } from '../core/columns.ts';
import { type Fault, WholeFileFault } from '../core/fault.ts';
import { type HoldReason, holdReasons } from '../core/hold.ts';
import { ingestPartKey } from '../core/keys.ts';
import { uploadLimits } from '../core/limits.ts';
import { findReading, headerOnly, isRow, type Reading } from '../core/reading.ts';
import type { TextRecord } from '../core/recordReader.ts';
import type { Job } from '../ledger/job.ts';
import { type Manifest, writeManifest } from '../ledger/manifest.ts';
import { writePart } from '../ledger/part.ts';
import type { DirectoryApi } from '../ports.ts';
import { type Cut, cutIntoChunks, judgeContext } from './cutIntoChunks.ts';
import type { IngestPorts } from './ingest.ts';
import { reconcile } from './reconcile.ts';
import { takeSnapshot } from './takeSnapshot.ts';

type Known = Pick<Manifest, 'reading' | 'columns'>;
type Found = ReturnType<typeof findReading>;

/**
 * @param rowsBefore Rows of the last completed run, where the job is one of a roster.
 * @throws ApiUnavailable where asking again later may help.
 */
export async function readUpload(job: Job, rowsBefore: number | undefined, ports: IngestPorts): Promise<Manifest> {
  const { store, connectApi, clock, log, metrics } = ports;
  let apiCalls: ApiCalls = {};
  const api = connectApi((operation, answer) => {
    apiCalls = addApiCall(apiCalls, operation, answer);
  });
  let found: Found | undefined;
  let columns: Columns | undefined;
  try {
    found = await inspectUpload(job, ports);
    columns = readColumns(found.header, job.settings.mapping);
    const { cut, users } = await judgeAll(job, found.reading, columns, api, ports);
    const { rows, invitees, chunks, resends, settled } = cut;
    log.info('upload_read', { jobId: job.jobId, rows, invitees, chunks });
    const hold = holdsOf(job, cut, users, rowsBefore);
    const manifest = await writeManifest(store, job.jobId, {
      rows,
      invitees,
      chunks,
      ...(resends > 0 ? { resends } : {}),
      warnings: [...columns.warnings, ...cut.warnings, ...(job.settings.dryRun ? hold.map(wouldBeHeld) : [])],
      ...(hold.length > 0 && !job.settings.dryRun ? { hold } : {}),
      ...describe(found, columns),
      apiCalls,
      endedAtMs: clock.now(),
    });
    for (const [status, count] of Object.entries(settled)) if (count > 0) metrics.count('Rows', count, { status });
    return manifest;
  } catch (error) {
    if (!(error instanceof WholeFileFault)) throw error;
    log.error('upload_refused', { jobId: job.jobId, code: error.fault.code }, undefined);
    return await writeManifest(store, job.jobId, faulty(error.fault, describe(found, columns), apiCalls, clock.now()));
  }
}

/** What is known of an upload that is not to be judged, for the report. Nothing, where it is gone or cannot be read. */
export async function describeUpload(job: Job, ports: IngestPorts): Promise<Known> {
  try {
    return describe(await inspectUpload(job, ports), undefined);
  } catch (error) {
    if (!(error instanceof WholeFileFault)) throw error;
    return {};
  }
}

export function faulty(fault: Fault, known: Known, apiCalls: ApiCalls, endedAtMs: number): Manifest {
  return { chunks: 0, invitees: 0, warnings: [], fault, ...known, apiCalls, endedAtMs };
}

function holdsOf(job: Job, cut: Cut, users: number, rowsBefore: number | undefined): HoldReason[] {
  const { newPeopleMax, newPeopleWish } = job.settings;
  return holdReasons(
    {
      rows: cut.rows,
      invalid: cut.settled.invalid,
      invitations: cut.invitations,
      users,
      ...(rowsBefore === undefined ? {} : { rowsBefore }),
    },
    {
      ...(newPeopleMax === undefined ? {} : { newPeopleMax }),
      ...(newPeopleWish === undefined ? {} : { newPeopleWish }),
      ...(job.roster === undefined ? {} : { roster: job.roster }),
    },
  );
}

function wouldBeHeld({ message }: HoldReason): string {
  return `For real, this would be held until somebody approves it: ${message}`;
}

/** The file is looked at as a whole first: one that cannot work fails before any call to the API. */
async function inspectUpload(job: Job, ports: IngestPorts): Promise<Found> {
  const { bytes } = job.source;
  if (bytes > uploadLimits.uploadBytesMax) {
    const limit = `${uploadLimits.uploadBytesMax / 1024 / 1024} MiB`;
    throw new WholeFileFault(
      'file_too_large',
      `The file has ${bytes} bytes, and at most ${limit} are read. Split it and upload the pieces.`,
    );
  }
  const { mapping, mappingFault } = job.settings;
  if (mappingFault !== undefined) throw new WholeFileFault('bad_mapping', mappingFault);
  return findReading(await ports.csv.inspect(await openUpload(job, ports)), mapping);
}

async function judgeAll(
  job: Job,
  reading: Reading,
  columns: Columns,
  api: DirectoryApi,
  ports: IngestPorts,
): Promise<{ readonly cut: Cut; readonly users: number }> {
  const { store, clock, newToken, csv } = ports;
  const { role, organization, dryRun } = job.settings;
  const directory = await takeSnapshot(store, clock, api, job.jobId, {
    roles: columns.indexByField.role !== undefined || role !== undefined,
    organizations: columns.indexByField.organization !== undefined || organization !== undefined,
    access: job.roster !== undefined,
    invitations: !dryRun,
  });
  const context = judgeContext(job, reading, columns, directory);
  const records = csv.read(await openUpload(job, ports), reading);
  const reconciliation = await reconcile(job, context, directory, ports);
  const part = writePart(store, ingestPartKey(job.jobId));
  try {
    const cut = await cutIntoChunks(
      { job, context, directory, reconciliation },
      rowsOf(records, reading),
      part,
      store,
      newToken,
    );
    if (cut.rows === 0) throw headerOnly();
    const warnings = [...cut.warnings, ...((await reconciliation?.end()) ?? [])];
    await part.close({}, clock.now());
    return { cut: { ...cut, warnings }, users: directory.users.length };
  } catch (error) {
    await part.abort();
    await reconciliation?.abort();
    throw error;
  }
}

async function* rowsOf(batches: AsyncIterable<readonly TextRecord[]>, reading: Reading): AsyncGenerator<TextRecord[]> {
  for await (const batch of batches) yield batch.filter((record) => isRow(record, reading));
}

async function openUpload(job: Job, { store }: IngestPorts): Promise<AsyncIterable<Uint8Array>> {
  const bytes = await store.readBytes(job.source);
  if (bytes !== undefined) return bytes;
  throw new WholeFileFault(
    'upload_replaced',
    'The file was replaced or deleted before it was read. What replaced it is a job of its own, or is read by the next run of its roster.',
  );
}

/** What is known of the upload, for the report. */
function describe(found: Found | undefined, columns: Columns | undefined): Known {
  const reading = found === undefined ? {} : { reading: found.reading };
  if (columns === undefined) return reading;
  return { ...reading, columns: describeColumns(columns) };
}
