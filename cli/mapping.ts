/**
 * The choice of columns on the command line, `--map email="Work Email"`, and as the metadata of an upload.
 */
import { fields, type Mapping } from '../lambdas/core/columns.ts';

/** @throws Error that says what was expected. */
export function addToMapping(text: string, mapping: Mapping): Mapping {
  const equals = text.indexOf('=');
  const field = fields.find((each) => each.toLowerCase() === text.slice(0, equals).trim().toLowerCase());
  if (equals > 0 && field !== undefined) return { ...mapping, [field]: text.slice(equals + 1) };
  throw new Error(`It must be like email="Work Email"; the fields are ${fields.join(', ')}.`);
}

/** A header of HTTP holds ASCII only, so the names are URL-encoded. */
export function mappingMetadata(mapping: Mapping): Record<string, string> {
  const entries = Object.entries(mapping).map(([field, header]) => [
    `map-${field.toLowerCase()}`,
    encodeURIComponent(header),
  ]);
  return Object.fromEntries(entries);
}
