/**
 * An API with a limit that it does not tell: how much of it is used once the pace has been found, and how many calls are
 * refused on the way.
 */
import { runLocal } from './command.ts';
import { type Figure, figure, noTarget, percent, ratio, seconds } from './figure.ts';
import { type Observations, ratePerSecond, withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { withWorkspace } from './workspace.ts';

const peopleCount = 600;
const rateLimitPerSecond = 20;
/** By then the pace should have been found. */
const settlingMs = 10_000;
const shareMin = 0.7;
const refusedShareMax = 0.1;

export async function pace(): Promise<Figure[]> {
  return await withSandbox({ faults: { rateLimitPerSecond } }, ({ url, observations }) =>
    withWorkspace(async (workspace) => {
      const file = writePeople(workspace.folder, inventEmails('pace', peopleCount));
      const { seconds: wallSeconds, summary } = await runLocal(workspace, { file, apiUrl: url });
      const { postsAtMs, takenAtMs } = observations;
      return [
        figure('people invited', summary.counts['invited'] ?? 0, { kind: 'exactly', value: peopleCount }),
        figure(
          'accepted from the 10th second on / limit',
          settledRate(observations) / rateLimitPerSecond,
          { kind: 'at_least', value: shareMin },
          ratio,
        ),
        figure(
          'calls answered 429',
          1 - takenAtMs.length / postsAtMs.length,
          { kind: 'below', value: refusedShareMax },
          percent,
        ),
        figure('accepted in all / limit', ratePerSecond(takenAtMs) / rateLimitPerSecond, noTarget, ratio),
        figure('wall time', wallSeconds, noTarget, seconds),
      ];
    }),
  );
}

function settledRate({ postsAtMs, takenAtMs }: Observations): number {
  const fromMs = (postsAtMs[0] ?? 0) + settlingMs;
  return ratePerSecond(takenAtMs.filter((atMs) => atMs >= fromMs));
}
