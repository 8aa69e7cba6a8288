/**
 * What the API's answers mean. The documented ones and those that only occur are both here.
 */

export type InviteAnswer =
  /** A 2xx with a readable user. 201 is documented; the live API has been seen to answer 200. */
  | { readonly kind: 'invited'; readonly httpStatus: number; readonly userId: string }
  /** The API said no to this row: nothing happened, unless an earlier attempt did. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly message: string }
  | { readonly kind: 'key_refused'; readonly httpStatus: 401; readonly message: string }
  /** 429: nothing happened, and the pace is too high. */
  | { readonly kind: 'slow_down'; readonly retryAfterMs?: number }
  | { readonly kind: 'in_doubt'; readonly doubt: Doubt };

export type ResendAnswer =
  | { readonly kind: 'resent'; readonly httpStatus: number }
  /** The API said no: nothing was sent. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly message: string }
  | { readonly kind: 'key_refused'; readonly httpStatus: 401; readonly message: string }
  | { readonly kind: 'slow_down'; readonly retryAfterMs?: number }
  /** It may have been sent. With the same idempotency key it may be asked for again. */
  | { readonly kind: 'in_doubt'; readonly doubt: Doubt };

/** An attempt that may have taken effect. */
export interface Doubt {
  readonly reason: 'no_answer' | 'server_error' | 'unreadable_answer' | 'crash';
  readonly httpStatus?: number;
  /** For people: what was seen. */
  readonly detail: string;
  /** Whether a user who is found later may be this attempt's work; after a 409, the user was somebody else's before. */
  readonly mayBeOurs: boolean;
  /** Whether the effect may still come after this moment, because nothing shows that the API is done with the call. */
  readonly mayStillHappen: boolean;
}

export type LookUpAnswer =
  | { readonly kind: 'found'; readonly userId: string; readonly userStatus: string }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'key_refused'; readonly httpStatus: 401; readonly message: string }
  | { readonly kind: 'slow_down'; readonly retryAfterMs?: number }
  /** 403 or another 4xx: asking again is no use. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly message: string }
  | { readonly kind: 'unavailable'; readonly detail: string };

export interface FoundUser {
  readonly id: string;
  readonly status: string;
}

/** What came back of an HTTP call, before it means anything. */
export interface HttpAnswer {
  readonly httpStatus: number;
  /** The sentence of `{"error": …}`, or the beginning of whatever else came. */
  readonly errorMessage: string;
  readonly retryAfterMs?: number;
}

/** @param userId Undefined where the answer held no readable user. */
export function readInviteAnswer(answer: HttpAnswer, userId: string | undefined): InviteAnswer {
  const { httpStatus, errorMessage, retryAfterMs } = answer;
  if (httpStatus >= 200 && httpStatus < 300) {
    if (userId !== undefined) return { kind: 'invited', httpStatus, userId };
    const detail = `status ${httpStatus} with an answer that could not be read`;
    return {
      kind: 'in_doubt',
      doubt: { reason: 'unreadable_answer', httpStatus, detail, mayBeOurs: true, mayStillHappen: true },
    };
  }
  if (httpStatus === 401) return { kind: 'key_refused', httpStatus, message: errorMessage };
  if (httpStatus === 429) return { kind: 'slow_down', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (isRefusal(httpStatus)) return { kind: 'refused', httpStatus, message: errorMessage };
  const detail = `status ${httpStatus}`;
  return {
    kind: 'in_doubt',
    doubt: {
      reason: 'server_error',
      httpStatus,
      detail,
      mayBeOurs: httpStatus !== 409,
      mayStillHappen: !isApplicationAnswer(httpStatus),
    },
  };
}

export function readResendAnswer(answer: HttpAnswer): ResendAnswer {
  const { httpStatus } = answer;
  if (httpStatus >= 200 && httpStatus < 300) return { kind: 'resent', httpStatus };
  const read = readInviteAnswer(answer, undefined);
  if (read.kind !== 'invited') return read;
  throw new RangeError(`Status ${httpStatus} is no success.`);
}

/** @param user The user with the email that was asked for, `nobody`, or undefined where the answer could not be read. */
export function readLookUpAnswer(answer: HttpAnswer, user: FoundUser | 'nobody' | undefined): LookUpAnswer {
  const { httpStatus, errorMessage: message, retryAfterMs } = answer;
  if (httpStatus === 401) return { kind: 'key_refused', httpStatus, message };
  if (httpStatus === 429) return { kind: 'slow_down', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (isRefusal(httpStatus)) return { kind: 'refused', httpStatus, message };
  if (httpStatus < 200 || httpStatus >= 300) return { kind: 'unavailable', detail: `status ${httpStatus}` };
  if (user === undefined)
    return { kind: 'unavailable', detail: `status ${httpStatus} with an answer that could not be read` };
  return user === 'nobody' ? { kind: 'not_found' } : { kind: 'found', userId: user.id, userStatus: user.status };
}

/** 408 and 409 say nothing definite; every other 4xx is a no. */
function isRefusal(httpStatus: number): boolean {
  return httpStatus >= 400 && httpStatus < 500 && httpStatus !== 408 && httpStatus !== 409;
}

/** 500 and 409 come from the application itself, which is then done with the call; 502, 503, 504 and 524 come from a proxy before it. */
function isApplicationAnswer(httpStatus: number): boolean {
  return httpStatus === 500 || httpStatus === 409;
}
