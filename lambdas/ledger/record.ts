/**
 * Reading and writing the small JSON objects of the ledger, each through its schema.
 */
import type { z } from 'zod';
import { BrokenInvariant } from '../core/fault.ts';
import { ledgerLimits } from '../core/limits.ts';
import type { ObjectStore } from '../ports.ts';

export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

/**
 * Gives undefined where the object does not exist.
 *
 * @throws BrokenInvariant where the object is there but not what this code writes.
 */
export async function readRecord<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  bytesMax: number = ledgerLimits.recordBytesMax,
): Promise<Stored<T> | undefined> {
  const stored = await store.readText(key, bytesMax);
  return stored === undefined ? undefined : { value: parseRecord(key, stored.text, schema), etag: stored.etag };
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
  format: (value: T) => string = JSON.stringify,
): Promise<Stored<T> & { readonly wasThere: boolean }> {
  const result = await store.put(key, format(value), { kind: 'if_absent' });
  if (result.kind === 'written') return { value, etag: result.etag, wasThere: false };
  const stored = await readRecord(store, key, schema);
  if (stored === undefined) throw new BrokenInvariant(`${key} was there when it was to be written, and is gone now.`);
  return { ...stored, wasThere: true };
}

/** @throws BrokenInvariant that names the object and what is wrong, without quoting its content. */
export function parseRecord<T>(key: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BrokenInvariant(`${key} is not JSON: it was cut off, or something else wrote it.`);
  }
  return checkRecord(key, json, schema);
}

/** @throws BrokenInvariant that names the object and what is wrong, without quoting its content. */
export function checkRecord<T>(key: string, json: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const places = result.error.issues.map((issue) => `${issue.path.join('.')} (${issue.code})`).slice(0, 5);
  throw new BrokenInvariant(`${key} is not what was expected: ${places.join(', ')}.`);
}
