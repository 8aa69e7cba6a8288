/**
 * What stands between npm and the command.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

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
