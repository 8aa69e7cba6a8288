/**
 * How far one row of a chunk has come. Its states:
 *
 *   open ──invite──▶ settled (invited)
 *    ▲  ├──▶ refused ──look-up──▶ settled (rejected, or already in the directory)
 *    │  └──▶ in doubt ──look-up──▶ settled (invited)
 *    └──────────────────┘ not found: it may be tried again
 *
 * A row in doubt is never sent again before a look-up, and a row that is given up ends as `failed` only where it is
 * certain that nobody was invited.
 *
 * A row of an invitation that is to be sent again needs no look-up: the API itself tells a repetition by its key.
 */
import type { Doubt, InviteAnswer, LookUpAnswer, ResendAnswer } from './answers.ts';
import { alreadyStatus } from './directory.ts';
import type { Invitee } from './invitee.ts';
import { workerLimits } from './limits.ts';
import { forbiddenCode, type Outcome } from './outcome.ts';
import { quote } from './quote.ts';
import { invitationState } from './roster.ts';

export interface RowProgress {
  readonly row: number;
  readonly invitee: Invitee;
  readonly warning?: string;
  /** Id of a user who is invited already: the invitation is sent again. */
  readonly resendTo?: string;
  /** Invitation calls sent so far. */
  readonly attempts: number;
  /** The last attempt whose effect is not known yet. */
  readonly doubt?: Doubt;
  /** Whether any attempt was ever in doubt: a user found later may then be this job's work. */
  readonly wasInDoubt?: boolean;
  /** Until then an attempt without an answer may still take effect, so a look-up that finds nobody proves nothing. */
  readonly lateEffectUntilMs?: number;
  /** The API's no, kept until a look-up has told whether the person exists already. */
  readonly refusal?: { readonly httpStatus: number; readonly message: string };
  /** The directory snapshot is old: somebody else may have invited this person since. */
  readonly mustLookUp?: boolean;
  /** When a look-up last found nobody; or, where an invitation is to be sent again, that it is still open. */
  readonly lookedUpAtMs?: number;
  readonly lastHttpStatus?: number;
  readonly outcome?: Outcome;
}

export type NextCall = 'invite' | 'look_up' | 'resend' | 'none';

/** What else decides about a row. */
export interface Circumstances {
  readonly nowMs: number;
  /** Whether another job may invite the same people. */
  readonly overlaps: boolean;
}

export function nextCall(row: RowProgress, { nowMs, overlaps }: Circumstances): NextCall {
  if (row.outcome !== undefined) return 'none';
  if (row.resendTo !== undefined) return nextCallOfResend(row, nowMs);
  if (row.doubt !== undefined || row.refusal !== undefined) return 'look_up';
  const mayAppear = overlaps || row.mustLookUp === true || row.lateEffectUntilMs !== undefined;
  return mayAppear && !isJustLookedUp(row, nowMs) ? 'look_up' : 'invite';
}

/** Where the directory snapshot is old, the person may have accepted since. What may have been sent is only repeated. */
function nextCallOfResend(row: RowProgress, nowMs: number): NextCall {
  const mayHaveAccepted = row.mustLookUp === true && row.attempts === 0 && row.doubt === undefined;
  return mayHaveAccepted && !isJustLookedUp(row, nowMs) ? 'look_up' : 'resend';
}

/** What a look-up found holds for a while, not for as long as a row may wait. */
function isJustLookedUp({ lookedUpAtMs }: RowProgress, nowMs: number): boolean {
  return lookedUpAtMs !== undefined && nowMs - lookedUpAtMs <= workerLimits.lookUpHoldsMs;
}

/** Before the call leaves, so that no attempt goes uncounted. */
export function beforeInvite(row: RowProgress): RowProgress {
  return { ...row, attempts: row.attempts + 1 };
}

export function afterInvite(row: RowProgress, answer: InviteAnswer, nowMs: number): RowProgress {
  switch (answer.kind) {
    case 'invited':
      return settle(
        { ...row, lastHttpStatus: answer.httpStatus },
        { status: 'invited', code: 'created', ...withMessage(row.warning), userId: answer.userId },
      );
    case 'refused':
      return {
        ...row,
        refusal: { httpStatus: answer.httpStatus, message: answer.message },
        lastHttpStatus: answer.httpStatus,
      };
    case 'key_refused':
      return { ...row, lastHttpStatus: answer.httpStatus };
    case 'slow_down':
      return { ...row, lastHttpStatus: 429 };
    case 'in_doubt':
      return putInDoubt(row, answer.doubt, nowMs);
    default:
      return answer satisfies never;
  }
}

export function afterResend(row: RowProgress, answer: ResendAnswer): RowProgress {
  switch (answer.kind) {
    case 'resent':
      return settle(
        { ...row, lastHttpStatus: answer.httpStatus },
        { status: 'resent', code: 'resent', ...userOf(row) },
      );
    case 'refused':
      // A no to this attempt says nothing of an earlier one.
      return row.doubt === undefined
        ? rejected(row, answer, 'resend_refused')
        : giveUp(row, { status: 'failed', code: 'refused_by_api', message: refusalMessage(answer) });
    case 'key_refused':
      return { ...row, lastHttpStatus: answer.httpStatus };
    case 'slow_down':
      return { ...row, lastHttpStatus: 429 };
    case 'in_doubt':
      return { ...row, doubt: answer.doubt, ...lastStatusOf(answer.doubt) };
    default:
      return answer satisfies never;
  }
}

/** Another job has sent it again, too short a time ago. */
export function resentElsewhere(row: RowProgress, lastAt: string): RowProgress {
  const message = `Invited before. Another job has sent the invitation again, or was about to, at ${lastAt}; it is sent no more often than every two days.`;
  return settle(row, { status: 'already_invited', code: 'resent_recently', message, ...userOf(row) });
}

/** @param asked When the look-up left, and under which circumstances. */
export function afterLookUp(row: RowProgress, answer: LookUpAnswer, asked: Circumstances): RowProgress {
  if (row.resendTo !== undefined) return afterLookUpOfResend(row, answer, asked.nowMs);
  switch (answer.kind) {
    case 'found':
      if (row.wasInDoubt !== true || !isFresh(answer.userStatus))
        return existedBefore(row, answer.userId, answer.userStatus);
      return asked.overlaps ? someonesInvitation(row, answer.userId) : confirmed(row, answer.userId);
    case 'not_found':
      return row.refusal === undefined
        ? cleared(row, asked.nowMs)
        : refusedForGood(cleared(row, asked.nowMs), row.refusal);
    case 'refused':
      return lookUpRefused(row, answer.httpStatus);
    case 'key_refused':
    case 'slow_down':
    case 'unavailable':
      return row;
    default:
      return answer satisfies never;
  }
}

function afterLookUpOfResend(row: RowProgress, answer: LookUpAnswer, nowMs: number): RowProgress {
  switch (answer.kind) {
    case 'found':
      return invitationState(answer.userStatus) === 'none'
        ? existedBefore(row, answer.userId, answer.userStatus)
        : { ...row, lookedUpAtMs: nowMs };
    case 'not_found': {
      const message = 'No longer in the directory, so there is no invitation to be sent again.';
      return giveUp(row, { status: 'failed', code: 'user_gone', message });
    }
    case 'refused':
      return lookUpRefused(row, answer.httpStatus);
    case 'key_refused':
    case 'slow_down':
    case 'unavailable':
      return row;
    default:
      return answer satisfies never;
  }
}

export interface GivingUp {
  readonly status: 'failed' | 'not_attempted';
  readonly code: string;
  readonly message: string;
}

/** Settles an open row without another call: as `unknown` where an attempt may have taken effect, else as `reason` says. */
export function giveUp(row: RowProgress, reason: GivingUp): RowProgress {
  if (row.outcome !== undefined) return row;
  if (row.doubt !== undefined || row.lateEffectUntilMs !== undefined) {
    const seen = row.doubt === undefined ? 'an attempt without an answer' : `an attempt with ${row.doubt.detail}`;
    const message = `There was ${seen}, and whether it took effect could not be found out. ${reason.message}`;
    return settle(row, { status: 'unknown', code: reason.code, message });
  }
  return row.refusal === undefined ? settle(row, reason) : rejected(row, row.refusal);
}

/**
 * Marks a row whose call may have been under way when its worker vanished. After a refusal none was: only a look-up
 * follows it.
 */
export function putInDoubtByCrash(row: RowProgress, nowMs: number): RowProgress {
  if (row.outcome !== undefined || row.refusal !== undefined) return row;
  const detail = 'no record of its end, because the worker was cut off';
  const seen: Doubt = row.doubt ?? { reason: 'crash', detail, mayBeOurs: true, mayStillHappen: true };
  // Since the doubt was saved, a look-up may have cleared it and another call may have left.
  return putInDoubt(row, { ...seen, mayBeOurs: true, mayStillHappen: true }, nowMs);
}

/** For a row whose snapshot is old. */
export function lookUpFirst(row: RowProgress): RowProgress {
  return row.outcome === undefined ? { ...row, mustLookUp: true } : row;
}

/**
 * A user who was invited by an attempt is invited, or has accepted already, or has not for so long that the invitation expired;
 * one in another state was there before.
 */
function isFresh(userStatus: string): boolean {
  return ['invited', 'active', 'expired', ''].includes(userStatus.toLowerCase());
}

function putInDoubt(row: RowProgress, doubt: Doubt, nowMs: number): RowProgress {
  return {
    ...row,
    doubt,
    ...(doubt.mayBeOurs || row.wasInDoubt === true ? { wasInDoubt: true } : {}),
    ...(doubt.mayStillHappen ? { lateEffectUntilMs: nowMs + workerLimits.lateEffectMs } : {}),
    ...lastStatusOf(doubt),
  };
}

function lastStatusOf({ httpStatus }: Doubt): { lastHttpStatus?: number } {
  return httpStatus === undefined ? {} : { lastHttpStatus: httpStatus };
}

function userOf({ resendTo }: RowProgress): { userId?: string } {
  return resendTo === undefined ? {} : { userId: resendTo };
}

function cleared(row: RowProgress, lookedUpAtMs: number): RowProgress {
  const { doubt: _doubt, lateEffectUntilMs, wasInDoubt, ...others } = row;
  const rest = { ...others, lookedUpAtMs };
  const isProof = lateEffectUntilMs === undefined || lookedUpAtMs >= lateEffectUntilMs;
  // What is proved not to have taken effect cannot explain a user who is found later.
  if (isProof) return rest;
  return { ...rest, lateEffectUntilMs, ...(wasInDoubt === undefined ? {} : { wasInDoubt }) };
}

function confirmed(row: RowProgress, userId: string): RowProgress {
  const message = ['Confirmed by a look-up after an attempt without a clear answer.', row.warning]
    .filter(Boolean)
    .join(' ');
  return settle(row, { status: 'invited', code: 'confirmed_by_look_up', message, userId });
}

/** Two jobs had a hand in this, and the API does not say which of them it was. */
function someonesInvitation(row: RowProgress, userId: string): RowProgress {
  const message =
    'Invited by now, by this job or by another one that ran at the same time: an attempt had no clear answer.';
  return settle(row, { status: 'unknown', code: 'invited_by_one_of_several', message, userId });
}

function existedBefore(row: RowProgress, userId: string, userStatus: string): RowProgress {
  const status = alreadyStatus(userStatus);
  const message = `In the directory by now, with status ${quote(userStatus)}, and not through this job.`;
  return settle(row, { status, code: 'appeared_meanwhile', message, userId });
}

/** A no to the last attempt says nothing of an earlier one that may still take effect. */
function refusedForGood(row: RowProgress, refusal: NonNullable<RowProgress['refusal']>): RowProgress {
  if (row.lateEffectUntilMs === undefined) return rejected(row, refusal);
  return giveUp(row, { status: 'failed', code: 'refused_by_api', message: refusalMessage(refusal) });
}

/** Asking again is no use: what the look-up was for stays open for ever. */
function lookUpRefused(row: RowProgress, httpStatus: number): RowProgress {
  const message = `The API refused to look this person up, with status ${httpStatus}.`;
  return giveUp(row, { status: 'failed', code: 'look_up_refused', message });
}

/** @param otherCode Where the status is not 403. */
function rejected(
  row: RowProgress,
  refusal: { readonly httpStatus: number; readonly message: string },
  otherCode = 'refused_by_api',
): RowProgress {
  const message = refusalMessage(refusal);
  const code = refusal.httpStatus === 403 ? forbiddenCode : otherCode;
  return settle({ ...row, lastHttpStatus: refusal.httpStatus }, { status: 'rejected', code, message });
}

function refusalMessage({ httpStatus, message }: { readonly httpStatus: number; readonly message: string }): string {
  return `The API refused this row with status ${httpStatus}: ${message}`;
}

function settle(
  row: RowProgress,
  end: Pick<Outcome, 'status' | 'code'> & { message?: string; userId?: string },
): RowProgress {
  const outcome: Outcome = {
    row: row.row,
    ...end,
    ...(row.lastHttpStatus === undefined ? {} : { httpStatus: row.lastHttpStatus }),
    attempts: row.attempts,
  };
  return { ...row, outcome };
}

function withMessage(message: string | undefined): { message?: string } {
  return message === undefined ? {} : { message };
}
