/**
 * `npm run destroy`: names the stack, says what goes and what stays, and lets the CDK remove it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSettings, SettingsError } from './settings.ts';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);

process.exitCode = announce() ? destroy() : 1;

/** False where the settings are wrong, and so nobody can tell which stack is meant. */
function announce(): boolean {
  try {
    console.error(description(readSettings(contextIn(args)).stack));
    return true;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    return false;
  }
}

/** What the CDK takes as `-c name=value`; its other options are none of our business. */
function contextIn(args: readonly string[]): Record<string, string> {
  const options = { context: { type: 'string', short: 'c', multiple: true } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false });
  const pairs = (values.context ?? []).map((pair) => /^=?([^=]*)=?(.*)$/su.exec(String(pair)) ?? []);
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

function description(stack: string): string {
  return `
This removes the stack “${stack}”: the functions, the queues with all that waits in them, the times of rosters, the alarms, the dashboard, the logs, the
policies and roles for people, and the secret with the API key if the stack made it. A job that is under way ends without a
report. If you mean another stack, give the settings that it was deployed with, such as -c settings=acme.json.

It keeps two buckets: the one with the uploads, the records of jobs and the reports, and the one with its access logs. What
is in them is still deleted when its days are over. To be rid of them at once, empty and delete both in the S3 console; their
names begin with the name of the stack.
`;
}

function destroy(): number {
  const cdk = join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const { status } = spawnSync(process.execPath, [cdk, 'destroy', ...args], { cwd: root, stdio: 'inherit' });
  return status ?? 1;
}
