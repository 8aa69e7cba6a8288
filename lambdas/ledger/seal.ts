/**
 * A checksum at the end of the objects that decide who is invited. One that was cut off or changed, or that something else
 * wrote, is refused before anything in it is believed: a schema cannot tell a wrong address from the right one.
 */
import { createHash, type Hash } from 'node:crypto';
import { BrokenInvariant } from '../core/fault.ts';

/** @param json An object with at least one member. */
export function seal(json: string): string {
  const body = json.slice(0, -1);
  return `${body}${sealAfter(createHash('sha256').update(body))}`;
}

/** What follows the text that the hash has seen: all of the object but its last brace. */
export function sealAfter(hash: Hash): string {
  return `,"sha256":"${hash.digest('hex')}"}`;
}

const sealCharacters = ',"sha256":""}'.length + 64;

/**
 * Gives the object as it was sealed.
 *
 * @throws BrokenInvariant where the checksum is missing or of another text.
 */
export function unseal(name: string, text: string): string {
  const body = text.slice(0, -sealCharacters);
  if (text.slice(-sealCharacters) === sealAfter(createHash('sha256').update(body))) return `${body}}`;
  throw new BrokenInvariant(
    `${name} does not end with the checksum of its content: it was cut off or changed, or something else wrote it.`,
  );
}
