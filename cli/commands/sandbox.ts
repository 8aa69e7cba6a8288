/**
 * `bulk-invite sandbox`: the sandbox as a server of its own.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Faults } from '../sandbox/faults.ts';
import { openOrganization } from '../sandbox/organization.ts';
import { startSandbox } from '../sandbox/server.ts';
import { openTerminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

export interface SandboxCommandOptions {
  readonly port: number;
  readonly data: string;
  readonly key?: string;
  readonly tenant?: string;
  readonly faults: Faults;
}

/** Runs until it is interrupted. */
export async function sandbox({ port, data, key, tenant, faults }: SandboxCommandOptions): Promise<number> {
  const terminal = openTerminal();
  const folder = resolve(data);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const organization = openOrganization(join(folder, 'sandbox.db'));
  const server = await startSandbox({
    port,
    organization,
    faults,
    ...(key === undefined ? {} : { key }),
    ...(tenant === undefined ? {} : { tenantId: tenant }),
  }).catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : String(error);
    throw new UserError(`The sandbox cannot listen at port ${port} (${cause}). Choose another with --port.`, {
      cause: error,
    });
  });
  terminal.result(`SANDBOX DoiT API at ${server.url}: nobody is really invited.`);
  terminal.result(
    `Its organization is kept in ${join(folder, 'sandbox.db')} and has ${organization.users().length} users.`,
  );
  terminal.result(
    `In another terminal: DCI_API_KEY=${key ?? 'anything'} npx bulk-invite local FILE --api-url ${server.url}`,
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await server.close();
  organization.close();
  return 0;
}
