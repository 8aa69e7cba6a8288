/**
 * What became of one row. Every row of an upload gets exactly one outcome.
 */

/** All statuses, in the order in which a summary lists them. */
export const statuses = [
  'invited',
  'already_invited',
  'already_active',
  'already_exists',
  'duplicate',
  'invalid',
  'rejected',
  'failed',
  'unknown',
  'not_attempted',
  'skipped',
  'would_invite',
  'resent',
] as const;

export type Status = (typeof statuses)[number];

export interface Outcome {
  /** The row number that a spreadsheet shows; the header of a plain file is row 1. */
  readonly row: number;
  readonly status: Status;
  /** A stable word for machines, finer than the status. */
  readonly code: string;
  /** The header of the column that is at fault, where one is. */
  readonly column?: string;
  /** A sentence for people. */
  readonly message?: string;
  readonly userId?: string;
  /** Status of the API's last answer to this row's invitation. */
  readonly httpStatus?: number;
  /** Invitation calls that were sent for this row. */
  readonly attempts: number;
}

/** For people, behind the number of rows. */
export const meanings: Readonly<Record<Status, string>> = {
  invited: 'an invitation was created by this job',
  already_invited: 'invited before; nothing sent',
  already_active: 'a user before; nothing sent',
  already_exists: 'in the directory in another state; nothing sent',
  duplicate: 'same email address as an earlier row',
  invalid: 'the row itself is at fault; nothing sent',
  rejected: 'the API refused it',
  failed: 'given up after retries; certainly not invited',
  unknown: 'an attempt was made, its effect could not be found out',
  not_attempted: 'the job was held, cancelled or stopped before this row',
  skipped: 'the row says that this person is not to be invited',
  would_invite: 'dry run: would be invited',
  resent: 'an open invitation was sent again',
};

const endedWell: ReadonlySet<Status> = new Set([
  'invited',
  'already_invited',
  'already_active',
  'already_exists',
  'duplicate',
  'skipped',
  'would_invite',
  'resent',
]);

/** The code of a row that the API refused with 403. */
export const forbiddenCode = 'forbidden';

/** The code of a row that waits for somebody's approval. */
export const heldCode = 'held';

/** Of rows that were not attempted because of what somebody decided about them, or has still to decide. */
const decided: ReadonlySet<string> = new Set([heldCode, 'not_approved', 'superseded']);

/** `unknown` is among them: a new upload looks in the directory first, so it settles the question without a second invitation. */
const worthRetrying: ReadonlySet<Status> = new Set(['failed', 'unknown', 'not_attempted']);

/** Whether a person has to look at rows of this status. */
export function needsAttention(status: Status): boolean {
  return !endedWell.has(status);
}

/** Whether the same row, uploaded again unchanged, could end better; after a 403, when the key has the right to invite. */
export function isWorthRetrying({ status, code }: Pick<Outcome, 'status' | 'code'>): boolean {
  return (worthRetrying.has(status) && !decided.has(code)) || code === forbiddenCode;
}

export function noCounts(): Record<Status, number> {
  return Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>;
}
