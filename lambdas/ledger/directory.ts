/**
 * `directory.json`: the directory snapshot. The first writer wins, so a second run of ingest judges by the same one.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Directory, DirectoryUser } from '../core/directory.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { directoryKey } from '../core/keys.ts';
import { ledgerLimits, writeLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';
import { readRecord, sealedJson } from './record.ts';
import { timeSchema } from './schemas.ts';
import { sealAfter } from './seal.ts';

const namedSchema = z.strictObject({ id: z.string(), name: z.string() });

/** A user is a tuple here, because there may be hundreds of thousands of them: id, email, status, and for a roster role and organization, empty where there is none. */
const directorySchema = z.strictObject({
  takenAtMs: timeSchema,
  overlaps: z.boolean(),
  users: z.array(z.tuple([z.string(), z.string(), z.string()], z.string())),
  roles: z.array(namedSchema).exactOptional(),
  organizations: z.array(namedSchema).exactOptional(),
});

type StoredDirectory = z.output<typeof directorySchema>;

export async function readDirectory(store: ObjectStore, jobId: JobId): Promise<Directory | undefined> {
  const stored = await readRecord<StoredDirectory>(
    store,
    directoryKey(jobId),
    directorySchema,
    sealedJson,
    ledgerLimits.directoryBytesMax,
  );
  if (stored === undefined) return undefined;
  const { users, ...rest } = stored.value;
  return { ...rest, users: users.map(userOf) };
}

function userOf([id, email, status, roleId = '', organizationId = '']: readonly string[]): DirectoryUser {
  return {
    id: id ?? '',
    email: email ?? '',
    status: status ?? '',
    ...(roleId === '' ? {} : { roleId }),
    ...(organizationId === '' ? {} : { organizationId }),
  };
}

function tupleOf({ id, email, status, roleId, organizationId }: DirectoryUser): string[] {
  const isKnown = roleId !== undefined || organizationId !== undefined;
  return [id, email, status, ...(isKnown ? [roleId ?? '', organizationId ?? ''] : [])];
}

/** Gives the snapshot that is stored afterwards: an earlier one stands. */
export async function writeDirectory(store: ObjectStore, jobId: JobId, directory: Directory): Promise<Directory> {
  const { users, ...rest } = directory;
  const head = JSON.stringify(rest);
  const writer = store.writer(directoryKey(jobId), 'application/json', { kind: 'if_absent' });
  const hash = createHash('sha256');
  const write = async (text: string) => {
    hash.update(text);
    await writer.write(text);
  };
  try {
    await write(`${head.slice(0, -1)},"users":[`);
    for (let start = 0; start < users.length; start += writeLimits.usersAtOnce) {
      const batch = users.slice(start, start + writeLimits.usersAtOnce).map((user) => JSON.stringify(tupleOf(user)));
      await write(`${start === 0 ? '' : ','}${batch.join(',')}`);
    }
    await write(']');
    await writer.write(sealAfter(hash));
  } catch (error) {
    await writer.abort();
    throw error;
  }
  if ((await writer.close()).kind === 'written') return directory;
  const earlier = await readDirectory(store, jobId);
  if (earlier === undefined)
    throw new BrokenInvariant(`The directory snapshot of job ${jobId} was there, and is gone now.`);
  return earlier;
}
