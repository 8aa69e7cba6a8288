/**
 * A roster: a named source of truth about who belongs to the organization, and what a run of it may do.
 */
import { rosterLimits } from './limits.ts';

/** What holds a run of a roster, where it is not what is usual. Each is a share from 0 to 1. */
export interface RosterShares {
  /** A run is held above this share of the users, unless that is very few. */
  readonly newPeopleShare?: number;
  /** It is held with fewer rows than this share of those of the last completed run. */
  readonly rowsShareMin?: number;
  /** It is held with more invalid rows than this share of all. */
  readonly invalidShareMax?: number;
}

export interface RosterRules extends RosterShares {
  /** Of the roster; a part of keys. */
  readonly name: string;
  /** A roster that was not refreshed for longer is not run. */
  readonly staleAfterMs: number;
  /** An invitation that is open for longer is listed as drift. */
  readonly openAfterMs: number;
  /** An invitation that is open for longer is sent again. Without it, none is. */
  readonly resendAfterMs?: number;
}

const namePattern = /^[a-z0-9][a-z0-9-]*$/u;

export function isRosterName(text: string): boolean {
  return namePattern.test(text) && text.length <= rosterLimits.nameCharactersMax;
}

export const rosterNameExpected = `small letters, digits and hyphens; ${rosterLimits.nameCharactersMax} characters at most`;

export function isStale(refreshedAtMs: number, nowMs: number, { staleAfterMs }: RosterRules): boolean {
  return nowMs - refreshedAtMs > staleAfterMs;
}

export type InvitationState = 'open' | 'expired' | 'none';

/** What the status of a user says of an invitation. */
export function invitationState(userStatus: string): InvitationState {
  switch (userStatus.toLowerCase()) {
    case 'invited':
      return 'open';
    case 'expired':
      return 'expired';
    default:
      return 'none';
  }
}

export interface OpenInvitation {
  readonly sinceMs: number;
  readonly state: 'open' | 'expired';
}

/** By the id of the user. */
export type OpenInvitations = ReadonlyMap<string, OpenInvitation>;

/**
 * Since when an invitation is open at the latest: the API does not tell, so it is since it was first seen; one that has
 * expired was sent at least as long before as an invitation lives, and one that had expired and is open now is a new one.
 *
 * @param seen What was known before.
 */
export function openInvitation(
  userId: string,
  userStatus: string,
  seen: OpenInvitations,
  nowMs: number,
): OpenInvitation | undefined {
  const state = invitationState(userStatus);
  const before = seen.get(userId);
  switch (state) {
    case 'none':
      return undefined;
    case 'open':
      return before?.state === 'open' ? before : { state, sinceMs: nowMs };
    case 'expired':
      return { state, sinceMs: Math.min(before?.sinceMs ?? nowMs, nowMs - rosterLimits.invitationLivesMs) };
    default:
      return state satisfies never;
  }
}

export function isOlderThan(sinceMs: number, ageMs: number, nowMs: number): boolean {
  return nowMs - sinceMs >= ageMs;
}
