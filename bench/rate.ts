/**
 * How near the rate of invitations comes to what the API's latency allows, and how near a plain loop comes to it.
 */
import { fileURLToPath } from 'node:url';
import { outputOf, runLocal } from './command.ts';
import { callsPerSecond, type Figure, figure, noTarget, ratio } from './figure.ts';
import { ratePerSecond, withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const peopleCount = 2000;
const latencyMs = 50;
const workers = 2;
const concurrency = 10;
const idealPerSecond = (workers * concurrency * 1000) / latencyMs;
const ratioMin = 0.85;
const roundCount = 3;

const plainLoop = fileURLToPath(import.meta.resolve('./plainLoop.ts'));

interface Round {
  readonly posts: number;
  readonly perSecond: number;
  readonly plainPerSecond: number;
}

/** What else the machine does moves a single round by several hundredths of the ideal, so the median counts. */
export async function rate(): Promise<Figure[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < roundCount; round += 1) rounds.push(await measure());
  const perSecond = rounds.map((round) => round.perSecond);
  const plainPerSecond = rounds.map((round) => round.plainPerSecond);
  const shares = perSecond.map((value) => value / idealPerSecond);
  return [
    figure(
      'invitation calls, all rounds',
      rounds.reduce((sum, { posts }) => sum + posts, 0),
      { kind: 'exactly', value: peopleCount * roundCount },
    ),
    figure('rate', median(perSecond), noTarget, callsPerSecond),
    figure('rate of a plain loop', median(plainPerSecond), noTarget, callsPerSecond),
    figure('rate / ideal', median(shares), { kind: 'at_least', value: ratioMin }, ratio),
    figure('rate / ideal, lowest round', Math.min(...shares), noTarget, ratio),
    figure('rate / ideal, highest round', Math.max(...shares), noTarget, ratio),
    figure('rate of a plain loop / ideal', median(plainPerSecond) / idealPerSecond, noTarget, ratio),
  ];
}

/** The plain loop and the command, one after the other, against the same sandbox. */
async function measure(): Promise<Round> {
  return await withSandbox({ faults: { latencyMs } }, ({ url, observations: { postsAtMs } }) =>
    withWorkspace(async (workspace) => {
      await runPlainLoop(workspace, url);
      const plainAtMs = [...postsAtMs];
      const file = writePeople(workspace.folder, inventEmails('rate', peopleCount));
      const options = ['--workers', String(workers), '--concurrency', String(concurrency)];
      await runLocal(workspace, { file, apiUrl: url, options });
      const commandAtMs = postsAtMs.slice(plainAtMs.length);
      return {
        posts: commandAtMs.length,
        perSecond: ratePerSecond(commandAtMs),
        plainPerSecond: ratePerSecond(plainAtMs),
      };
    }),
  );
}

async function runPlainLoop(workspace: Workspace, url: string): Promise<void> {
  const child = workspace.start([plainLoop, url, String(peopleCount), String(workers * concurrency)], {});
  const [, errors] = await outputOf(child);
  if (child.exitCode !== 0) throw new Error(`The plain loop failed:\n${errors}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
