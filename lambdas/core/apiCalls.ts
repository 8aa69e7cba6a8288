/**
 * How often each operation of the API was called and what it answered.
 */

export const operations = [
  'validate',
  'list_users',
  'list_roles',
  'list_organizations',
  'find_user',
  'invite_user',
  'resend_invitation',
] as const;

export type Operation = (typeof operations)[number];

/** The HTTP status, or `no_answer` for time-outs and broken connections. */
export type AnswerKind = `${number}` | 'no_answer';

/** Operation, then kind of answer, then how often. */
export type ApiCalls = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function addApiCall(calls: ApiCalls, operation: Operation, answer: AnswerKind): ApiCalls {
  return addApiCalls(calls, { [operation]: { [answer]: 1 } });
}

export function addApiCalls(left: ApiCalls, right: ApiCalls): ApiCalls {
  const sum: Record<string, Record<string, number>> = {};
  for (const calls of [left, right]) {
    for (const [operation, byAnswer] of Object.entries(calls)) {
      const into = sum[operation] ?? {};
      sum[operation] = into;
      for (const [answer, count] of Object.entries(byAnswer)) into[answer] = (into[answer] ?? 0) + count;
    }
  }
  return sum;
}
