/**
 * Reads the whole upload: each row is settled at once, or becomes an invitee of a chunk.
 */
import type { Chunk } from '../core/chunk.ts';
import type { Columns } from '../core/columns.ts';
import { type Directory, indexNamed, type NamedIndex, resolveNamed, usersByEmail } from '../core/directory.ts';
import { domainKey } from '../core/email.ts';
import { type FaultCode, WholeFileFault } from '../core/fault.ts';
import { type InviteeRow, type JudgeContext, judgeRow, newMemory, warningsOf } from '../core/judge.ts';
import { noCounts, type Status } from '../core/outcome.ts';
import { listNames, quote } from '../core/quote.ts';
import type { Reading } from '../core/reading.ts';
import type { TextRecord } from '../core/recordReader.ts';
import { createChunk } from '../ledger/chunk.ts';
import type { Job } from '../ledger/job.ts';
import type { PartWriter } from '../ledger/part.ts';
import type { NewToken, ObjectStore } from '../ports.ts';

export interface Cut {
  readonly rows: number;
  readonly invitees: number;
  readonly chunks: number;
  /** Rows that ended here, by status. */
  readonly settled: Readonly<Record<Status, number>>;
  /** For people. */
  readonly warnings: readonly string[];
}

/**
 * Writes the chunks, and the outcomes of the other rows into the part. Memory grows by one small entry for each distinct
 * email address.
 *
 * @throws WholeFileFault `unknown_default_role` or `unknown_default_organization`, or what reading the records throws.
 */
export async function cutIntoChunks(
  job: Job,
  context: JudgeContext,
  snapshot: Pick<Directory, 'takenAtMs' | 'overlaps'>,
  rowsOfUpload: AsyncIterable<readonly TextRecord[]>,
  part: PartWriter,
  store: ObjectStore,
  newToken: NewToken,
): Promise<Cut> {
  const memory = newMemory();
  const settled = noCounts();
  let rows = 0;
  let invitees = 0;
  let chunks = 0;
  let waiting: InviteeRow[] = [];
  for await (const batch of rowsOfUpload) {
    for (const record of batch) {
      rows += 1;
      const judgement = judgeRow(record, context, memory);
      if (judgement.kind === 'settled') {
        settled[judgement.outcome.status] += 1;
        if (part.add(judgement.outcome)) await part.flush();
        continue;
      }
      invitees += 1;
      waiting.push(judgement.inviteeRow);
      if (waiting.length === job.settings.chunkRows) await writeChunk();
    }
  }
  if (waiting.length > 0) await writeChunk();
  return { rows, invitees, chunks, settled, warnings: warningsOf(memory) };

  async function writeChunk(): Promise<void> {
    await createChunk(store, job.jobId, newChunk(job, chunks, newToken(), snapshot, waiting));
    chunks += 1;
    waiting = [];
  }
}

function newChunk(
  job: Job,
  chunk: number,
  token: string,
  { takenAtMs, overlaps }: Pick<Directory, 'takenAtMs' | 'overlaps'>,
  inviteeRows: readonly InviteeRow[],
): Chunk {
  return {
    jobId: job.jobId,
    chunk,
    token,
    state: { kind: 'waiting' },
    rows: inviteeRows.map((inviteeRow) => ({ ...inviteeRow, attempts: 0 })),
    snapshotAtMs: takenAtMs,
    overlaps,
    crashesWithoutProgress: 0,
    apiCalls: {},
  };
}

export function judgeContext(job: Job, reading: Reading, columns: Columns, directory: Directory): JudgeContext {
  const roles = indexNamed(directory.roles ?? []);
  const organizations = indexNamed(directory.organizations ?? []);
  const defaultRoleId = defaultId('role', 'unknown_default_role', job.settings.role, roles);
  const defaultOrganizationId = defaultId(
    'organization',
    'unknown_default_organization',
    job.settings.organization,
    organizations,
  );
  return {
    columns,
    users: usersByEmail(directory),
    roles,
    organizations,
    invitesGone: job.settings.invitesGone,
    allowedDomains: new Set(job.settings.allowedDomains.map(domainKey)),
    isEncodingGuessed: reading.encoding === 'windows-1252',
    ...(defaultRoleId === undefined ? {} : { defaultRoleId }),
    ...(defaultOrganizationId === undefined ? {} : { defaultOrganizationId }),
  };
}

function defaultId(what: string, code: FaultCode, setting: string | undefined, index: NamedIndex): string | undefined {
  if (setting === undefined) return undefined;
  const resolution = resolveNamed(setting, index);
  switch (resolution.kind) {
    case 'found':
      return resolution.id;
    case 'ambiguous': {
      const message = `Several have the name ${quote(setting)}; set the id of one as the default ${what}: ${listNames(resolution.ids)}.`;
      throw new WholeFileFault(code, message);
    }
    case 'unknown': {
      const message = `The default ${what} ${quote(setting)} does not exist. Known: ${listNames(index.names)}.`;
      throw new WholeFileFault(code, message);
    }
    default:
      return resolution satisfies never;
  }
}
