/**
 * A run that is killed in the middle and started again: nobody is invited twice, no row is lost, and it goes on soon.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { type LocalCommand, outputOf, reportFolder, runLocal, startLocal } from './command.ts';
import { type Figure, figure, noTarget, seconds } from './figure.ts';
import { type Observations, type ObservedSandbox, withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const peopleCount = 300;
const latencyMs = 100;
/** Invitation calls after which the run is killed. */
const postsBeforeKill = 100;
const resumeSecondsMax = 60;

export async function crash(): Promise<Figure[]> {
  let posts = 0;
  const reached = Promise.withResolvers<void>();
  const onPost = () => {
    posts += 1;
    if (posts === postsBeforeKill) reached.resolve();
  };
  return await withSandbox({ faults: { latencyMs }, onPost }, (sandbox) =>
    withWorkspace((workspace) => crashAndRestart(workspace, sandbox, reached.promise)),
  );
}

async function crashAndRestart(
  workspace: Workspace,
  { url, observations }: ObservedSandbox,
  reached: Promise<void>,
): Promise<Figure[]> {
  const emails = inventEmails('crash', peopleCount);
  const command = { file: writePeople(workspace.folder, emails), apiUrl: url };
  await killOnce(workspace, command, reached);
  const killedAfterCount = observations.postsAtMs.length;
  const restartedAtMs = performance.now();
  const { seconds: wallSeconds } = await runLocal(workspace, command);
  const secondsUntil = (timesAtMs: readonly number[]) =>
    (Math.min(...timesAtMs.filter((atMs) => atMs > restartedAtMs)) - restartedAtMs) / 1000;
  const { postsAtMs, lookUpsAtMs } = observations;
  return [
    figure('invitation calls before the kill', killedAfterCount, noTarget),
    ...figuresOfEmails(emails, observations),
    ...figuresOfReport(emails, readResults(workspace)),
    figure(
      'from the restart to the first call for a row',
      secondsUntil([...postsAtMs, ...lookUpsAtMs]),
      { kind: 'below', value: resumeSecondsMax },
      seconds,
    ),
    ...(lookUpsAtMs.length === 0
      ? []
      : [figure('from the restart to the first look-up', secondsUntil(lookUpsAtMs), noTarget, seconds)]),
    figure('from the restart to the report', wallSeconds, noTarget, seconds),
  ];
}

async function killOnce(workspace: Workspace, command: LocalCommand, reached: Promise<void>): Promise<void> {
  const child = startLocal(workspace, command);
  const output = outputOf(child);
  await Promise.race([reached, once(child, 'exit')]);
  child.kill('SIGKILL');
  const [, errors] = await output;
  if (child.signalCode !== 'SIGKILL') throw new Error(`The run ended before it was killed:\n${errors}`);
}

function figuresOfEmails(emails: readonly string[], { takenByEmail, invitedByEmail }: Observations): Figure[] {
  const invited = emails.map((email) => invitedByEmail.get(email) ?? 0);
  const taken = emails.map((email) => takenByEmail.get(email) ?? 0);
  return [
    figure('people invited', invited.filter((count) => count > 0).length, { kind: 'exactly', value: peopleCount }),
    figure('invitations that took effect, most for one person', Math.max(...invited), { kind: 'exactly', value: 1 }),
    figure('invitation calls, most for one person', Math.max(...taken), { kind: 'exactly', value: 1 }),
  ];
}

function figuresOfReport(emails: readonly string[], reported: readonly string[]): Figure[] {
  const isEachOnce = reported.length === emails.length && emails.every((email, index) => reported[index] === email);
  return [
    figure('rows in results.csv', reported.length, { kind: 'exactly', value: peopleCount }),
    figure('every row once and in order (1: yes)', isEachOnce ? 1 : 0, { kind: 'exactly', value: 1 }),
  ];
}

const resultsSchema = z.array(z.object({ Email: z.string() }));

/** @returns The email address of each row. */
function readResults(workspace: Workspace): string[] {
  const text = readFileSync(join(reportFolder(workspace), 'results.csv'), 'utf8');
  return resultsSchema.parse(parse(text, { bom: true, columns: true })).map(({ Email }) => Email);
}
