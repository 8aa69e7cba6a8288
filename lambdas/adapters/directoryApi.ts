/**
 * What the DoiT API knows: users, roles, organizations. Nothing here changes anything, so a function that has only this
 * cannot invite anybody.
 */
import type * as z from 'zod';
import type { Operation } from '../core/apiCalls.ts';
import { apiLimits } from '../core/limits.ts';
import type { ConnectDirectoryApi, ReadAnswer } from '../ports.ts';
import type { ReadKey } from './apiKey.ts';
import { type DoitApiSettings, doitClient, type ExchangeCall } from './doitClient.ts';
import { keyOwnerSchema, organizationsSchema, rolesSchema, usersSchema } from './doitSchemas.ts';

const notTheApi = 'an answer that is not one of the DoiT API.';

/** @param send See `doitClient`. */
export function connectDirectoryApi(
  settings: DoitApiSettings,
  readKey: ReadKey,
  send?: ExchangeCall,
): ConnectDirectoryApi {
  return (onCall) => {
    const client = doitClient(settings, readKey, onCall, send);
    const { callTimeoutMs } = settings;
    const listLimits = { bytesMax: apiLimits.listBytesMax, timeoutMs: callTimeoutMs * apiLimits.listTimeoutFactor };
    return {
      validateKey: async () => {
        const limits = { bytesMax: apiLimits.answerBytesMax, timeoutMs: callTimeoutMs };
        const answer = await client.read('validate', '/auth/v1/validate', keyOwnerSchema, limits);
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
    };

    async function list<T>(operation: Operation, path: string, schema: z.ZodType<T>): Promise<ReadAnswer<T>> {
      const answer = await client.read(operation, path, schema, listLimits);
      if (answer.kind !== 'unreadable') return answer;
      return { kind: 'unavailable', detail: `status ${answer.httpStatus} with an answer that could not be read` };
    }
  };
}

function mapRead<T, U>(answer: ReadAnswer<T>, map: (value: T) => U): ReadAnswer<U> {
  return answer.kind === 'read' ? { kind: 'read', value: map(answer.value) } : answer;
}
