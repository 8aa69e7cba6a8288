/**
 * `npm run mutate`: plants small defects in the code that decides about claims, retries, chunks, completion and the report,
 * one at a time, and counts those that no test sees. Works in a copy of the project, because Stryker and its packages are
 * many and nobody else needs them.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const version = '10.1.1';
const root = join(import.meta.dirname, '..', '..');
const left = new Set(['.git', 'node_modules', 'cdk.out', 'reports', '.bulk-invite']);

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-mutation-'));
try {
  cpSync(root, folder, { recursive: true, filter: (path) => path === root || !left.has(basename(path)) });
  const packages = [`@stryker-mutator/core@${version}`, `@stryker-mutator/vitest-runner@${version}`];
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...packages]);
  run(join(folder, 'node_modules', '.bin', 'stryker'), ['run', 'test/mutation/stryker.config.json']);
  cpSync(join(folder, 'reports', 'mutation'), join(root, 'reports', 'mutation'), { recursive: true });
  console.log('Every mutant is in reports/mutation/mutation.html.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${basename(command)} ended with ${status}.`);
}
