/**
 * Takes the directory snapshot, or finds the one that an earlier run of the same job took.
 */
import type { Directory } from '../core/directory.ts';
import { WholeFileFault } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { readDirectory, writeDirectory } from '../ledger/directory.ts';
import { noteBegun, othersAtWork } from '../ledger/overlap.ts';
import type { Clock, DirectoryApi, ObjectStore, ReadAnswer } from '../ports.ts';

/** Thrown while the API cannot be read for a reason that may pass. */
export class ApiUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ApiUnavailable';
  }
}

export interface Wanted {
  readonly roles: boolean;
  readonly organizations: boolean;
  /** Role and organization of each user. */
  readonly access: boolean;
  /** Whether people may be invited, so that other jobs have to know of this one. */
  readonly invitations: boolean;
}

/**
 * @throws ApiUnavailable where asking again later may help.
 * @throws WholeFileFault `key_refused`, `key_forbidden` or `api_request_refused` where it will not.
 */
export async function takeSnapshot(
  store: ObjectStore,
  clock: Clock,
  api: DirectoryApi,
  jobId: JobId,
  wanted: Wanted,
): Promise<Directory> {
  const earlier = await readDirectory(store, jobId);
  if (earlier !== undefined) return earlier;
  expectRead('validate the key', await api.validateKey());
  // In this order: of two jobs that begin together, at least one then sees the other.
  if (wanted.invitations) await noteBegun(store, jobId, clock.now());
  const takenAtMs = clock.now();
  const overlaps = await othersAtWork(store, jobId, takenAtMs);
  const users = expectRead('list the users', await api.listUsers());
  const roles = wanted.roles ? expectRead('list the roles', await api.listRoles()) : undefined;
  const organizations = wanted.organizations
    ? expectRead('list the organizations', await api.listOrganizations())
    : undefined;
  return await writeDirectory(store, jobId, {
    takenAtMs,
    overlaps,
    users: wanted.access ? users : users.map(({ id, email, status }) => ({ id, email, status })),
    ...(roles === undefined ? {} : { roles }),
    ...(organizations === undefined ? {} : { organizations }),
  });
}

function expectRead<T>(what: string, answer: ReadAnswer<T>): T {
  switch (answer.kind) {
    case 'read':
      return answer.value;
    case 'unavailable':
      throw new ApiUnavailable(`The API could not ${what}: ${answer.detail}.`);
    case 'refused':
      throw refusal(what, answer);
    default:
      return answer satisfies never;
  }
}

function refusal(what: string, { httpStatus, message }: { httpStatus: number; message: string }): WholeFileFault {
  const found = `The API refused to ${what} with status ${httpStatus}: ${message}`;
  if (httpStatus === 401) {
    const next =
      'The API key is wrong, has been revoked or has run out. Put a valid one in its place, and then run the file again.';
    return new WholeFileFault('key_refused', `${found} ${next}`);
  }
  if (httpStatus === 403) {
    const next = 'The owner of the API key needs a role that may read and invite users. Then run the file again.';
    return new WholeFileFault('key_forbidden', `${found} ${next}`);
  }
  const next = 'Check the address of the API and the tenant (a key that reaches several customers must name one).';
  return new WholeFileFault('api_request_refused', `${found} ${next}`);
}
