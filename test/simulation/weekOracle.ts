/**
 * What a night must have done, worked out from the export and the directory as they were when it was due.
 */
import type { User } from './doitApiModel.ts';
import { differencesOf, driftLine, type Fate, fatesOf, isOfUser, placeOf } from './fates.ts';
import { hourOf, type Night, type NightResult, type Person, rules } from './week.ts';

const hour = 3_600_000;
const resendEveryMs = 49 * hour;
/** A run is through within a minute, and one that is approved is so five hours after its report. */
const sentAfterMs = hour / 60;
const approvedAfterMs = 7 * hour;

export type Expected = Omit<NightResult, 'calls'> & {
  readonly posts: { readonly invite: number; readonly resend: number };
};

export class WeekOracle {
  /** Since when an invitation was seen to be as it is, by email. */
  readonly #openSince = new Map<string, { readonly sinceMs: number; readonly status: string }>();
  readonly #resentAtMs = new Map<string, number>();
  #rowsOfLast: number | undefined;

  #lastExport: readonly Person[] = [];

  /** @param users As they are when the run is due. */
  expect(night: Night, users: readonly User[], takenAtMs: number): Expected {
    const people = night.export;
    if (people === undefined) return notRun('roster_stale', this.#lastExport);
    this.#lastExport = people;
    const fates = this.#fatesOf(people, users, takenAtMs);
    const drift = this.#driftOf(fates, users, takenAtMs);
    const reasons = this.#reasonsToHold(fates);
    const isHeld = reasons.length > 0;
    const isSent = !isHeld || night.approves === true;
    this.#remember(users, takenAtMs);
    if (isSent) {
      this.#rowsOfLast = people.length;
      this.#noteSent(fates, isHeld ? takenAtMs + approvedAfterMs : takenAtMs + sentAfterMs);
    }
    const codeOf = ({ code }: Fate) => (!isSent && sent.includes(code) ? 'held' : code);
    return {
      state: isSent ? 'completed' : 'held',
      reasons,
      outcomes: fates.map((fate) => `${fate.person.email} ${codeOf(fate)}`),
      drift,
      posts: { invite: isSent ? count(fates, 'created') : 0, resend: isSent ? count(fates, 'resent') : 0 },
    };
  }

  #reasonsToHold(fates: readonly Fate[]): string[] {
    return [
      ...(count(fates, ...sent) > (rules.newPeopleMax ?? 0) ? ['too_many_new'] : []),
      ...(this.#rowsOfLast !== undefined && fates.length * 2 < this.#rowsOfLast ? ['too_few_rows'] : []),
      ...(count(fates, 'unknown_role') * 5 > fates.length ? ['too_many_invalid'] : []),
    ];
  }

  #fatesOf(people: readonly Person[], users: readonly User[], takenAtMs: number): Fate[] {
    return fatesOf(people, users).map((fate) => ({ ...fate, code: this.#codeOf(fate, takenAtMs) }));
  }

  #codeOf(fate: Fate, takenAtMs: number): string {
    const { user, code } = fate;
    if (user === undefined || !isOfUser(fate)) return code;
    const sinceMs = this.#sinceOf(user, takenAtMs);
    if (sinceMs === undefined || takenAtMs - sinceMs < (rules.resendAfterMs ?? 0)) return code;
    const lastMs = this.#resentAtMs.get(user.email) ?? Number.NEGATIVE_INFINITY;
    return takenAtMs - lastMs < resendEveryMs ? 'resent_recently' : 'resent';
  }

  /** Nobody knows when an invitation was sent; one that has expired was sent 48 hours before, at the least. */
  #sinceOf({ email, status }: User, takenAtMs: number): number | undefined {
    if (status !== 'invited' && status !== 'expired') return undefined;
    const seen = this.#openSince.get(email);
    if (status === 'expired') return Math.min(seen?.sinceMs ?? takenAtMs, takenAtMs - 48 * hour);
    // One that had expired and is open now is another one.
    return seen?.status === 'invited' ? seen.sinceMs : takenAtMs;
  }

  #remember(users: readonly User[], takenAtMs: number): void {
    const open = users.flatMap(({ email, status, ...rest }) => {
      const sinceMs = this.#sinceOf({ email, status, ...rest }, takenAtMs);
      return sinceMs === undefined ? [] : [[email, { sinceMs, status }] as const];
    });
    this.#openSince.clear();
    for (const [email, seen] of open) this.#openSince.set(email, seen);
  }

  /** What was sent again is new; what was only planned is not. */
  #noteSent(fates: readonly Fate[], atMs: number): void {
    for (const { code, person } of fates) {
      if (code !== 'resent') continue;
      this.#resentAtMs.set(person.email, atMs);
      this.#openSince.set(person.email, { sinceMs: atMs, status: 'invited' });
    }
  }

  #driftOf(fates: readonly Fate[], users: readonly User[], takenAtMs: number): string[] {
    const differences = fates.flatMap((fate) => (isCompared(fate) ? differencesOf(fate) : []));
    return [
      ...differences.map((line) => `${line}|`),
      ...users.flatMap((user) => this.#driftOfUser(user, fates, takenAtMs)),
    ].sort();
  }

  #driftOfUser(user: User, fates: readonly Fate[], takenAtMs: number): string[] {
    const { row, absence } = placeOf(user, fates);
    const drift = absence.map((line) => `${line}|`);
    const sinceMs = this.#sinceOf(user, takenAtMs);
    if (sinceMs === undefined) return drift;
    const since = hourOf(new Date(sinceMs).toISOString());
    if (user.status === 'expired') drift.push(`${driftLine('invitation_expired', user.email, row)}|${since}`);
    else if (takenAtMs - sinceMs > (rules.openAfterMs ?? 0))
      drift.push(`${driftLine('invitation_open', user.email, row)}|${since}`);
    return drift;
  }
}

const sent: readonly string[] = ['created', 'resent', 'resent_recently'];

function count(fates: readonly Fate[], ...codes: readonly string[]): number {
  return fates.filter(({ code }) => codes.includes(code)).length;
}

function notRun(code: string, people: readonly Person[]): Expected {
  const outcomes = people.map(({ email }) => `${email} ${code}`);
  return { state: 'failed', reasons: [code], outcomes, drift: [], posts: { invite: 0, resend: 0 } };
}

/** A line that is all right, and the first of a user. */
function isCompared({ user, code }: Fate): boolean {
  return user !== undefined && !['no_longer_active', 'unknown_role', 'duplicate'].includes(code);
}
