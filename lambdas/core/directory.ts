/**
 * The users, roles and organizations that the DoiT organization had when a job began.
 */
import { emailKey } from './email.ts';
import type { Status } from './outcome.ts';

export interface DirectoryUser {
  readonly id: string;
  readonly email: string;
  /** As the API spells it: `active`, `invited`, with capitals and other values too. */
  readonly status: string;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Directory {
  readonly users: readonly DirectoryUser[];
  /** Absent where the upload and the settings name no role, so that nothing was asked. */
  readonly roles?: readonly Named[];
  readonly organizations?: readonly Named[];
}

/** Users by the key of their email address. */
export type UsersByEmail = ReadonlyMap<string, Pick<DirectoryUser, 'id' | 'status'>>;

export function usersByEmail(directory: Directory): UsersByEmail {
  return new Map(directory.users.map(({ email, id, status }) => [emailKey(email), { id, status }]));
}

export type AlreadyStatus = Extract<Status, 'already_active' | 'already_invited' | 'already_exists'>;

/** What a row of someone with this user status becomes. */
export function alreadyStatus(userStatus: string): AlreadyStatus {
  switch (userStatus.toLowerCase()) {
    case 'active':
      return 'already_active';
    case 'invited':
      return 'already_invited';
    default:
      return 'already_exists';
  }
}

export type Resolution =
  | { readonly kind: 'found'; readonly id: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] };

/** Roles or organizations, ready to be looked up by id or by name. */
export interface NamedIndex {
  readonly names: readonly string[];
  readonly ids: ReadonlySet<string>;
  readonly idsBySpelling: ReadonlyMap<string, readonly string[]>;
}

export function indexNamed(all: readonly Named[]): NamedIndex {
  const idsBySpelling = new Map<string, string[]>();
  for (const { id, name } of all) idsBySpelling.set(spelling(name), [...(idsBySpelling.get(spelling(name)) ?? []), id]);
  return { names: all.map(({ name }) => name), ids: new Set(all.map(({ id }) => id)), idsBySpelling };
}

/** Finds a role or an organization by its id, or else by its name without regard to case, blanks and punctuation. */
export function resolveNamed(text: string, index: NamedIndex): Resolution {
  const wanted = text.trim();
  if (index.ids.has(wanted)) return { kind: 'found', id: wanted };
  const ids = index.idsBySpelling.get(spelling(wanted)) ?? [];
  if (ids.length > 1) return { kind: 'ambiguous', ids };
  const only = ids[0];
  return only === undefined ? { kind: 'unknown' } : { kind: 'found', id: only };
}

function spelling(name: string): string {
  const letters = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return letters === '' ? name.toLowerCase() : letters;
}
