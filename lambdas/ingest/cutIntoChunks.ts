/**
 * Reads the whole upload: each row is settled at once, or becomes an invitee of a chunk.
 */
import type { Chunk } from '../core/chunk.ts';
import type { Columns } from '../core/columns.ts';
import { type Directory, indexNamed, type NamedIndex, resolveNamed, usersByEmail } from '../core/directory.ts';
import { type FaultCode, WholeFileFault } from '../core/fault.ts';
import { type InviteeRow, type JudgeContext, judgeRow } from '../core/judge.ts';
import { listNames, quote } from '../core/quote.ts';
import { createChunk } from '../ledger/chunk.ts';
import type { Job } from '../ledger/job.ts';
import type { PartWriter } from '../ledger/part.ts';
import type { CsvRecord, NewToken, ObjectStore } from '../ports.ts';

export interface Cut {
  readonly rows: number;
  readonly invitees: number;
  readonly chunks: number;
}

/**
 * Writes the chunks, and the outcomes of the other rows into the part. Memory grows by one small entry for each distinct
 * email address.
 *
 * @throws WholeFileFault `unknown_default_role` or `unknown_default_organization`, or what reading the records throws.
 */
export async function cutIntoChunks(
  job: Job,
  columns: Columns,
  directory: Directory,
  records: AsyncIterable<CsvRecord>,
  part: PartWriter,
  store: ObjectStore,
  newToken: NewToken,
): Promise<Cut> {
  const context = judgeContext(job, columns, directory);
  const firstRowByEmail = new Map<string, number>();
  let rows = 0;
  let invitees = 0;
  let chunks = 0;
  let waiting: InviteeRow[] = [];
  let isHeader = true;
  for await (const { row, cells } of records) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    rows += 1;
    const judgement = judgeRow(row, cells, context, firstRowByEmail);
    if (judgement.kind === 'settled') {
      await part.add(judgement.outcome);
      continue;
    }
    invitees += 1;
    waiting.push(judgement.inviteeRow);
    if (waiting.length === job.settings.chunkRows) await writeChunk();
  }
  if (waiting.length > 0) await writeChunk();
  return { rows, invitees, chunks };

  async function writeChunk(): Promise<void> {
    await createChunk(store, job.jobId, newChunk(job, chunks, newToken(), waiting));
    chunks += 1;
    waiting = [];
  }
}

function newChunk(job: Job, chunk: number, token: string, inviteeRows: readonly InviteeRow[]): Chunk {
  return {
    jobId: job.jobId,
    chunk,
    token,
    state: { kind: 'waiting' },
    rows: inviteeRows.map((inviteeRow) => ({ ...inviteeRow, attempts: 0 })),
    crashesWithoutProgress: 0,
    apiCalls: {},
  };
}

function judgeContext(job: Job, columns: Columns, directory: Directory): JudgeContext {
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
