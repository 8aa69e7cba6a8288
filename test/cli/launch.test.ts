/**
 * What stands between npm and the command.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Nothing can be done about these: of the first npm makes its own help, and the second it hears itself. */
const heardByNpm = ['--hang', '--verbose', '--help'];

function launch(environment: Readonly<Record<string, string>>) {
  const args = ['cli/launch.mjs', 'cli/main.ts', '--version'];
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { PATH, ...environment } });
}

test.each([
  [
    'deploy',
    { npm_config_call: 'settings=acme.json' },
    'npm took -c for itself. Write -- before it: npm run deploy -- -c name=value …',
  ],
  [
    'destroy',
    { npm_config_context: 'true' },
    'npm took -c for itself. Write -- before it: npm run destroy -- -c name=value …',
  ],
])('%s does not run without an option that npm took for itself', (script, swallowed, sentence) => {
  const { status, stderr } = launch({ npm_lifecycle_event: script, ...swallowed });
  expect(stderr).toBe(`${sentence}\n`);
  expect(status).toBe(1);
});

test('start does not run without an option that npm took for itself', () => {
  const { stdout } = spawnSync(process.execPath, ['cli/main.ts', 'local', '--help'], { cwd: root, encoding: 'utf8' });
  const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gmu)].map(([, option = '']) => option);
  expect(options).toEqual(expect.arrayContaining(['--max-rejected', '--seed', ...heardByNpm]));
  for (const option of options.filter((name) => !heardByNpm.includes(name))) {
    const swallowed = { [`npm_config_${option.slice(2).replaceAll('-', '_')}`]: 'true' };
    const { status, stderr } = launch({ npm_lifecycle_event: 'start', ...swallowed });
    const sentence = `npm took ${option} for itself. Write -- before the file: npm start -- FILE ${option} …\n`;
    expect({ status, stderr }).toEqual({ status: 1, stderr: sentence });
  }
});
