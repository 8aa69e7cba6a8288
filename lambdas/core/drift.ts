/**
 * How the directory differs from a roster. Nothing here is changed by anybody: absence is not deletion.
 */
import type { Directory, DirectoryUser } from './directory.ts';
import { emailKey } from './email.ts';
import { accessIn, type JudgeContext, type Judgement, peopleIn } from './judge.ts';
import type { TextRecord } from './recordReader.ts';
import { invitationState, isOlderThan, type OpenInvitations, openInvitation, type RosterRules } from './roster.ts';

export const driftKinds = [
  'not_in_roster',
  'left_in_roster',
  'role_differs',
  'organization_differs',
  'invitation_expired',
  'invitation_open',
] as const;

export type DriftKind = (typeof driftKinds)[number];

/** For people. */
export const driftMeanings: Readonly<Record<DriftKind, string>> = {
  not_in_roster: 'in the directory, and not in the roster',
  left_in_roster: 'in the directory, and the roster says that this person has left or is disabled',
  role_differs: 'has another role than the roster says',
  organization_differs: 'belongs to another organization than the roster says',
  invitation_expired: 'the invitation has expired',
  invitation_open: 'the invitation has not been accepted for a long time',
};

export interface Drift {
  readonly kind: DriftKind;
  readonly email: string;
  readonly userId: string;
  readonly userStatus: string;
  /** Of the roster, where the person is in it. */
  readonly row?: number;
  /** Names where they are known, else ids. */
  readonly inRoster?: string;
  readonly inDirectory?: string;
  /** Since when the invitation is seen to be open. */
  readonly sinceMs?: number;
}

/** What one row of the roster shows. */
export interface Seen {
  readonly differences: readonly Drift[];
  /** The user whose invitation is to be sent again, because it has been open for too long. */
  readonly resendTo?: Pick<DirectoryUser, 'id' | 'email'>;
}

type User = Omit<DirectoryUser, 'email'>;

const nothing: Seen = { differences: [] };

/** Sees each row of a roster once; then it knows who was not there. */
export class DriftFinder {
  readonly #context: JudgeContext;
  readonly #directory: Directory;
  readonly #rules: RosterRules;
  readonly #opened: OpenInvitations;
  /** By user id: the row, negative where it says that the person has left. */
  readonly #seen = new Map<string, number>();
  #unattributed = 0;

  /** @param opened As it was before this run. */
  constructor(context: JudgeContext, directory: Directory, rules: RosterRules, opened: OpenInvitations) {
    this.#context = context;
    this.#directory = directory;
    this.#rules = rules;
    this.#opened = opened;
  }

  /** Rows that say nothing of whom they are about: people in them are listed as absent. */
  get unattributed(): number {
    return this.#unattributed;
  }

  see(record: TextRecord, judgement: Judgement): Seen {
    const people = peopleIn(record, this.#context);
    if (people.length === 0) this.#unattributed += 1;
    const status = judgement.kind === 'settled' ? judgement.outcome.status : undefined;
    for (const person of people) {
      const user = this.#context.users.get(emailKey(person));
      if (user !== undefined) this.#note(user, record.row, status === 'skipped');
    }
    // Only of a row that is all right, and the first of its person.
    const [email] = people;
    const user = email === undefined ? undefined : this.#context.users.get(emailKey(email));
    if (email === undefined || user === undefined || status?.startsWith('already_') !== true) return nothing;
    const differences = this.#differences(record.row, record.cells, email, user);
    return this.#isToBeResent(user) ? { differences, resendTo: { id: user.id, email } } : { differences };
  }

  /** Gives what the roster as a whole shows, when every row has been seen. */
  *rest(): Generator<Drift> {
    for (const { email, ...user } of this.#directory.users) {
      const row = this.#seen.get(user.id);
      const who = { email, userId: user.id, userStatus: user.status };
      const where = row === undefined ? {} : { row: Math.abs(row) };
      if (row === undefined) yield { kind: 'not_in_roster', ...who };
      else if (row < 0 && !isDisabled(user)) yield { kind: 'left_in_roster', ...who, ...where };
      const sinceMs = this.#openSince(user);
      if (sinceMs === undefined) continue;
      if (invitationState(user.status) === 'expired') yield { kind: 'invitation_expired', ...who, ...where, sinceMs };
      else if (this.#directory.takenAtMs - sinceMs > this.#rules.openAfterMs)
        yield { kind: 'invitation_open', ...who, ...where, sinceMs };
    }
  }

  /** What the next run is to know. */
  openAfterwards(): OpenInvitations {
    const open = new Map<string, NonNullable<ReturnType<typeof openInvitation>>>();
    for (const { id, status } of this.#directory.users) {
      const invitation = openInvitation(id, status, this.#opened, this.#directory.takenAtMs);
      if (invitation !== undefined) open.set(id, invitation);
    }
    return open;
  }

  /** A person who has another row is there, whatever that one says. */
  #note({ id }: User, row: number, hasLeft: boolean): void {
    if (!hasLeft || !this.#seen.has(id)) this.#seen.set(id, hasLeft ? -row : row);
  }

  #isToBeResent(user: User): boolean {
    const sinceMs = this.#openSince(user);
    const { resendAfterMs } = this.#rules;
    if (sinceMs === undefined || resendAfterMs === undefined) return false;
    return isOlderThan(sinceMs, resendAfterMs, this.#directory.takenAtMs);
  }

  #openSince({ id, status }: User): number | undefined {
    return openInvitation(id, status, this.#opened, this.#directory.takenAtMs)?.sinceMs;
  }

  #differences(row: number, cells: readonly string[], email: string, user: User): Drift[] {
    const { roles = [], organizations = [] } = this.#directory;
    const said = accessIn(cells, this.#context);
    const who = { row, email, userId: user.id, userStatus: user.status };
    const difference = (kind: DriftKind, wanted: string | undefined, found: string | undefined, named: typeof roles) =>
      wanted === undefined || wanted === found
        ? []
        : [{ kind, ...who, inRoster: nameOf(wanted, named), inDirectory: nameOf(found ?? '', named) }];
    return [
      ...difference('role_differs', said.roleId, user.roleId, roles),
      ...difference('organization_differs', said.organizationId, user.organizationId, organizations),
    ];
  }
}

/** Who has left and is disabled is as the roster says. */
function isDisabled({ status }: User): boolean {
  return status.toLowerCase() === 'disabled';
}

function nameOf(id: string, named: readonly { readonly id: string; readonly name: string }[]): string {
  return named.find((candidate) => candidate.id === id)?.name ?? id;
}
