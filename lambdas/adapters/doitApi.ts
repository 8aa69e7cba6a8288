/**
 * The client of the DoiT API. It answers in our own words, and never throws for what the API answers or does not answer.
 *
 * Source: https://developer.doit.com/reference (users, roles, organizations), and what was observed in practice.
 */
import * as z from 'zod';
import { type LookUpAnswer, readInviteAnswer, readLookUpAnswer } from '../core/answers.ts';
import type { Operation } from '../core/apiCalls.ts';
import { emailKey } from '../core/email.ts';
import { apiLimits } from '../core/limits.ts';
import type { ConnectApi, InviteApi, OnApiCall, ReadAnswer } from '../ports.ts';
import type { ReadKey } from './apiKey.ts';
import { type Exchange, exchange, type Request } from './httpExchange.ts';

/** How a call travels; see `exchange`. */
export type ExchangeCall = typeof exchange;

export interface DoitApiSettings {
  /** For example `https://api.doit.com`. */
  readonly apiUrl: string;
  /** Sent as `X-Tenant-Id`, for a key that reaches several customers. */
  readonly tenantId?: string;
  readonly callTimeoutMs: number;
}

/** A list is absent or `null` when it is empty; unknown fields are normal. */
const listOf = <T>(item: z.ZodType<T>) =>
  z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);
const userSchema = z.object({
  id: z.string(),
  email: z.string(),
  status: z
    .string()
    .nullish()
    .transform((status) => status ?? ''),
});
const namedSchema = z.object({ id: z.string(), name: z.string() });
const usersSchema = z
  .object({ users: listOf(userSchema), rowCount: z.number().nullish() })
  // A list that was cut short would have people invited again.
  .refine(({ users, rowCount }) => rowCount === null || rowCount === undefined || rowCount === users.length);
const rolesSchema = z.object({ roles: listOf(namedSchema) });
const organizationsSchema = z.object({ organizations: listOf(namedSchema) });
const keyOwnerSchema = z.object({ email: z.string(), domain: z.string() });
const invitedSchema = z.object({
  user: z.object({ id: z.string().min(1), email: z.string(), status: z.string().nullish() }),
});

const notTheApi = 'an answer that is not one of the DoiT API.';

interface Unreadable {
  readonly kind: 'unreadable';
  readonly httpStatus: number;
}

/** @param send The network; another one stands in for it where time and faults are simulated. */
export function connectDoitApi(settings: DoitApiSettings, readKey: ReadKey, send: ExchangeCall = exchange): ConnectApi {
  return (onCall) => doitApi(settings, readKey, send, onCall);
}

function doitApi(settings: DoitApiSettings, readKey: ReadKey, send: ExchangeCall, onCall: OnApiCall): InviteApi {
  const { apiUrl, tenantId, callTimeoutMs } = settings;
  return {
    validateKey: async () => {
      const answer = await read('validate', '/auth/v1/validate', keyOwnerSchema, apiLimits.answerBytesMax);
      // A success that is not the API's: the address is that of something else.
      return answer.kind === 'unreadable'
        ? { kind: 'refused', httpStatus: answer.httpStatus, message: notTheApi }
        : answer;
    },
    listUsers: async () => mapRead(await list('list_users', '/iam/v1/users', usersSchema), ({ users }) => users),
    listRoles: async () => mapRead(await list('list_roles', '/iam/v1/roles', rolesSchema), ({ roles }) => roles),
    listOrganizations: async () =>
      mapRead(
        await list('list_organizations', '/iam/v1/organizations', organizationsSchema),
        ({ organizations }) => organizations,
      ),
    findUser: (email) => findUser(email),
    invite: async (invitee) => {
      const request = {
        method: 'POST',
        path: '/iam/v1/users/invite',
        body: JSON.stringify(invitee),
        bytesMax: apiLimits.answerBytesMax,
      } as const;
      const result = await call('invite_user', request, callTimeoutMs);
      if (result.kind === 'no_answer') {
        return {
          kind: 'in_doubt',
          doubt: { reason: 'no_answer', detail: result.detail, mayBeOurs: true, mayStillHappen: true },
        };
      }
      const user = invitedSchema.safeParse(result.json).data?.user;
      const isThatUser = user !== undefined && emailKey(user.email) === emailKey(invitee.email);
      // Somebody whom an invitation finds in another state was there before.
      const isInvited = isThatUser && (user.status ?? 'invited').toLowerCase() === 'invited';
      return readInviteAnswer(result, isInvited ? user.id : undefined);
    },
  };

  async function findUser(email: string): Promise<LookUpAnswer> {
    const path = `/iam/v1/users?email=${encodeURIComponent(email)}`;
    const result = await call('find_user', { method: 'GET', path, bytesMax: apiLimits.answerBytesMax }, callTimeoutMs);
    if (result.kind === 'no_answer') return { kind: 'unavailable', detail: result.detail };
    const users = usersSchema.safeParse(result.json).data?.users;
    const user = users?.find((candidate) => emailKey(candidate.email) === emailKey(email));
    return readLookUpAnswer(result, users === undefined ? undefined : (user ?? 'nobody'));
  }

  async function list<T>(operation: Operation, path: string, schema: z.ZodType<T>): Promise<ReadAnswer<T>> {
    const answer = await read(
      operation,
      path,
      schema,
      apiLimits.listBytesMax,
      callTimeoutMs * apiLimits.listTimeoutFactor,
    );
    if (answer.kind !== 'unreadable') return answer;
    return { kind: 'unavailable', detail: `status ${answer.httpStatus} with an answer that could not be read` };
  }

  async function read<T>(
    operation: Operation,
    path: string,
    schema: z.ZodType<T>,
    bytesMax: number,
    timeoutMs: number = callTimeoutMs,
  ): Promise<ReadAnswer<T> | Unreadable> {
    const result = await call(operation, { method: 'GET', path, bytesMax }, timeoutMs);
    if (result.kind === 'no_answer') return { kind: 'unavailable', detail: result.detail };
    const { httpStatus, errorMessage: message } = result;
    if (httpStatus >= 300 && httpStatus < 500 && httpStatus !== 408 && httpStatus !== 429)
      return { kind: 'refused', httpStatus, message };
    if (httpStatus < 200 || httpStatus >= 300) return { kind: 'unavailable', detail: `status ${httpStatus}` };
    const parsed = schema.safeParse(result.json);
    return parsed.success ? { kind: 'read', value: parsed.data } : { kind: 'unreadable', httpStatus };
  }

  /** A 401 has no effect, so where there is a new key by now the call is made once more, within the time of the first. */
  async function call(operation: Operation, request: Request, timeoutMs: number): Promise<Exchange> {
    const key = await readKey();
    const endsAtMs = Date.now() + timeoutMs;
    const result = await callWith(key, operation, request, timeoutMs);
    if (result.kind === 'no_answer' || result.httpStatus !== 401) return result;
    const newKey = await readKey(key);
    const leftMs = endsAtMs - Date.now();
    return newKey === key || leftMs <= 0 ? result : await callWith(newKey, operation, request, leftMs);
  }

  async function callWith(key: string, operation: Operation, request: Request, timeoutMs: number): Promise<Exchange> {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(tenantId === undefined ? {} : { 'x-tenant-id': tenantId }),
    };
    const startedAtMs = Date.now();
    const result = await send(apiUrl, request, headers, timeoutMs);
    onCall(
      operation,
      result.kind === 'no_answer' ? 'no_answer' : `${result.httpStatus}`,
      Math.max(0, Date.now() - startedAtMs),
    );
    return result;
  }
}

function mapRead<T, U>(answer: ReadAnswer<T>, map: (value: T) => U): ReadAnswer<U> {
  return answer.kind === 'read' ? { kind: 'read', value: map(answer.value) } : answer;
}
