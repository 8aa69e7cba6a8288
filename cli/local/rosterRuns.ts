/**
 * Runs of rosters in a data folder. Each is noted before it begins, as `runs/<job id>.json`, and the note is removed when its
 * report is with the person: what is noted is unfinished.
 */
import { createReadStream, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { Upload as MultipartUpload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import { compactTime } from '../../lambdas/core/compactTime.ts';
import { type JobId, rosterRunId } from '../../lambdas/core/jobId.ts';
import { jobKey, rosterUploadsPrefix } from '../../lambdas/core/keys.ts';
import { ledgerLimits } from '../../lambdas/core/limits.ts';
import { checkRosterMessage, type RosterMessage } from '../../lambdas/ledger/messages.ts';
import { parseRecord, readRecord, writeRecordOnce } from '../../lambdas/ledger/record.ts';
import { readRosterRun } from '../../lambdas/ledger/rosterRun.ts';
import type { JobRef } from '../place/place.ts';
import { UserError } from '../userError.ts';
import { type JobSettings, settingsSchema } from './jobSettings.ts';
import { stageOf, type UnfinishedStage } from './jobStage.ts';
import type { LocalStorage } from './localStorage.ts';
import { targetName } from './target.ts';

/** What a run does; the rest is in the settings that it has in common with other jobs. */
export type RosterRequest = Omit<RosterMessage['roster'], 'key' | 'role' | 'organization'>;

export interface RunNote {
  readonly file: string;
  readonly settings: JobSettings;
  readonly message: RosterMessage;
}

export interface UnfinishedRun extends JobRef, RunNote {
  readonly stage: UnfinishedStage;
}

const notesPrefix = 'runs/';
const dryRunFolder = 'dry-run/';

const noteSchema = z.strictObject({ file: z.string(), settings: settingsSchema, message: z.unknown() });

/**
 * Runs are measured by those before them, so those of one roster all have the same target: a trial in the sandbox would end a
 * held run of a real organization, and say how many rows its next one should have.
 *
 * @throws UserError where earlier runs had another one.
 */
export async function expectTarget(name: string, { api }: JobSettings, { store }: LocalStorage): Promise<void> {
  const wanted = targetName(api);
  const noted = (await readRecord<string>(store, targetKey(name), z.string()))?.value;
  if (noted === undefined || noted === wanted) return;
  throw new UserError(
    `The runs of the roster “${name}” in this data folder were for ${noted}, and this one is for ${wanted}. A run is measured by those before it: ` +
      'choose another name with --name, or another data folder with --data.',
  );
}

/** Stores the file, notes the run and starts it. */
export async function startRun(
  file: string,
  request: RosterRequest,
  settings: JobSettings,
  storage: LocalStorage,
): Promise<JobRef> {
  const { services, store, s3, bucket } = storage;
  // A run that is held needs its own file for as long as a dry run may come.
  const folder = request.dryRun === true ? dryRunFolder : '';
  const key = `${rosterUploadsPrefix}${folder}${request.name}.csv${file.endsWith('.gz') ? '.gz' : ''}`;
  const refreshedAtMs = Math.floor(statSync(file).mtimeMs);
  const params = { Bucket: bucket, Key: key, Body: createReadStream(file), ContentType: 'text/csv' };
  await new MultipartUpload({ client: s3, params }).done();
  const scheduledAtMs = await momentAfterLast(request.name, storage);
  const roster = { ...request, key };
  await writeRecordOnce(store, targetKey(request.name), targetName(settings.api), z.string());
  const message = { roster, scheduledAt: new Date(scheduledAtMs).toISOString(), refreshedAtMs };
  const jobId = rosterRunId(bucket, roster, scheduledAtMs);
  const note: RunNote = { file, settings, message };
  await store.put(noteKey(jobId), JSON.stringify(note), { kind: 'always' });
  services.startRoster(message);
  return { jobId, uploadKey: key };
}

/** Where it was cut off between its note and its start. What has begun has a message of its own. */
export async function startAgain({ jobId }: JobRef, storage: LocalStorage): Promise<void> {
  const note = await readRunNote(storage, jobId);
  const hasBegun = (await storage.store.head(jobKey(jobId))) !== undefined;
  if (note !== undefined && !hasBegun) storage.services.startRoster(note.message);
}

/** The oldest first. */
export async function* unfinishedRuns({ store, bucket }: LocalStorage): AsyncGenerator<UnfinishedRun> {
  for await (const { key } of store.list(notesPrefix)) {
    const note = await readNote(store, key);
    if (note === undefined) continue;
    const { roster, scheduledAt } = note.message;
    const job = { jobId: rosterRunId(bucket, roster, Date.parse(scheduledAt)), uploadKey: roster.key };
    const stage = await stageOf(store, job);
    if (stage !== 'lapsed') yield { ...job, ...note, stage };
  }
}

/** Undefined where the job is no run of a roster, or its report was delivered. */
export async function readRunNote({ store }: LocalStorage, jobId: JobId): Promise<RunNote | undefined> {
  return await readNote(store, noteKey(jobId));
}

/** Told when the report is with the person. */
export async function forgetRun({ s3, bucket }: LocalStorage, jobId: JobId): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: noteKey(jobId) }));
}

async function readNote(store: LocalStorage['store'], key: string): Promise<RunNote | undefined> {
  const stored = await store.readText(key, ledgerLimits.recordBytesMax);
  if (stored === undefined) return undefined;
  const { message, ...note } = parseRecord(key, stored.text, noteSchema);
  return { ...note, message: checkRosterMessage(message) };
}

function targetKey(name: string): string {
  return `roster-targets/${name}.json`;
}

function noteKey(jobId: JobId): string {
  return `${notesPrefix}${jobId}.json`;
}

/** Ids of runs sort by whole seconds, and a run that does not come after the last one is not begun. */
async function momentAfterLast(name: string, { store }: LocalStorage): Promise<number> {
  const last = (await readRosterRun(store, name))?.value.jobId.split('-')[0] ?? '';
  if (compactTime(Date.now()) === last) await wait(1000);
  return Date.now();
}
