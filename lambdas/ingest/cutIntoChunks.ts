/**
 * Reads the whole upload: each row is settled at once, or becomes an invitee of a chunk.
 */
import type { Chunk } from '../core/chunk.ts';
import type { Columns } from '../core/columns.ts';
import { type Directory, indexNamed, type NamedIndex, resolveNamed, usersByEmail } from '../core/directory.ts';
import { domainKey } from '../core/email.ts';
import { type FaultCode, WholeFileFault } from '../core/fault.ts';
import { type InviteeRow, type JudgeContext, type Judgement, judgeRow, newMemory, warningsOf } from '../core/judge.ts';
import { noCounts, type Outcome, type Status } from '../core/outcome.ts';
import { listNames, quote } from '../core/quote.ts';
import type { Reading } from '../core/reading.ts';
import type { TextRecord } from '../core/recordReader.ts';
import { createChunk } from '../ledger/chunk.ts';
import type { Job } from '../ledger/job.ts';
import type { PartWriter } from '../ledger/part.ts';
import type { NewToken, ObjectStore } from '../ports.ts';
import type { Reconciliation } from './reconcile.ts';

export interface Cut {
  readonly rows: number;
  readonly invitees: number;
  readonly chunks: number;
  /** Invitations that are sent again, among the invitees. */
  readonly resends: number;
  /** Invitations that are sent, or in a dry run would be, for the first time or again. */
  readonly invitations: number;
  /** Rows that ended here, by status. */
  readonly settled: Readonly<Record<Status, number>>;
  /** For people. */
  readonly warnings: readonly string[];
}

export interface Judging {
  readonly job: Job;
  readonly context: JudgeContext;
  readonly directory: Pick<Directory, 'takenAtMs' | 'overlaps'>;
  /** Where the job is a run of a roster. */
  readonly reconciliation: Reconciliation | undefined;
}

/**
 * Writes the chunks, and the outcomes of the other rows into the part. Memory grows by one small entry for each distinct
 * email address.
 *
 * @throws WholeFileFault `unknown_default_role` or `unknown_default_organization`, or what reading the records throws.
 */
export async function cutIntoChunks(
  { job, context, directory, reconciliation }: Judging,
  rowsOfUpload: AsyncIterable<readonly TextRecord[]>,
  part: PartWriter,
  store: ObjectStore,
  newToken: NewToken,
): Promise<Cut> {
  const memory = newMemory();
  const settled = noCounts();
  let rows = 0;
  let invitees = 0;
  let invitations = 0;
  let resends = 0;
  let chunks = 0;
  let waiting: InviteeRow[] = [];
  for await (const batch of rowsOfUpload) {
    for (const record of batch) {
      const written = take(record);
      // To wait once for each row would cost more than the work.
      if (written !== undefined) await written;
    }
    await reconciliation?.flush();
  }
  if (waiting.length > 0) await writeChunk();
  return { rows, invitees, chunks, resends, invitations, settled, warnings: warningsOf(memory) };

  function take(record: TextRecord): Promise<void> | undefined {
    rows += 1;
    const judgement = judgeRow(record, context, memory);
    const again = reconciliation?.see(record, judgement);
    const inviteeRow = judgement.kind === 'invitee' ? judgement.inviteeRow : again;
    if (inviteeRow !== undefined) invitations += 1;
    const outcome = settledNow(judgement, inviteeRow, job.settings.dryRun);
    if (outcome !== undefined) return settle(outcome);
    return inviteeRow === undefined ? undefined : leaveToWorkers(inviteeRow);
  }

  function settle(outcome: Outcome): Promise<void> | undefined {
    settled[outcome.status] += 1;
    return part.add(outcome) ? part.flush() : undefined;
  }

  function leaveToWorkers(inviteeRow: InviteeRow): Promise<void> | undefined {
    invitees += 1;
    if (inviteeRow.resendTo !== undefined) resends += 1;
    waiting.push(inviteeRow);
    return waiting.length === job.settings.chunkRows ? writeChunk() : undefined;
  }

  async function writeChunk(): Promise<void> {
    await createChunk(store, job.jobId, newChunk(job, chunks, newToken(), directory, waiting));
    chunks += 1;
    waiting = [];
  }
}

/** Undefined where a worker is to settle the row. In a dry run, none does. */
function settledNow(judgement: Judgement, inviteeRow: InviteeRow | undefined, dryRun: boolean): Outcome | undefined {
  if (inviteeRow === undefined) return judgement.kind === 'settled' ? judgement.outcome : undefined;
  if (!dryRun) return undefined;
  if (judgement.kind === 'settled') {
    const message = 'For real, this invitation would be sent again, because it has not been accepted for so long.';
    return { ...judgement.outcome, code: 'would_resend', message };
  }
  const { row, warning } = inviteeRow;
  const message = warning === undefined ? {} : { message: warning };
  return { row, status: 'would_invite', code: 'would_invite', ...message, attempts: 0 };
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
