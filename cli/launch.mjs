// Runs a file of this project on the project's own Node, and installs from the lock file first where that is needed.
// It runs on whatever Node the machine has (20 or later), so it is plain JavaScript and uses nothing but Node itself.
//
//   node cli/launch.mjs <file> [argument …]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.installed-lock');
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

export function launch(file, args) {
  refuseSwallowedOptions();
  installIfNeeded();
  const child = spawn(node, [join(root, file), ...args], {
    stdio: 'inherit',
    cwd: workingFolder(),
    env: environment(),
  });
  // The terminal sends Ctrl-C to the whole group; the child ends in its own time, and this process waits for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGTERM'));
  // npm passes a SIGTERM to the shell between it and this process, which then has another parent.
  const parent = process.ppid;
  const isUnderNpm = process.env.npm_execpath !== undefined;
  if (isUnderNpm) setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref();
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function installIfNeeded() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(node) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lock) return;
  process.stderr.write('Installing what this project needs (once, about a minute) …\n');
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  // Standard output belongs to the command that was asked for, so npm's goes to standard error.
  const options = { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' };
  const { status, error } = spawnSync(
    command,
    [...first, 'ci', '--loglevel=error', '--no-fund', '--no-audit'],
    options,
  );
  if (status !== 0)
    fail(
      `npm ci failed${error ? ` (${error.message})` : ''}. Its messages are above; mend that and run the same command again.`,
    );
  if (!existsSync(node))
    fail(`npm ci ended without ${node}. Were install scripts switched off (npm config get ignore-scripts)?`);
  writeFileSync(stampFile, lock);
}

// npm runs scripts in the project's root; files that a person names are meant from where the person stands.
function workingFolder() {
  const isForPeople = process.env.npm_lifecycle_event === 'start';
  return isForPeople && process.env.INIT_CWD ? process.env.INIT_CWD : process.cwd();
}

// Without `--`, npm takes options for its own, and the job, or the deployment, would run without them.
function refuseSwallowedOptions() {
  const script = process.env.npm_lifecycle_event;
  const isDeployment = ['bootstrap', 'synth', 'diff', 'deploy', 'destroy'].includes(script ?? '');
  // -c is short for an option of npm.
  if (isDeployment && (process.env.npm_config_call || process.env.npm_config_context))
    fail(`npm took -c for itself. Write -- before it: npm run ${script} -- -c name=value …`);
  if (script !== 'start') return;
  // All of `local` but two: of --hang, npm makes its own help, and --verbose costs nobody more than the log on the terminal.
  const ours = [
    ...['map', 'allow-domain', 'invite-gone', 'dry-run', 'max-new', 'api-url', 'tenant', 'role', 'organization'],
    ...['workers', 'concurrency', 'call-timeout', 'max-rejected', 'out', 'data', 'json'],
    ...['latency', 'rate-limit', 'error-before', 'error-after', 'seed'],
  ];
  const swallowed = ours.find((name) => process.env[`npm_config_${name.replaceAll('-', '_')}`]);
  if (swallowed === undefined) return;
  fail(`npm took --${swallowed} for itself. Write -- before the file: npm start -- FILE --${swallowed} …`);
}

// Child processes that are started by name find the project's Node first, too.
function environment() {
  const separator = process.platform === 'win32' ? ';' : ':';
  return { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${separator}${process.env.PATH ?? ''}` };
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) fail('Usage: node cli/launch.mjs <file> [argument …]');
  launch(file, args);
}
