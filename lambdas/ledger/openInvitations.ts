/**
 * `rosters/<name>/open.json`: since when invitations are seen to be open, because the API does not tell. Written by ingest
 * with what a run has found, and by the report with what the run has sent again.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { openInvitationsKey } from '../core/keys.ts';
import { rosterLimits } from '../core/limits.ts';
import type { OpenInvitation, OpenInvitations } from '../core/roster.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, type Stored, sealedJson } from './record.ts';
import { jobIdSchema, timeSchema } from './schemas.ts';

const openSchema = z.strictObject({
  /** The run that wrote it. */
  jobId: jobIdSchema,
  /** Ids of users: of them alone, nobody can tell who it is. */
  open: z.array(z.tuple([z.string(), timeSchema, z.enum(['open', 'expired'])])),
});

type StoredOpen = z.output<typeof openSchema>;

export async function readOpenInvitations(store: ObjectStore, name: string): Promise<OpenInvitations> {
  return mapOf(await read(store, name));
}

/**
 * Does nothing where a later run has written by now, or this very one: it has found the same, and may have sent some of them
 * again since.
 */
export async function writeOpenInvitations(
  store: ObjectStore,
  name: string,
  jobId: JobId,
  open: OpenInvitations,
): Promise<void> {
  const stored = await read(store, name);
  if (stored === undefined || stored.value.jobId < jobId) await put(store, name, jobId, open, stored?.etag);
}

/** An invitation that was sent again is a new one. Does nothing where a later run has written by now. */
export async function noteResent(
  store: ObjectStore,
  name: string,
  jobId: JobId,
  userIds: readonly string[],
  atMs: number,
): Promise<void> {
  const stored = await read(store, name);
  if (stored?.value.jobId !== jobId) return;
  const renewed: OpenInvitation = { state: 'open', sinceMs: atMs };
  const open = new Map([...mapOf(stored), ...userIds.map((userId) => [userId, renewed] as const)]);
  await put(store, name, jobId, open, stored.etag);
}

function mapOf(stored: Stored<StoredOpen> | undefined): OpenInvitations {
  return new Map(stored?.value.open.map(([userId, sinceMs, state]) => [userId, { sinceMs, state }]));
}

async function read(store: ObjectStore, name: string): Promise<Stored<StoredOpen> | undefined> {
  const bytesMax = rosterLimits.openInvitationsBytesMax;
  return await readRecord<StoredOpen>(store, openInvitationsKey(name), openSchema, sealedJson, bytesMax);
}

/** Where somebody else has changed it meanwhile, it is a repetition of the same, or a later run. */
async function put(
  store: ObjectStore,
  name: string,
  jobId: JobId,
  open: OpenInvitations,
  etag: string | undefined,
): Promise<void> {
  const condition = etag === undefined ? ({ kind: 'if_absent' } as const) : ({ kind: 'if_match', etag } as const);
  const lines = [...open].map(([userId, { sinceMs, state }]) => [userId, sinceMs, state]);
  await store.put(openInvitationsKey(name), sealedJson.write({ jobId, open: lines }), condition);
}
