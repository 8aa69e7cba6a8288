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
  /** Known where a roster asks for it. */
  readonly roleId?: string;
  readonly organizationId?: string;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Directory {
  /** When it was about to be read: whoever was a user then is in it. */
  readonly takenAtMs: number;
  /** Whether another job was inviting people at that time. */
  readonly overlaps: boolean;
  readonly users: readonly DirectoryUser[];
  /** Absent where the upload and the settings name no role, so that nothing was asked. */
  readonly roles?: readonly Named[];
  readonly organizations?: readonly Named[];
}

/** Users by the key of their email address. */
export type UsersByEmail = ReadonlyMap<string, Omit<DirectoryUser, 'email'>>;

export function usersByEmail(directory: Pick<Directory, 'users'>): UsersByEmail {
  return new Map(directory.users.map(({ email, ...user }) => [emailKey(email), user]));
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
  /** One for each way of spelling a name that is understood, the strictest first. */
  readonly idsBySpelling: readonly ReadonlyMap<string, readonly string[]>[];
}

/** The same name; then without regard to case; then without regard to blanks and punctuation either. */
const spellings: readonly ((name: string) => string)[] = [
  (name) => name.normalize('NFC').trim(),
  (name) => name.normalize('NFC').trim().toLowerCase(),
  (name) =>
    name
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}+]/gu, ''),
];

export function indexNamed(all: readonly Named[]): NamedIndex {
  return {
    names: all.map(({ name }) => name),
    ids: new Set(all.map(({ id }) => id)),
    idsBySpelling: spellings.map((spelling) => idsBy(spelling, all)),
  };
}

/** Finds a role or an organization by its id, or else by its name; of several names the one that is most alike. */
export function resolveNamed(text: string, index: NamedIndex): Resolution {
  const wanted = text.trim();
  if (index.ids.has(wanted)) return { kind: 'found', id: wanted };
  for (const [level, spelling] of spellings.entries()) {
    const ids = index.idsBySpelling[level]?.get(spelling(wanted)) ?? [];
    if (ids.length > 1) return { kind: 'ambiguous', ids };
    const only = ids[0];
    if (only !== undefined) return { kind: 'found', id: only };
  }
  return { kind: 'unknown' };
}

function idsBy(spelling: (name: string) => string, all: readonly Named[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, name } of all) {
    const spelled = spelling(name);
    if (spelled !== '') ids.set(spelled, [...(ids.get(spelled) ?? []), id]);
  }
  return ids;
}
