/**
 * Invitations through the DoiT API, and the look-ups around them. It answers in our own words.
 */

import {
  type Doubt,
  type LookUpAnswer,
  readInviteAnswer,
  readLookUpAnswer,
  readResendAnswer,
} from '../core/answers.ts';
import type { Operation } from '../core/apiCalls.ts';
import { emailKey } from '../core/email.ts';
import { apiLimits } from '../core/limits.ts';
import type { ConnectApi } from '../ports.ts';
import type { ReadKey } from './apiKey.ts';
import { type DoitApiSettings, doitClient, type ExchangeCall } from './doitClient.ts';
import { invitedSchema, usersSchema } from './doitSchemas.ts';
import type { Exchange, Request } from './httpExchange.ts';

/** @param send See `doitClient`. */
export function connectInviteApi(settings: DoitApiSettings, readKey: ReadKey, send?: ExchangeCall): ConnectApi {
  return (onCall) => {
    const client = doitClient(settings, readKey, onCall, send);
    return {
      findUser: async (email) => {
        const path = `/iam/v1/users?email=${encodeURIComponent(email)}`;
        return readUser(email, await call('find_user', { method: 'GET', path }));
      },
      invite: async (invitee) => {
        const path = '/iam/v1/users/invite';
        const result = await call('invite_user', { method: 'POST', path, body: JSON.stringify(invitee) });
        if (result.kind === 'no_answer') return inDoubt(result.detail);
        const user = invitedSchema.safeParse(result.json).data?.user;
        const isThatUser = user !== undefined && emailKey(user.email) === emailKey(invitee.email);
        // Somebody whom an invitation finds in another state was there before.
        const isInvited = isThatUser && (user.status ?? 'invited').toLowerCase() === 'invited';
        return readInviteAnswer(result, isInvited ? user.id : undefined);
      },
      resend: async (userId, idempotencyKey) => {
        const path = `/iam/v1/users/${encodeURIComponent(userId)}/actions/resend`;
        const headers = { 'idempotency-key': idempotencyKey };
        const result = await call('resend_invitation', { method: 'POST', path, headers });
        return result.kind === 'no_answer' ? inDoubt(result.detail) : readResendAnswer(result);
      },
    };

    async function call(operation: Operation, request: Omit<Request, 'bytesMax'>): Promise<Exchange> {
      const bounded = { ...request, bytesMax: apiLimits.answerBytesMax };
      return await client.call(operation, bounded, settings.callTimeoutMs);
    }
  };
}

function readUser(email: string, result: Exchange): LookUpAnswer {
  if (result.kind === 'no_answer') return { kind: 'unavailable', detail: result.detail };
  const users = usersSchema.safeParse(result.json).data?.users;
  const user = users?.find((candidate) => emailKey(candidate.email) === emailKey(email));
  return readLookUpAnswer(result, users === undefined ? undefined : (user ?? 'nobody'));
}

function inDoubt(detail: string): { readonly kind: 'in_doubt'; readonly doubt: Doubt } {
  return { kind: 'in_doubt', doubt: { reason: 'no_answer', detail, mayBeOurs: true, mayStillHappen: true } };
}
