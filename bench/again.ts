/**
 * A finished file once more: nobody is sent anything.
 */
import { runLocal } from './command.ts';
import { type Figure, figure, noTarget, seconds } from './figure.ts';
import { withSandbox } from './observedSandbox.ts';
import { inventEmails, writePeople } from './people.ts';
import { withWorkspace } from './workspace.ts';

const peopleCount = 500;

export async function again(): Promise<Figure[]> {
  return await withSandbox({}, ({ url, observations: { postsAtMs } }) =>
    withWorkspace(async (workspace) => {
      const file = writePeople(workspace.folder, inventEmails('again', peopleCount));
      const first = await runLocal(workspace, { file, apiUrl: url });
      const firstCount = postsAtMs.length;
      const second = await runLocal(workspace, { file, apiUrl: url });
      return [
        figure('invitation calls, first run', firstCount, { kind: 'exactly', value: peopleCount }),
        figure('invitation calls, second run', postsAtMs.length - firstCount, { kind: 'exactly', value: 0 }),
        figure('wall time, first run', first.seconds, noTarget, seconds),
        figure('wall time, second run', second.seconds, noTarget, seconds),
      ];
    }),
  );
}
