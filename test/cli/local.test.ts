import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CountingSandbox, type Desk, openDesk, startCountingSandbox } from '../support/command.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples');

let desk: Desk;
const sandboxes: CountingSandbox[] = [];

beforeEach(() => {
  desk = openDesk();
});

afterEach(async () => {
  desk.close();
  for (const sandbox of sandboxes.splice(0)) await sandbox.close();
});

async function sandboxWith(...options: Parameters<typeof startCountingSandbox>): Promise<CountingSandbox> {
  const sandbox = await startCountingSandbox(...options);
  sandboxes.push(sandbox);
  return sandbox;
}

function people(count: number): string {
  return `email,name\n${Array.from({ length: count }, (_, index) => `person${index}@acme.example,Person ${index}\n`).join('')}`;
}

const anyKey = { DCI_API_KEY: 'test' };

describe('bulk-invite local', () => {
  test('runs an example in the sandbox, prints where the report is, and says that nobody is really invited', async () => {
    const { code, stdout, stderr } = await desk.run(['local', join(examples, 'every-status.csv')]);
    expect(stderr).toContain('nobody is really invited');
    expect(code).toBe(2);
    const paths = stdout.match(/^reports\/\S+$/gmu) ?? [];
    expect(paths.map((path) => path.split('/').at(-1))).toEqual([
      'results.csv',
      'retry.csv',
      'report.html',
      'summary.json',
    ]);
    const statuses = desk.table(paths[0] ?? '').map(({ invite_status }) => invite_status);
    expect(new Set(statuses)).toEqual(
      new Set([
        'invited',
        'already_active',
        'already_invited',
        'already_exists',
        'duplicate',
        'invalid',
        'rejected',
        'failed',
        'unknown',
      ]),
    );
  });

  test('takes the upload template of the DoiT console unchanged', async () => {
    const { code, stdout } = await desk.run(['local', join(examples, 'doit-template.csv'), '--json']);
    expect(code).toBe(0);
    const summary = JSON.parse(stdout);
    expect(summary.columns.used).toEqual({
      email: 'userEmail',
      firstName: 'firstName',
      lastName: 'lastName',
      jobTitle: 'jobFunction',
      role: 'userRole',
    });
    expect(summary.columns.ignored).toHaveLength(10);
  });

  test('with --json prints the content of summary.json and nothing else', async () => {
    const file = desk.file('people.csv', people(3));
    const { code, stdout } = await desk.run(['local', file, '--json', '--out', 'out']);
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(join(desk.folder, 'out', 'summary.json'), 'utf8'));
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'completed',
      rows: 3,
      counts: { invited: 3 },
      source: { name: 'people.csv' },
    });
  });

  test('keeps the state and the report from other users of the machine', async () => {
    await desk.run(['local', desk.file('people.csv', people(1)), '--out', 'out']);
    for (const folder of ['.bulk-invite', 'out']) expect(statSync(join(desk.folder, folder)).mode & 0o077).toBe(0);
  });

  test('runs a finished file again as a new job that sends nothing', async () => {
    const sandbox = await sandboxWith();
    const command = ['local', desk.file('people.csv', people(5)), '--api-url', sandbox.url];
    const first = await desk.run(command, anyKey);
    expect(first.stderr).toContain('New job');
    expect(sandbox.posts()).toBe(5);
    const second = await desk.run(command, anyKey);
    expect(second.stderr).toContain('New job');
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('5  already_invited');
    expect(sandbox.posts()).toBe(5);
    expect(readdirSync(join(desk.folder, 'reports'))).toHaveLength(2);
  });

  test('gives rows that name none the role and the organization of the command', async () => {
    const sandbox = await sandboxWith();
    const file = desk.file('people.csv', 'email,role\na@acme.example,\nb@acme.example,role-admin\n');
    const options = ['--api-url', sandbox.url, '--role', 'finance user', '--organization', 'org-shipping'];
    expect((await desk.run(['local', file, ...options], anyKey)).code).toBe(0);
    expect(sandbox.organization.find('a@acme.example')).toMatchObject({
      roleId: 'role-finance',
      organizationId: 'org-shipping',
    });
    expect(sandbox.organization.find('b@acme.example')).toMatchObject({
      roleId: 'role-admin',
      organizationId: 'org-shipping',
    });
  });

  test('ends where more rows are rejected than it may, and that is for the command to say', async () => {
    const file = desk.file('people.csv', people(60).replaceAll('person', 'sandbox-400.person'));
    const ended = await desk.run(['local', file, '--json']);
    expect(JSON.parse(ended.stdout)).toMatchObject({ state: 'failed', error: { code: 'too_many_rejected' } });
    const whole = await desk.run(['local', file, '--json', '--max-rejected', '100%']);
    expect(JSON.parse(whole.stdout)).toMatchObject({ state: 'completed', counts: { rejected: 60 } });
  });

  test('sends the tenant with every call', async () => {
    const sandbox = await sandboxWith({}, undefined, 'acme');
    const file = desk.file('people.csv', people(1));
    const wrong = await desk.run(['local', file, '--api-url', sandbox.url, '--data', 'other'], anyKey);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('tenant');
    expect((await desk.run(['local', file, '--api-url', sandbox.url, '--tenant', 'acme'], anyKey)).code).toBe(0);
  });
});

describe('bulk-invite local on a bad day', () => {
  test.each([
    ['a file that does not exist', ['local', 'nobody.csv'], 'There is no file'],
    ['a folder', ['local', '.'], 'is not a file'],
    ['no file at all', ['local'], "missing required argument 'file'"],
    ['a number of workers that is none', ['local', 'x.csv', '--workers', 'many'], 'whole number from 1 to 16'],
    ['a share of rows that is none', ['local', 'x.csv', '--max-rejected', '0%'], 'from 1% to 100%'],
    ['a share of new people', ['local', 'x.csv', '--max-new', '30%'], 'whole number from 0 to 999999999'],
    ['an address that is none', ['local', 'x.csv', '--api-url', 'doit'], 'https://api.doit.com'],
    ['an address that others can listen at', ['local', 'x.csv', '--api-url', 'http://api.acme.example'], 'use https'],
    ['an empty role', ['local', 'x.csv', '--role', ''], 'must not be empty'],
    ['an option that does not exist', ['local', 'x.csv', '--fast'], "unknown option '--fast'"],
  ])('names %s in a sentence and ends with 1', async (_name, args, sentence) => {
    const { code, stdout, stderr } = await desk.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });

  test('asks for the key before it starts anything', async () => {
    const { code, stderr } = await desk.run([
      'local',
      desk.file('people.csv', people(1)),
      '--api-url',
      'http://127.0.0.1:9',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('DCI_API_KEY');
  });

  test('says that the API cannot be reached, and starts nothing', async () => {
    const file = desk.file('people.csv', people(1));
    const { code, stderr } = await desk.run(['local', file, '--api-url', 'http://127.0.0.1:9'], anyKey);
    expect(code).toBe(1);
    expect(stderr).toContain('http://127.0.0.1:9 cannot be reached');
    expect(stderr).not.toContain('New job');
  });

  test('reports every row as not attempted where the key is refused, without a single invitation', async () => {
    const sandbox = await sandboxWith({}, 'the-right-key');
    const command = ['local', desk.file('people.csv', people(3)), '--api-url', sandbox.url, '--out', 'out'];
    const { code, stdout } = await desk.run(command, { DCI_API_KEY: 'a-wrong-key' });
    expect(code).toBe(1);
    expect(stdout).toContain('The API key is wrong');
    expect(desk.table('out/results.csv').map(({ invite_status }) => invite_status)).toEqual(
      Array(3).fill('not_attempted'),
    );
    expect(desk.table('out/retry.csv')).toHaveLength(3);
    expect(sandbox.posts()).toBe(0);
    const written = readdirSync(desk.folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(written.length).toBeGreaterThan(5);
    for (const { parentPath, name } of written) {
      expect(readFileSync(join(parentPath, name)).includes('a-wrong-key'), name).toBe(false);
    }
  });

  test.each([
    ['empty', '', 'The file is empty'],
    ['a header only', 'email\n', 'no rows below it'],
    ['without an email column', 'name\nAda\n', 'No column with the email addresses'],
  ])('says what is wrong with a file that is %s', async (_name, content, sentence) => {
    const { code, stdout } = await desk.run(['local', desk.file('people.csv', content)]);
    expect(code).toBe(1);
    expect(stdout).toContain(sentence);
  });

  test('starts nothing where the report has no place', async () => {
    const file = desk.file('results.csv', people(2));
    desk.file('taken', 'x');
    const onFile = await desk.run(['local', file, '--out', 'taken']);
    expect(onFile).toMatchObject({ code: 1, stdout: '' });
    expect(onFile.stderr).toContain('is a file, and the report needs a folder');
    const overInput = await desk.run(['local', file, '--out', '.']);
    expect(overInput).toMatchObject({ code: 1, stdout: '' });
    expect(overInput.stderr).toContain('would take the place of');
    expect(readFileSync(file, 'utf8')).toBe(people(2));
  });

  test('delivers a report that could not be written when the same command is run again', async () => {
    const file = desk.file('people.csv', people(3));
    // In the way of the first file of the report.
    mkdirSync(join(desk.folder, 'out', 'results.csv.partial'), { recursive: true });
    const first = await desk.run(['local', file, '--out', 'out']);
    expect(first.code).toBe(1);
    expect(first.stderr).toContain('EISDIR');
    rmSync(join(desk.folder, 'out'), { recursive: true });
    const second = await desk.run(['local', file, '--out', 'out']);
    expect(second.stderr).toContain('Delivering the report');
    expect(second.stdout).toContain('3  invited');
    const third = await desk.run(['local', file, '--out', 'out']);
    expect(third.stderr).toContain('New job');
    expect(third.stdout).toContain('3  already_invited');
  });

  test.each([
    ['role', 'Admin'],
    ['dry_run', 'true'],
    ['max_new', '5'],
  ])('says so where npm took an option for itself: %s', async (name, value) => {
    const launcher = join(import.meta.dirname, '..', '..', 'cli', 'launch.mjs');
    const environment = { ...process.env, npm_lifecycle_event: 'start', [`npm_config_${name}`]: value };
    const { status, stderr } = spawnSync(process.execPath, [launcher, 'cli/main.ts', 'local', 'x.csv'], {
      env: environment,
    });
    expect(status).toBe(1);
    expect(String(stderr)).toContain(`npm start -- FILE --${name.replace('_', '-')}`);
  });

  test('lets no second process use the same data folder', async () => {
    const sandbox = await sandboxWith({ latencyMs: 300 });
    const file = desk.file('people.csv', people(60));
    const first = desk.start(['local', file, '--api-url', sandbox.url], anyKey);
    await expect.poll(() => sandbox.posts(), { timeout: 20_000 }).toBeGreaterThan(0);
    const { code, stderr } = await desk.run(['local', file, '--api-url', sandbox.url], anyKey);
    expect(code).toBe(1);
    expect(stderr).toContain('Another bulk-invite is running');
    expect((await first.ended).code).toBe(0);
    expect(sandbox.posts()).toBe(60);
  });

  test('accounts for every row where the sandbox misbehaves', async () => {
    const file = desk.file('people.csv', people(40));
    const faults = [
      '--rate-limit',
      '60',
      '--error-before',
      '0.1',
      '--error-after',
      '0.1',
      '--hang',
      '0.03',
      '--call-timeout',
      '0.5',
      '--seed',
      '7',
    ];
    const { code, stdout } = await desk.run(['local', file, '--json', ...faults]);
    const { counts, rows } = JSON.parse(stdout);
    expect(rows).toBe(40);
    expect(counts.invited + counts.unknown + counts.failed).toBe(40);
    expect(counts.invited).toBeGreaterThan(35);
    expect([0, 2]).toContain(code);
  });
});
