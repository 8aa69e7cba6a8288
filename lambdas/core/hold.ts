/**
 * Whether a job does so much, or so little, that somebody should look at it before anybody is invited.
 */
import { holdLimits } from './limits.ts';
import type { RosterShares } from './roster.ts';
import { percent, portion } from './share.ts';

export const holdCodes = ['too_many_new', 'too_few_rows', 'too_many_invalid'] as const;

export interface HoldReason {
  readonly code: (typeof holdCodes)[number];
  /** What was found and what was expected. */
  readonly message: string;
}

/** What a job would do. */
export interface Findings {
  readonly rows: number;
  readonly invalid: number;
  /** Invitations that would be sent, for the first time or again. */
  readonly invitations: number;
  /** Users in the directory now. */
  readonly users: number;
  /** Rows of the last completed run of the same roster. */
  readonly rowsBefore?: number;
}

export interface HoldRules {
  /** More invitations than this hold the job. Without it, a run of a roster is held by its share of the users. */
  readonly newPeopleMax?: number;
  /** Who uploaded asks for this limit, where it is lower. */
  readonly newPeopleWish?: number;
  /** Where the job is a run of a roster. */
  readonly roster?: RosterShares;
}

interface NewPeopleLimit {
  readonly newPeopleMax: number;
  /** Behind the number, for people. */
  readonly why: string;
}

/** Gives nothing where the job may go on. */
export function holdReasons(findings: Findings, rules: HoldRules): HoldReason[] {
  const reasons = [tooManyNew(findings, rules)];
  if (rules.roster !== undefined)
    reasons.push(tooFewRows(findings, rules.roster), tooManyInvalid(findings, rules.roster));
  return reasons.filter((reason) => reason !== undefined);
}

function tooManyNew({ invitations, users }: Findings, rules: HoldRules): HoldReason | undefined {
  const { newPeopleMax, why } = limitOf(users, rules);
  if (invitations <= newPeopleMax) return undefined;
  const message = `It would send ${count(invitations, 'invitation')}, and more than ${number(newPeopleMax)} need somebody’s approval${why}.`;
  return { code: 'too_many_new', message };
}

function limitOf(users: number, rules: HoldRules): NewPeopleLimit {
  const limit = ownLimitOf(users, rules);
  const { newPeopleWish = limit.newPeopleMax } = rules;
  if (newPeopleWish >= limit.newPeopleMax) return limit;
  return { newPeopleMax: newPeopleWish, why: ' (as was asked for with the upload)' };
}

function ownLimitOf(users: number, { newPeopleMax, roster }: HoldRules): NewPeopleLimit {
  if (newPeopleMax !== undefined) return { newPeopleMax, why: '' };
  if (roster === undefined) return { newPeopleMax: holdLimits.newPeopleMax, why: '' };
  const { rosterNewPeopleMin, rosterNewPeopleShare } = holdLimits;
  const { newPeopleShare = rosterNewPeopleShare } = roster;
  const ofUsers = Math.floor(portion(users, newPeopleShare));
  const why = ` (the larger of ${rosterNewPeopleMin} and ${percent(newPeopleShare)} of the ${count(users, 'user')} in the directory)`;
  return { newPeopleMax: Math.max(rosterNewPeopleMin, ofUsers), why };
}

function tooFewRows({ rows, rowsBefore }: Findings, roster: RosterShares): HoldReason | undefined {
  const { rowsShareMin = holdLimits.rosterRowsShareMin } = roster;
  if (rowsBefore === undefined || rows >= portion(rowsBefore, rowsShareMin)) return undefined;
  const expected = `at least ${percent(rowsShareMin)} of that were expected`;
  const message = `The roster has ${count(rows, 'row')}, and the last completed run had ${number(rowsBefore)}; ${expected}. The export may have been cut off.`;
  return { code: 'too_few_rows', message };
}

function tooManyInvalid({ rows, invalid }: Findings, roster: RosterShares): HoldReason | undefined {
  const { invalidShareMax = holdLimits.rosterInvalidShareMax } = roster;
  if (invalid <= portion(rows, invalidShareMax)) return undefined;
  const expected = `at most ${percent(invalidShareMax)} were expected`;
  const message = `${count(invalid, 'row')} of ${number(rows)} ${invalid === 1 ? 'is' : 'are'} invalid; ${expected}. The export may have changed its form.`;
  return { code: 'too_many_invalid', message };
}

function count(value: number, noun: string): string {
  return `${number(value)} ${value === 1 ? noun : `${noun}s`}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** A job that nobody has approved by then has lapsed, and an approval that comes later lets nothing go on. @param heldAtMs When it was known that it has to be held. */
export function approvableUntilMs(heldAtMs: number): number {
  return heldAtMs + holdLimits.approvableMs;
}
