/**
 * Reading and writing the small JSON objects of the ledger, each through its schema.
 */
import type * as z from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import { jobsPrefix } from '../core/keys.ts';
import { ledgerLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';
import { seal, unseal } from './seal.ts';

export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

/** How an object's JSON stands in its text. */
export interface TextFormat {
  readonly write: (value: unknown) => string;
  /**
   * @param name Of the object, for the message.
   * @throws BrokenInvariant where the text does not have this format.
   */
  readonly read: (name: string, text: string) => string;
}

const plainJson: TextFormat = { write: JSON.stringify, read: (_name, text) => text };

export const sealedJson: TextFormat = { write: (value) => seal(JSON.stringify(value)), read: unseal };

/**
 * Gives undefined where the object does not exist.
 *
 * @throws BrokenInvariant where the object is there but not what this code writes.
 */
export async function readRecord<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  format: TextFormat = plainJson,
  bytesMax: number = ledgerLimits.recordBytesMax,
): Promise<Stored<T> | undefined> {
  const stored = await store.readText(key, bytesMax);
  if (stored === undefined) return undefined;
  const name = nameForLogs(key);
  return { value: parseRecord(name, format.read(name, stored.text), schema), etag: stored.etag };
}

/** The path of an upload is in the key of its report, and says who knows what; errors end in logs. */
function nameForLogs(key: string): string {
  return key.startsWith(jobsPrefix) ? key : key.split('/').slice(-2).join('/');
}

/**
 * The first writer wins: gives what is stored afterwards, whoever wrote it.
 *
 * @returns The stored value, and whether it was there before (or was written by an earlier try of ours).
 */
export async function writeRecordOnce<T>(
  store: ObjectStore,
  key: string,
  value: T,
  schema: z.ZodType<T>,
  format: TextFormat = plainJson,
): Promise<Stored<T> & { readonly wasThere: boolean }> {
  const result = await store.put(key, format.write(value), { kind: 'if_absent' });
  if (result.kind === 'written') return { value, etag: result.etag, wasThere: false };
  const stored = await readRecord(store, key, schema, format);
  if (stored === undefined)
    throw new BrokenInvariant(`${nameForLogs(key)} was there when it was to be written, and is gone now.`);
  return { ...stored, wasThere: true };
}

/** @throws BrokenInvariant that names the object and what is wrong, without quoting its content. */
export function parseRecord<T>(name: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BrokenInvariant(`${name} is not JSON: it was cut off, or something else wrote it.`);
  }
  return checkRecord(name, json, schema);
}

/** @throws BrokenInvariant that names the object and what is wrong, without quoting its content. */
export function checkRecord<T>(name: string, json: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const places = result.error.issues.slice(0, 5).map(({ path, code }) => `${placeOf(path)} (${code})`);
  throw new BrokenInvariant(`${name} is not what was expected: ${places.join(', ')}.`);
}

/** Members that are not named by us: in an object that is not ours, a name may be anything. */
const tables: ReadonlySet<PropertyKey> = new Set(['apiCalls', 'used', 'counts']);

function placeOf(path: readonly PropertyKey[]): string {
  const table = path.findIndex((step) => tables.has(step));
  const steps = (table < 0 ? path : path.slice(0, table + 1)).map(String);
  return steps.length === 0 ? 'the whole' : steps.join('.');
}
