/**
 * Everything that `npm test` checks, one after the other. The last line of the output counts the checks and the tests.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const resultsFile = join(tmpdir(), `bulk-invite-tests-${process.pid}.json`);

/** Each is one check in the count; the tests count one by one. */
const checks: readonly (readonly [what: string, ...command: string[]])[] = [
  ['format and lint', 'biome', 'check', '.'],
  ['types', 'tsc', '--project', '.'],
  ['unused code', 'knip', '--no-progress'],
];

const resultsSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numFailedTestSuites: z.number(),
});

let passed = 0;
let failed = 0;
for (const [what, ...command] of checks) {
  const isFine = run(what, command);
  passed += isFine ? 1 : 0;
  failed += isFine ? 0 : 1;
}
const areTestsFine = run('tests', [
  'vitest',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${resultsFile}`,
]);
const results = existsSync(resultsFile)
  ? resultsSchema.parse(JSON.parse(readFileSync(resultsFile, 'utf8')))
  : { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 0 };
rmSync(resultsFile, { force: true });
passed += results.numPassedTests;
failed += results.numFailedTests;
// A test file that cannot be loaded, or a fault outside of any test, fails no test of its own.
if (!areTestsFine && results.numFailedTests === 0) failed += Math.max(1, results.numFailedTestSuites);
if (results.numPassedTests === 0) failed += 1;
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function run(what: string, [program = '', ...args]: readonly string[]): boolean {
  const startedAtMs = Date.now();
  const { status } = spawnSync(join(root, 'node_modules', '.bin', program), args, { cwd: root, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok' : 'FAILED'}: ${what} (${((Date.now() - startedAtMs) / 1000).toFixed(1)} s)`);
  return status === 0;
}
