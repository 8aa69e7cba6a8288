/**
 * Which columns a person has chosen for an upload: with the upload itself, as its metadata, or for a whole folder, as the
 * object `mapping.json` beside the uploads.
 */
import { fields, type Mapping } from '../core/columns.ts';
import { BrokenInvariant } from '../core/fault.ts';
import { mappingKeysBeside } from '../core/keys.ts';
import { ledgerLimits } from '../core/limits.ts';
import { checkRecord, parseRecord } from '../ledger/record.ts';
import { mappingSchema } from '../ledger/schemas.ts';
import type { ObjectInfo, ObjectStore } from '../ports.ts';

/** Metadata `map-email: Work%20Email` chooses a column; its value is URL-encoded, because a header holds ASCII only. */
const metadataPrefix = 'map-';

/**
 * What the metadata chooses outranks `mapping.json`.
 *
 * @returns The mapping; or, where it is not one, what is wrong with it.
 */
export async function chooseMapping(
  object: ObjectInfo,
  store: ObjectStore,
): Promise<{ readonly mapping: Mapping; readonly mappingFault?: string }> {
  try {
    return { mapping: await readMapping(object, store) };
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    const expected = `It must be like {"email": "Work Email"}; the fields are ${fields.join(', ')}.`;
    return { mapping: {}, mappingFault: `${error.message} ${expected} Mend it and upload the file again.` };
  }
}

async function readMapping({ key, metadata }: ObjectInfo, store: ObjectStore): Promise<Mapping> {
  const ofFolder = await readFirst(mappingKeysBeside(key), store);
  const chosen = fields.flatMap((field) => {
    const value = metadata[`${metadataPrefix}${field.toLowerCase()}`];
    return value === undefined ? [] : [[field, decode(value)]];
  });
  return {
    ...ofFolder,
    ...checkRecord('The mapping in the metadata of an upload', Object.fromEntries(chosen), mappingSchema),
  };
}

async function readFirst(keys: readonly string[], store: ObjectStore): Promise<Mapping> {
  for (const key of keys) {
    const stored = await store.readText(key, ledgerLimits.mappingBytesMax);
    if (stored !== undefined) return parseRecord(key, stored.text, mappingSchema);
  }
  return {};
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
