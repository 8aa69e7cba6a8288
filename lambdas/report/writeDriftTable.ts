/**
 * `drift.csv`: how the directory differs from the roster, for people.
 */
import { type Drift, type DriftKind, driftKinds, driftMeanings } from '../core/drift.ts';
import type { JobId } from '../core/jobId.ts';
import { writeLimits } from '../core/limits.ts';
import { readDrift } from '../ledger/drift.ts';
import type { ReportFileEntry } from '../ledger/summary.ts';
import type { CsvFormat, ObjectStore } from '../ports.ts';
import { type ReportPlace, writeReportFile } from './reportFile.ts';

const header = ['drift', 'email', 'user_id', 'user_status', 'row', 'in_roster', 'in_doit', 'open_since', 'meaning'];
const dialect = { delimiter: ',', newline: '\n' } as const;
const byteOrderMark = '\ufeff';

export interface DriftTable {
  readonly file: ReportFileEntry;
  readonly counts: Readonly<Record<DriftKind, number>>;
}

export async function writeDriftTable(
  store: ObjectStore,
  csv: CsvFormat,
  jobId: JobId,
  place: ReportPlace,
): Promise<DriftTable> {
  const file = writeReportFile(store, place, 'drift.csv', 'text/csv; charset=utf-8');
  const counts = Object.fromEntries(driftKinds.map((kind) => [kind, 0])) as Record<DriftKind, number>;
  let lines: (readonly string[])[] = [];
  const format = () => {
    if (lines.length > 0) file.add(csv.format(lines, dialect), lines.length);
    lines = [];
  };
  try {
    file.add(byteOrderMark + csv.format([header], dialect), 0);
    for await (const drift of readDrift(store, jobId)) {
      counts[drift.kind] += 1;
      lines.push(lineOf(drift));
      if (lines.length < writeLimits.linesAtOnce) continue;
      format();
      await file.flush();
    }
    format();
    return { file: await file.close(), counts };
  } catch (error) {
    await file.abort();
    throw error;
  }
}

function lineOf({ kind, email, userId, userStatus, row, inRoster, inDirectory, sinceMs }: Drift): string[] {
  return [
    kind,
    email,
    userId,
    userStatus,
    row === undefined ? '' : String(row),
    inRoster ?? '',
    inDirectory ?? '',
    sinceMs === undefined ? '' : new Date(sinceMs).toISOString(),
    driftMeanings[kind],
  ];
}
