/**
 * A whole company whose people are nearly all users already: the calls, the time and the memory that it takes.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openOrganization } from '../cli/sandbox/organization.ts';
import { dataFolder, runLocal } from './command.ts';
import { type Figure, figure, megabytes, noTarget, seconds } from './figure.ts';
import { withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { withWorkspace } from './workspace.ts';

const peopleCount = 100_000;
const newCount = 100;
const memoryBytesMax = 400_000_000;

export async function directory(): Promise<Figure[]> {
  const emails = inventEmails('known', peopleCount);
  const users = emails.filter((_, index) => index % (peopleCount / newCount) !== 0);
  return [...(await againstServer(emails, users)), ...(await inOneProcess(emails, users))];
}

async function againstServer(emails: readonly string[], seed: readonly string[]): Promise<Figure[]> {
  return await withSandbox({ seed }, ({ url, observations }) =>
    withWorkspace(async (workspace) => {
      const file = writePeople(workspace.folder, emails);
      const end = await runLocal(workspace, { file, apiUrl: url });
      return [
        figure('invitation calls', observations.postsAtMs.length, { kind: 'exactly', value: newCount }),
        figure('list calls', observations.lists, { kind: 'exactly', value: 1 }),
        figure('wall time', end.seconds, noTarget, seconds),
        figure('peak memory, API elsewhere', end.peakMemoryBytes, { kind: 'below', value: memoryBytesMax }, megabytes),
      ];
    }),
  );
}

async function inOneProcess(emails: readonly string[], seed: readonly string[]): Promise<Figure[]> {
  return await withWorkspace(async (workspace) => {
    seedDataFolder(dataFolder(workspace), seed);
    const file = writePeople(workspace.folder, emails);
    const { seconds: wallSeconds, peakMemoryBytes, summary } = await runLocal(workspace, { file });
    const { invite_user: invitations = {}, list_users: lists = {} } = summary.apiCalls;
    return [
      figure('invitation calls, sandbox inside', sum(invitations), { kind: 'exactly', value: newCount }),
      figure('list calls, sandbox inside', sum(lists), { kind: 'exactly', value: 1 }),
      figure('wall time, sandbox inside', wallSeconds, noTarget, seconds),
      figure('peak memory, whole local process', peakMemoryBytes, { kind: 'below', value: memoryBytesMax }, megabytes),
    ];
  });
}

/** The sandbox within the process opens this file. */
function seedDataFolder(folder: string, emails: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const organization = openOrganization(join(folder, 'sandbox.db'));
  organization.seed(emails);
  organization.close();
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
