/**
 * The organization of the sandbox: its users, roles and organizations, kept in one SQLite file so that it survives the
 * process, even one that is killed.
 */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { organizations, roles, users } from './northlight.ts';

const userSchema = z.object({
  id: z.string(),
  email: z.string(),
  displayName: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  jobTitle: z.string(),
  roleId: z.string(),
  organizationId: z.string(),
  status: z.string(),
});

const rowsSchema = z.array(z.object({ rowid: z.number(), user: z.string() }));

export type SandboxUser = z.output<typeof userSchema>;

export type NewUser = Pick<SandboxUser, 'email'> &
  Partial<Pick<SandboxUser, 'firstName' | 'lastName' | 'jobTitle' | 'roleId' | 'organizationId'>>;

export interface Organization {
  users(): SandboxUser[];
  /** All users as JSON texts, some hundreds at a time: a large organization has too many to read and hold at once. */
  userTexts(): Iterable<readonly string[]>;
  find(email: string): SandboxUser | undefined;
  /** Undefined where the email has a user already: there is one user for each email, whatever its capitals. */
  invite(user: NewUser): SandboxUser | undefined;
  /**
   * Sends the invitation of a user again, once for each key: an expired one is open again.
   *
   * @returns What became of it.
   */
  resend(userId: string, idempotencyKey: string): 'resent' | 'unknown_user' | 'not_invited';
  /** Invitations that were sent again. */
  resends(): number;
  /** Adds users that were active all along. */
  seed(emails: Iterable<string>): void;
  hasRole(id: string): boolean;
  hasOrganization(id: string): boolean;
  close(): void;
}

const usersPerRead = 500;

/** @param file Path of the SQLite file, or `:memory:`. A new one starts with the users of `northlight.ts`. */
export function openOrganization(file: string): Organization {
  const database = new DatabaseSync(file);
  // What is written survives the end of the process; only a power cut could take the last of it.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE IF NOT EXISTS users (email_key TEXT PRIMARY KEY, user TEXT NOT NULL) STRICT');
  database.exec('CREATE TABLE IF NOT EXISTS resends (key TEXT PRIMARY KEY, user_id TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT OR IGNORE INTO users (email_key, user) VALUES (?, ?)');
  const select = database.prepare('SELECT user FROM users WHERE email_key = ?');
  const selectAll = database.prepare('SELECT user FROM users ORDER BY rowid');
  const selectSome = database.prepare('SELECT rowid, user FROM users WHERE rowid > ? ORDER BY rowid LIMIT ?');
  const selectById = database.prepare("SELECT user FROM users WHERE json_extract(user, '$.id') = ?");
  const update = database.prepare('UPDATE users SET user = ? WHERE email_key = ?');
  const insertResend = database.prepare('INSERT OR IGNORE INTO resends (key, user_id) VALUES (?, ?)');
  const countResends = database.prepare('SELECT count(*) AS count FROM resends');
  const add = (user: SandboxUser) => insert.run(user.email.toLowerCase(), JSON.stringify(user)).changes === 1;

  if (selectAll.get() === undefined) {
    for (const { status, ...user } of users) add({ ...complete(user), status });
  }
  return {
    users: () => selectAll.all().map(({ user }) => readUser(user)),
    userTexts: () => readInBatches((after) => selectSome.all(after, usersPerRead)),
    find: (email) => {
      const found = select.get(email.toLowerCase());
      return found === undefined ? undefined : readUser(found['user']);
    },
    invite: (newUser) => {
      const user = complete(newUser);
      return add(user) ? user : undefined;
    },
    resend: (userId, idempotencyKey) => {
      const found = selectById.get(userId);
      if (found === undefined) return 'unknown_user';
      const user = readUser(found['user']);
      if (!['invited', 'expired'].includes(user.status.toLowerCase())) return 'not_invited';
      if (insertResend.run(idempotencyKey, userId).changes === 1)
        update.run(JSON.stringify({ ...user, status: 'invited' }), user.email.toLowerCase());
      return 'resent';
    },
    resends: () => Number(countResends.get()?.['count']),
    seed: (emails) => {
      database.exec('BEGIN');
      for (const email of emails) add({ ...complete({ email }), status: 'active' });
      database.exec('COMMIT');
    },
    hasRole: (id) => roles.some((role) => role.id === id),
    hasOrganization: (id) => organizations.some((organization) => organization.id === id),
    close: () => database.close(),
  };
}

/** Between two reads, users may be added, but none is ever removed. */
function* readInBatches(read: (after: number) => unknown): Generator<readonly string[], undefined> {
  let after = 0;
  for (;;) {
    const rows = rowsSchema.parse(read(after));
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    yield rows.map(({ user }) => user);
    after = last.rowid;
  }
}

function readUser(json: unknown): SandboxUser {
  return userSchema.parse(JSON.parse(z.string().parse(json)));
}

function complete(user: NewUser): SandboxUser {
  const {
    email,
    firstName = '',
    lastName = '',
    jobTitle = '',
    roleId = 'role-standard',
    organizationId = 'root',
  } = user;
  const displayName = [firstName, lastName].filter(Boolean).join(' ');
  const id = randomBytes(10).toString('hex');
  return { id, email, displayName, firstName, lastName, jobTitle, roleId, organizationId, status: 'invited' };
}
