/**
 * `npm run destroy`: says what goes and what stays, and lets the CDK remove the stack.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

console.error(`
This removes the functions, the queues with all that waits in them, the alarms, the dashboard, the logs, the policies and
roles for people, and the secret with the API key if the stack made it. A job that is under way ends without a report.

It keeps two buckets: the one with the uploads, the records of jobs and the reports, and the one with its access logs. What
is in them is still deleted when its days are over. To be rid of them at once, empty and delete both in the S3 console; their
names begin with the name of the stack.
`);

const cdk = join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk');
const { status } = spawnSync(process.execPath, [cdk, 'destroy', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
