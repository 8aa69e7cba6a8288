/**
 * Where invitations go: the sandbox in this process, or an API that is named.
 */
import { join } from 'node:path';
import type { Faults } from '../sandbox/faults.ts';
import { openOrganization } from '../sandbox/organization.ts';
import { startSandbox } from '../sandbox/server.ts';
import type { Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

export interface Target {
  readonly url: string;
  readonly key: string;
  readonly isSandbox: boolean;
  close(): Promise<void>;
}

const reachTimeoutMs = 10_000;

/** For jobs that call nobody any more. Nothing has this address. */
export function targetNotCalled(): Target {
  return { url: 'https://not-called.invalid', key: 'not-needed', isSandbox: false, close: async () => undefined };
}

/** An API that a person has named. */
export interface NamedApi {
  readonly url: string;
  readonly tenant?: string;
}

/** For people, and to tell whether two jobs have the same target. @param api Undefined for the sandbox. */
export function targetName(api: NamedApi | undefined): string {
  if (api === undefined) return 'the sandbox';
  return api.tenant === undefined ? api.url : `${api.url} (tenant ${api.tenant})`;
}

/** @param folder Where the organization of the sandbox is kept. */
export async function openSandboxTarget(folder: string, faults: Faults, terminal: Terminal): Promise<Target> {
  const organization = openOrganization(join(folder, 'sandbox.db'));
  const sandbox = await startSandbox({ port: 0, organization, faults });
  terminal.say(
    'SANDBOX: nobody is really invited. (For a real organization: --api-url https://api.doit.com and the key in DCI_API_KEY.)',
  );
  const close = async () => {
    await sandbox.close();
    organization.close();
  };
  return { url: sandbox.url, key: 'sandbox', isSandbox: true, close };
}

/**
 * @param isChosen Whether the API was chosen just now; otherwise it is that of a job that was started before.
 * @throws UserError where the environment holds no key, or one that cannot be one.
 */
export function expectKey(isChosen: boolean): string {
  const key = process.env['DCI_API_KEY'] ?? '';
  if (key === '') {
    throw new UserError(
      `There is no API key. Put one into the environment variable DCI_API_KEY${isChosen ? ', or leave out --api-url to use the sandbox' : ': the job was started for a real API'}.`,
    );
  }
  if (!/^[\x21-\x7e]+$/u.test(key)) {
    throw new UserError(
      'The key in DCI_API_KEY has a blank, a line break or another character that no key has. Was more than the key copied?',
    );
  }
  return key;
}

/**
 * A wrong address is told at once, before anything is stored.
 *
 * @throws UserError where there is no key, or nothing answers at the address.
 */
export async function reachTarget({ url }: NamedApi, isChosen: boolean): Promise<Target> {
  const key = expectKey(isChosen);
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(reachTimeoutMs) });
    await response.body?.cancel();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new UserError(
      `The API at ${url} cannot be reached (${cause}). ${isChosen ? 'Nothing was started; check --api-url and the network.' : 'The job was started for it and stays as it is; check the network.'}`,
      { cause: error },
    );
  }
  return { url, key, isSandbox: false, close: async () => undefined };
}
