/**
 * Jobs that wait for somebody, and jobs that somebody ends, on a data folder, as a user runs them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLocalStorage } from '../../cli/local/localStorage.ts';
import { type CountingSandbox, type Desk, openDesk, startCountingSandbox } from '../support/command.ts';

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

const anyKey = { DCI_API_KEY: 'test' };
const idPattern = /\d{8}T\d{6}Z-[0-9a-f]{12}/u;

function people(count: number, name = 'person'): string {
  return `email\n${Array.from({ length: count }, (_, index) => `${name}${index}@acme.example\n`).join('')}`;
}

function jobIn(text: string): string {
  return idPattern.exec(text)?.[0] ?? '';
}

function statuses(path: string): (string | undefined)[] {
  return desk
    .table(join(path, 'results.csv'))
    .map(({ invite_status, invite_code }) => `${invite_status} ${invite_code}`);
}

describe('a dry run', () => {
  test('tells who would be invited without a single POST, and the real run of the same file follows it', async () => {
    const sandbox = await sandboxWith();
    const file = desk.file('people.csv', `${people(2)}ingrid.solheim@northlight.example\nnobody\n`);
    const command = ['local', file, '--api-url', sandbox.url];
    const dry = await desk.run([...command, '--dry-run', '--json', '--out', 'dry'], anyKey);
    expect(dry.code).toBe(2);
    expect(dry.stderr).toContain('This is a dry run: nobody is invited.');
    expect(dry.stderr).toContain('Dry run: 4 rows. Nobody was invited.');
    expect(dry.stderr).toContain('To invite them: the same command without --dry-run');
    expect(JSON.parse(dry.stdout)).toMatchObject({
      dryRun: true,
      state: 'completed',
      counts: { would_invite: 2, already_active: 1, invalid: 1 },
    });
    expect(statuses('dry')[0]).toBe('would_invite would_invite');
    expect(sandbox.posts()).toBe(0);
    expect(sandbox.calls).toContain('GET /iam/v1/users');

    const real = await desk.run([...command, '--json'], anyKey);
    expect(real.stderr).toContain('New job');
    expect(JSON.parse(real.stdout)).toMatchObject({ dryRun: false, counts: { invited: 2, already_active: 1 } });
    expect(sandbox.posts()).toBe(2);

    const submitted = await desk.run(['submit', file, '--local', '--api-url', sandbox.url, '--dry-run'], anyKey);
    expect(submitted.stdout).toContain('2  already_invited');
    expect(sandbox.posts()).toBe(2);
  });

  test('that was interrupted is not continued by the real run', async () => {
    const file = desk.file('people.csv', people(1));
    const left = await desk.run(['submit', file, '--local', '--dry-run', '--no-wait']);
    const real = await desk.run(['local', file]);
    expect(real.code).toBe(1);
    expect(real.stderr).toContain(`an unfinished job, ${left.stdout.trim()}, and it was started with --dry-run`);
  });
});

describe('a job above its limit', () => {
  async function heldJob(sandbox: CountingSandbox, ...options: string[]) {
    const file = desk.file('people.csv', `${people(8)}nobody\n`);
    const command = ['submit', file, '--local', '--api-url', sandbox.url, '--max-new', '7', ...options];
    const held = await desk.run(command, anyKey);
    return { command, held, jobId: jobIn(held.stderr) };
  }

  test('is held, says so again, is approved with what it shows, and invites', async () => {
    const sandbox = await sandboxWith();
    const { command, held, jobId } = await heldJob(sandbox);
    expect(held.code).toBe(2);
    expect(held.stdout).toContain('Held: 9 rows. Nobody was invited, and nobody will be until somebody approves it.');
    expect(held.stdout).toContain('It would send 8 invitations, and more than 7 need somebody’s approval.');
    expect(held.stdout).toContain(`npx bulk-invite approve ${jobId} --local`);
    expect(held.stdout).toContain(`npx bulk-invite reject ${jobId} --local`);
    const page = readFileSync(join(desk.folder, 'reports', jobId, 'report.html'), 'utf8');
    expect(page).toMatch(new RegExp(`npx bulk-invite approve ${jobId} --local \\(until \\d{4}-.+Z\\)\\.`, 'u'));
    expect(page).toContain(`npx bulk-invite reject ${jobId} --local, and upload a better file.`);
    expect(statuses(join('reports', jobId))).toEqual([...Array(8).fill('not_attempted held'), 'invalid email_invalid']);

    const again = await desk.run(command, anyKey);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`Job ${jobId} for ${command[1]} is held already; nothing was uploaded again.`);
    const unwatched = await desk.run([...command, '--no-wait'], anyKey);
    expect(unwatched).toMatchObject({ code: 0, stdout: `${jobId}\n` });
    expect(unwatched.stderr).toContain(`npx bulk-invite reject ${jobId} --local`);
    const watched = await desk.run(['watch', 'latest', '--local']);
    expect(watched.code).toBe(2);
    expect(watched.stdout).toContain(`npx bulk-invite approve ${jobId} --local`);
    const listed = await desk.run(['status', '--local']);
    expect(listed.stdout).toBe(`${jobId}  held       people.csv · 1 of 9 rows settled · 1 invalid\n`);
    const misplaced = await desk.run(['cancel', 'latest', '--local']);
    expect(misplaced).toMatchObject({ code: 1, stdout: '' });
    expect(misplaced.stderr).toContain(`is held: nobody is invited until somebody approves it, so there is nothing`);
    expect(misplaced.stderr).toContain(`npx bulk-invite reject ${jobId} --local`);

    const unasked = await desk.run(['approve', 'latest', '--local'], anyKey);
    expect(unasked.code).toBe(1);
    expect(unasked.stderr).toContain('it invites 8 people (of 9 rows; the others: 1 invalid).');
    expect(unasked.stderr).toContain('person0@acme.example, person1@acme.example');
    expect(unasked.stderr).toContain('person4@acme.example and 3 more.');
    expect(unasked.stderr).not.toContain('person5@acme.example');
    expect(unasked.stderr).toContain('there is no terminal');
    expect(unasked.stderr).toContain('add --yes');
    expect(sandbox.posts()).toBe(0);

    const approved = await desk.run(['approve', jobId, '--local', '--yes', '--json'], anyKey);
    expect(approved.code).toBe(2);
    const summary = JSON.parse(approved.stdout);
    expect(summary).toMatchObject({ state: 'completed', counts: { invited: 8, invalid: 1 } });
    expect(summary.approval.by).toMatch(/^\S+ on \S+$/u);
    expect(sandbox.posts()).toBe(8);
    expect(statuses(join('reports', jobId))[0]).toBe('invited created');

    const late = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain(`Job ${jobId} is not held: it has ended (completed). It was approved on `);
    const cancelled = await desk.run(['cancel', jobId, '--local'], anyKey);
    expect(cancelled.code).toBe(1);
    expect(cancelled.stderr).toContain(`Job ${jobId} has ended already (completed).`);
  });

  test('goes on with the limit for rejected rows that it was started with', async () => {
    const sandbox = await sandboxWith();
    const rows = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0 ? `sandbox-400+${index}@acme.example\n` : `p${index}@acme.example\n`,
    );
    const file = desk.file('people.csv', `email\n${rows.join('')}`);
    const limits = ['--max-new', '5', '--max-rejected', '10%', '--workers', '1', '--concurrency', '1'];
    await desk.run(['local', file, '--api-url', sandbox.url, ...limits], anyKey);
    const approved = await desk.run(['approve', 'latest', '--local', '--yes', '--json'], anyKey);
    expect(JSON.parse(approved.stdout)).toMatchObject({ state: 'failed', error: { code: 'too_many_rejected' } });
    expect(JSON.parse(approved.stdout).error.message).toContain('more than 10 % stop a job');
    expect(sandbox.posts()).toBeLessThan(60);
  });

  test('is approved only where the API it was started for can be reached', async () => {
    const sandbox = await sandboxWith();
    const { jobId } = await heldJob(sandbox);
    const keyless = await desk.run(['approve', jobId, '--local', '--yes']);
    expect(keyless.code).toBe(1);
    expect(keyless.stderr).toContain('DCI_API_KEY: the job was started for a real API.');
    await sandboxes.splice(0)[0]?.close();
    const unreached = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(unreached.code).toBe(1);
    expect(unreached.stderr).toContain('The job was started for it and stays as it is; check the network.');
    expect((await desk.run(['status', '--local'])).stdout).toContain(`${jobId}  held`);
  });

  test('is rejected without an API to reach; then it cannot be approved, and the same command is a new job', async () => {
    const sandbox = await sandboxWith();
    const { command, jobId } = await heldJob(sandbox);
    await sandboxes.splice(0)[0]?.close();
    const rejected = await desk.run(['reject', 'latest', '--local']);
    expect(rejected.stderr).toContain(`Job ${jobId} is rejected: nobody is invited.`);
    expect(rejected.code).toBe(0);
    expect(rejected.stdout).toMatch(/^Ended early: The job was held, and it was rejected\. \(\S+ on \S+\)$/mu);
    expect(statuses(join('reports', jobId))[0]).toBe('not_attempted not_approved');
    expect(desk.table(join('reports', jobId, 'retry.csv'))).toEqual([]);

    const again = await desk.run(['reject', jobId, '--local']);
    expect(again.code).toBe(0);
    expect(again.stderr).toMatch(new RegExp(`Job ${jobId} was ended on .+, by \\S+ on \\S+: The job was held`, 'u'));
    const approved = await desk.run(['approve', jobId, '--local', '--yes']);
    expect(approved.code).toBe(1);
    expect(approved.stderr).toContain(`Job ${jobId} cannot be approved any more: it was ended on `);
    const report = await desk.run(['report', jobId, '--local']);
    expect(report.code).toBe(2);

    const next = await sandboxWith();
    const renewed = await desk.run(
      command.map((part) => (part === sandbox.url ? next.url : part)),
      anyKey,
    );
    expect(renewed.stderr).toContain('New job');
  });

  test('can neither be approved nor rejected when its records are deleted', async () => {
    const sandbox = await sandboxWith();
    const { command, jobId } = await heldJob(sandbox);
    const storage = await openLocalStorage(join(desk.folder, '.bulk-invite'));
    for await (const { key } of storage.store.list('jobs/'))
      await storage.s3.send(new DeleteObjectCommand({ Bucket: storage.bucket, Key: key }));
    await storage.close();
    const approved = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(approved.code).toBe(1);
    expect(approved.stderr).toContain(`Job ${jobId} cannot be approved any more: it was held, and nobody approved it`);
    expect(approved.stderr).toContain('upload the file again');
    const rejected = await desk.run(['reject', jobId, '--local'], anyKey);
    expect(rejected.code).toBe(0);
    expect(rejected.stderr).toContain('its records are deleted: nobody is invited by it');
    expect((await desk.run(['status', '--local'])).stdout).toContain(`${jobId}  lapsed     people.csv`);
    expect(sandbox.posts()).toBe(0);
    // It is in nobody’s way: the file can be uploaded again, as it says.
    const again = await desk.run(command, anyKey);
    expect(again.stderr).toContain('New job');
    expect(again.stderr).not.toContain(jobId);
  });

  test('is in nobody’s way but for its file name', async () => {
    const sandbox = await sandboxWith();
    const { jobId } = await heldJob(sandbox);
    const other = await desk.run(['local', desk.file('other.csv', people(1, 'other'))]);
    expect(other.code).toBe(0);
    expect(other.stdout).toContain('1  invited');
    const sameName = await desk.run(['local', join(desk.folder, 'people.csv'), '--api-url', sandbox.url], anyKey);
    expect(sameName.code).toBe(1);
    expect(sameName.stderr).toContain(
      `a job of that file name that is held, ${jobId}, and it was started with --max-new 7`,
    );
    expect(sameName.stderr).toContain(`npx bulk-invite approve ${jobId} --local, or npx bulk-invite reject ${jobId}`);

    // One that is unfinished and was started for something else would go on with the API of this one.
    const left = await desk.run(['submit', desk.file('left.csv', people(1, 'left')), '--local', '--no-wait']);
    const approved = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(approved.code).toBe(1);
    expect(approved.stderr).toContain(`is unfinished, ${left.stdout.trim()}, and it was started for the sandbox`);
    expect((await desk.run(['status', jobId, '--local'])).stdout).toContain('held: nobody is invited until');
    expect(sandbox.posts()).toBe(0);
  });

  test('is approved for later with --no-wait, and watch follows it', async () => {
    const sandbox = await sandboxWith();
    const { jobId } = await heldJob(sandbox);
    const approved = await desk.run(['approve', jobId, '--local', '--yes', '--no-wait'], anyKey);
    expect(approved).toMatchObject({ code: 0, stdout: '' });
    expect(sandbox.posts()).toBe(0);
    const twice = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(twice.stderr).toContain(`Job ${jobId} is no longer held: it was approved on `);
    const rejected = await desk.run(['reject', jobId, '--local'], anyKey);
    expect(rejected.stderr).toContain(`Job ${jobId} is no longer held: it was approved on `);
    expect(rejected.stderr).toContain(`npx bulk-invite cancel ${jobId} --local`);
    const watched = await desk.run(['watch', jobId, '--local'], anyKey);
    expect(watched.code).toBe(2);
    expect(watched.stdout).toContain('8  invited');
    expect(sandbox.posts()).toBe(8);
  });
});

describe('a job that is under way', () => {
  test('is cancelled within ten seconds from another process, every row is accounted for, and repeating is harmless', async () => {
    const sandbox = await sandboxWith({ latencyMs: 200 });
    const file = desk.file('people.csv', people(400));
    const running = desk.start(['local', file, '--api-url', sandbox.url, '--json'], anyKey);
    await expect.poll(() => sandbox.posts(), { timeout: 20_000 }).toBeGreaterThan(10);

    const askedAtMs = Date.now();
    const cancelled = await desk.run(['cancel', 'latest', '--local'], anyKey);
    expect(cancelled).toMatchObject({ code: 0, stdout: '' });
    expect(cancelled.stderr).toContain('is cancelled: within 10 seconds no new call is started');
    expect(cancelled.stderr).toContain(
      'That is the answer of another bulk-invite, which works with the data folder and heeds it.',
    );
    expect(cancelled.stderr).toMatch(
      /Whoever follows the job gets its report; else: npx bulk-invite watch \d{8}T\d{6}Z-[0-9a-f]{12} --local$/mu,
    );
    const repeated = await desk.run(['cancel', 'latest', '--local'], anyKey);
    expect(repeated.code).toBe(0);
    const door = join(desk.folder, '.bulk-invite', 'requests');
    expect(statSync(door).mode & 0o077).toBe(0);
    expect(readdirSync(door)).toEqual([]);

    const { code, stdout } = await running.ended;
    expect(sandbox.lastCallAtMs() - askedAtMs).toBeLessThan(10_000);
    expect(code).toBe(2);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ state: 'cancelled', rows: 400, error: { code: 'cancelled' } });
    expect(summary.error.by).toMatch(/ on /u);
    expect(summary.counts.invited).toBe(sandbox.posts());
    expect(summary.counts.invited + summary.counts.not_attempted).toBe(400);
    expect(sandbox.posts()).toBeLessThan(400);
    expect(desk.table(join('reports', summary.jobId, 'retry.csv'))).toHaveLength(summary.counts.not_attempted);

    const later = await desk.run(['cancel', summary.jobId, '--local']);
    expect(later.code).toBe(0);
    expect(later.stderr).toMatch(new RegExp(`Job ${summary.jobId} was ended on .+ by .+: The job was cancelled`, 'u'));
  });

  test('is cancelled where nobody works on it, and its report says so', async () => {
    const sandbox = await sandboxWith();
    const file = desk.file('people.csv', people(3));
    const left = await desk.run(['submit', file, '--local', '--no-wait', '--api-url', sandbox.url], anyKey);
    const jobId = left.stdout.trim();
    const early = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(early.stderr).toContain(`Job ${jobId} is not held: its file is still to be read as a whole`);
    const misplaced = await desk.run(['reject', jobId, '--local'], anyKey);
    expect(misplaced.stderr).toContain(`Job ${jobId} is not held: it is still to be read as a whole. To end it: npx`);
    const cancelled = await desk.run(['cancel', jobId, '--local']);
    expect(cancelled.code).toBe(0);
    expect(cancelled.stdout).toContain('Ended early: The job was cancelled.');
    expect(statuses(join('reports', jobId))).toEqual(Array(3).fill('not_attempted cancelled'));
    expect(sandbox.calls.filter((call) => call !== 'GET /')).toEqual([]);
  });
});
