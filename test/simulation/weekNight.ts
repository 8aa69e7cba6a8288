/**
 * What one run of a drawn week left behind, and what the world saw of it.
 */
import { parse } from 'csv-parse/sync';
import { directoryKey, endKey, jobKey, manifestKey, reportKey, stopKey } from '../../lambdas/core/keys.ts';
import type { Job } from '../../lambdas/ledger/job.ts';
import type { Manifest } from '../../lambdas/ledger/manifest.ts';
import type { Stop } from '../../lambdas/ledger/stop.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { type Evidence, type ReportedRow, reportedRows, type SimulatedJob, stopOf } from './checks.ts';
import type { PersonCall, User } from './doitApiModel.ts';
import { peopleOfExport } from './drawnExports.ts';
import type { FaultKind } from './faults.ts';
import type { Person } from './week.ts';

export type Run = SimulatedJob & { readonly run: NonNullable<SimulatedJob['run']> };

export interface WeekEvidence extends Evidence {
  /** What went wrong, or changed in the directory, and when. */
  readonly troubles: readonly { readonly atMs: number; readonly kind: FaultKind | 'directory' }[];
}

/** The directory as the API gave it to the run. */
export interface Snapshot {
  readonly users: readonly User[];
  readonly takenAtMs: number;
  readonly writtenAtMs: number;
}

export interface Night {
  readonly run: Run;
  readonly people: readonly Person[];
  readonly source: Partial<Job['source']>;
  readonly begunAtMs: number;
  readonly manifest: Partial<Manifest>;
  readonly manifestAtMs: number;
  /** Undefined where there is none, or none that the API had given. */
  readonly snapshot: Snapshot | undefined;
  readonly hasSnapshot: boolean;
  readonly summary: Partial<Summary>;
  /** When its last report was begun for the first time: from then on its end may be known. */
  readonly reportBegunAtMs: number;
  /** When the last report was there, within a second. */
  readonly reportedAtMs: number;
  readonly rows: readonly ReportedRow[];
  /** Undefined where there is no such table. */
  readonly drift: readonly DriftEntry[] | undefined;
  readonly stop: Stop | undefined;
  readonly stoppedAtMs: number;
  readonly approvedAtMs: number;
  /** Invitations and resendings. */
  readonly posts: readonly PersonCall[];
}

export interface DriftEntry {
  readonly line: string;
  readonly sinceMs: number | undefined;
}

/** What clocks may be off, and the whole seconds of the store's times. */
export const clockSlackMs = 2000;

export function nightOf(run: Run, evidence: Evidence): Night {
  const { store, api, firstWrittenAtMs, approvedAtMs } = evidence;
  const { jobId, key } = run;
  const read = <T>(objectKey: string) => JSON.parse(store.text(objectKey) ?? '{}') as Partial<T>;
  const summaryKey = reportKey(key, jobId, 'summary.json');
  const timeOf = (objectKey: string) => firstWrittenAtMs.get(objectKey) ?? Number.POSITIVE_INFINITY;
  const { source = {} } = read<Job>(jobKey(jobId));
  return {
    run,
    people: peopleOfExport(run.roster),
    source,
    begunAtMs: timeOf(jobKey(jobId)),
    manifest: read<Manifest>(manifestKey(jobId)),
    manifestAtMs: timeOf(manifestKey(jobId)),
    snapshot: snapshotOf(run, evidence),
    hasSnapshot: store.text(directoryKey(jobId)) !== undefined,
    summary: read<Summary>(summaryKey),
    reportBegunAtMs: timeOf(endKey(jobId)),
    reportedAtMs: store.versions(summaryKey).at(-1)?.modifiedAtMs ?? Number.POSITIVE_INFINITY,
    rows: reportedRows(store.text(reportKey(key, jobId, 'results.csv')) ?? ''),
    drift: driftOf(store.text(reportKey(key, jobId, 'drift.csv'))),
    stop: stopOf(jobId, store),
    stoppedAtMs: timeOf(stopKey(jobId)),
    approvedAtMs: approvedAtMs.get(jobId) ?? Number.POSITIVE_INFINITY,
    posts: api.personCalls.filter((call) => call.jobId === jobId && call.kind !== 'look_up'),
  };
}

/** The list that the run has kept: one that the API gave it, and no other. */
function snapshotOf({ jobId }: Run, { store, api, firstWrittenAtMs }: Evidence): Snapshot | undefined {
  const key = directoryKey(jobId);
  const { takenAtMs = 0, users: kept = [] } = JSON.parse(store.text(key) ?? '{}') as {
    takenAtMs?: number;
    users?: string[][];
  };
  const writtenAtMs = firstWrittenAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
  const wanted = kept.map(([id, email, status, roleId = '', organizationId = '']) =>
    [id, email, status, roleId, organizationId].join('|'),
  );
  const list = api.generalReads.find(({ askedAtMs, httpStatus, read }) => {
    if (read === undefined || httpStatus !== 200) return false;
    if (askedAtMs < takenAtMs - clockSlackMs || read.atMs > writtenAtMs) return false;
    return read.users.map(lineOf).join('\n') === wanted.join('\n');
  });
  return list?.read === undefined ? undefined : { users: list.read.users, takenAtMs, writtenAtMs };
}

function lineOf({ id, email, status, roleId = '', organizationId = '' }: User): string {
  return [id, email, status, roleId, organizationId].join('|');
}

function driftOf(text: string | undefined): DriftEntry[] | undefined {
  if (text === undefined) return undefined;
  const records = parse(text, { bom: true, columns: true }) as { [name: string]: string }[];
  return records.map((record) => {
    const since = record['open_since'] ?? '';
    return {
      line: ['drift', 'email', 'row', 'in_roster', 'in_doit'].map((name) => record[name] ?? '').join('|'),
      sinceMs: since === '' ? undefined : Date.parse(since),
    };
  });
}

/** Calls and copies that were left behind come to their end within this time. */
export const aftermathMs = 5 * 60_000;

/** Whether nothing went wrong in that time, and nothing shortly before that may still have come. */
export function isQuiet({ troubles }: WeekEvidence, fromMs: number, toMs: number): boolean {
  return !troubles.some(({ atMs, kind }) => {
    const beforeMs = kind === 'api_down' || kind === 'directory' ? 0 : aftermathMs;
    return atMs >= fromMs - beforeMs && atMs <= toMs + clockSlackMs;
  });
}
