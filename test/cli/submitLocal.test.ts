/**
 * The commands on a data folder of this machine, as a user runs them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
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

describe('bulk-invite submit --local', () => {
  test('checks, works, and delivers; then status and report tell of the same job', async () => {
    const file = desk.file('people.csv', 'email\na@acme.example\nb@acme.example\nb@acme.example\nnobody\n');
    const submitted = await desk.run(['submit', file, '--local', '--out', 'out']);
    expect(submitted.code).toBe(2);
    expect(submitted.stderr).toContain(
      'people.csv: 4 rows · 2 to invite, unless they are users already · 1 duplicate · 1',
    );
    expect(submitted.stderr).toContain('row 5, email: “nobody” is not an email address');
    expect(submitted.stderr).toContain('nobody is really invited');
    expect(submitted.stdout).toContain('2  invited');
    const [jobId = ''] = idPattern.exec(submitted.stderr) ?? [];

    const listed = await desk.run(['status', '--local']);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toBe(`${jobId}  completed  people.csv · 4 rows · 2 invited, 1 duplicate, 1 invalid\n`);

    const detail = await desk.run(['status', 'latest', '--local', '--rows', '--json']);
    const state = JSON.parse(detail.stdout);
    expect(state).toMatchObject({ jobId, uploadKey: 'incoming/people.csv', phase: 'completed', rows: 4, settled: 4 });
    expect(
      state.rowStates.map(({ row, outcome }: { row: number; outcome: { status: string } }) => [row, outcome.status]),
    ).toEqual([
      [2, 'invited'],
      [3, 'invited'],
      [4, 'duplicate'],
      [5, 'invalid'],
    ]);

    const fetched = await desk.run(['report', jobId.slice(0, 11), '--local']);
    expect(fetched.code).toBe(2);
    expect(desk.table(join('reports', jobId, 'results.csv'))).toEqual(desk.table('out/results.csv'));
  });

  test('fetches no report that is not what the job has written', async () => {
    const file = desk.file('people.csv', people(1));
    const { stderr } = await desk.run(['submit', file, '--local', '--out', 'out']);
    const [jobId = ''] = idPattern.exec(stderr) ?? [];
    const storage = await openLocalStorage(join(desk.folder, '.bulk-invite'));
    await storage.store.put(`reports/people.csv/${jobId}/retry.csv`, 'email\nothers@acme.example\n', {
      kind: 'always',
    });
    await storage.close();
    const fetched = await desk.run(['report', 'latest', '--local', '--out', 'again']);
    expect(fetched.code).toBe(1);
    expect(fetched.stderr).toContain(`retry.csv of job ${jobId} is not what the job has written`);
    expect(existsSync(join(desk.folder, 'again', 'results.csv'))).toBe(true);
    for (const name of ['retry.csv', 'retry.csv.partial', 'summary.json'])
      expect(existsSync(join(desk.folder, 'again', name)), name).toBe(false);
  });

  test('stops at Ctrl-C, tells how far it is, and is continued by watch with what it was started for', async () => {
    const sandbox = await sandboxWith({ latencyMs: 400 });
    const file = desk.file('people.csv', people(60));
    const running = desk.start(['submit', file, '--local', '--api-url', sandbox.url, '--role', 'Finance User'], anyKey);
    await expect.poll(() => sandbox.posts(), { timeout: 20_000 }).toBeGreaterThan(5);
    const second = await desk.run(['status', '--local']);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain('Another bulk-invite is running with the data folder');
    running.process.kill('SIGINT');
    const first = await running.ended;
    const [jobId = ''] = idPattern.exec(first.stderr) ?? [];
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('those under way end first');
    expect(first.stderr).toContain(`to continue with the rest: npx bulk-invite watch ${jobId} --local`);
    const sent = sandbox.posts();
    expect(sent).toBeLessThan(60);

    const { stdout } = await desk.run(['status', jobId, '--local', '--row', '2', '--row', '61', '--row', '99']);
    expect(stdout).toContain('inviting: workers invite people');
    expect(stdout).toMatch(new RegExp(`rows +60, ${sent} settled`, 'u'));
    expect(stdout).toMatch(/chunks +12: \d+ settled, \d at work, \d+ waiting/u);
    expect(stdout).toContain('row 2: invited (created)');
    expect(stdout).toContain('row 61: open; nothing was sent yet');
    expect(stdout).toContain('row 99: there is no such row');

    const otherwise = await desk.run(['watch', 'latest', '--local', '--api-url', 'http://127.0.0.1:9'], anyKey);
    expect(otherwise.stderr).toContain(`it was started for ${sandbox.url}, not for http://127.0.0.1:9`);
    const watched = await desk.run(['watch', 'latest', '--local', '--json'], anyKey);
    expect(watched.code).toBe(0);
    expect(JSON.parse(watched.stdout)).toMatchObject({ jobId, counts: { invited: 60 } });
    expect(sandbox.posts()).toBe(60);
    expect(sandbox.organization.find('person59@acme.example')).toMatchObject({ roleId: 'role-finance' });
  });

  test('leaves an upload with --no-wait, and works on all that were left when one is followed', async () => {
    const one = desk.file('one.csv', people(1, 'one'));
    const two = desk.file('two.csv', people(1, 'two'));
    const left = await desk.run(['submit', one, '--local', '--no-wait', '--json']);
    expect(left.code).toBe(0);
    const { jobId } = JSON.parse(left.stdout);
    const again = await desk.run(['submit', one, '--local', '--no-wait']);
    expect(again.stdout.trim()).toBe(jobId);
    expect(again.stderr).toContain('is there already, and has not been brought to its end');

    const otherwise = await desk.run(['submit', two, '--local', '--role', 'Admin']);
    expect(otherwise.code).toBe(1);
    expect(otherwise.stderr).toContain('it was started with no --role');
    expect(otherwise.stderr).toContain(`npx bulk-invite watch ${jobId} --local`);
    desk.file('one.csv', people(2, 'one'));
    const changed = await desk.run(['submit', one, '--local', '--no-wait']);
    expect(changed.stderr).toContain('the file has changed since it was started');

    const followed = await desk.run(['submit', two, '--local']);
    expect(followed.code).toBe(0);
    expect(followed.stderr).toContain(`Other unfinished jobs of this data folder go on, too: ${jobId}.`);
    const listed = await desk.run(['watch', jobId, '--local', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject({ jobId, counts: { invited: 1 } });
  });
});

/** Puts a file where a link leads to. Gives the id of its job. */
async function uploadByLink(name: string, body: string): Promise<string> {
  const running = desk.start(['upload-link', '--local', '--name', name]);
  let printed = '';
  running.process.stdout?.on('data', (data) => {
    printed += data;
  });
  await expect.poll(() => printed, { timeout: 20_000 }).toContain('as long as this command runs');
  const [, url = ''] = /^ +curl --fail-with-body --upload-file "[^"]+" "(.+)"$/mu.exec(printed) ?? [];
  expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
  const { stderr } = await running.ended;
  expect(stderr).toContain('--local --api-url https://api.doit.com, or without --api-url for the sandbox');
  return /as job (\S+)\./u.exec(stderr)?.[1] ?? '';
}

describe('a job that came by a link', () => {
  test('is approved for the API that it was watched with, and for no other', async () => {
    const sandbox = await sandboxWith();
    const jobId = await uploadByLink('hr.csv', people(1));
    const held = await desk.run(['watch', jobId, '--local', '--api-url', sandbox.url, '--max-new', '0'], anyKey);
    expect(held.code).toBe(2);
    expect(held.stdout).toContain('Held: 1 row.');
    const other = await sandboxWith();
    const otherwise = await desk.run(['watch', jobId, '--local', '--api-url', other.url], anyKey);
    expect(otherwise.stdout).toContain('Held: 1 row.');
    const approved = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(approved.code).toBe(0);
    expect(approved.stderr).not.toContain('SANDBOX');
    expect(approved.stdout).toContain('1  invited');
    expect([sandbox.posts(), other.posts()]).toEqual([1, 0]);
  });

  test('goes on with nothing else before somebody has said where its invitations go, and is cancelled without that', async () => {
    const sandbox = await sandboxWith();
    const api = ['--api-url', sandbox.url];
    const left = await desk.run(
      ['submit', desk.file('two.csv', people(1, 'two')), '--local', '--no-wait', ...api],
      anyKey,
    );
    const jobId = await uploadByLink('hr.csv', people(1));
    const unsaid = 'it came by a link, and nobody has said yet where its invitations go';
    const file = desk.file('one.csv', people(1, 'one'));
    for (const command of [
      ['submit', file, '--local', ...api],
      ['watch', left.stdout.trim(), '--local'],
      ['local', file, ...api],
      ['reconcile', file, ...api],
    ]) {
      const refused = await desk.run(command, anyKey);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(unsaid);
      expect(refused.stderr).toContain(`npx bulk-invite watch ${jobId} --local`);
    }
    const approved = await desk.run(['approve', jobId, '--local', '--yes'], anyKey);
    expect(approved.stderr).toContain(`Job ${jobId} is not held`);
    expect((await desk.run(['cancel', left.stdout.trim(), '--local', '--no-wait'])).code).toBe(0);
    const cancelled = await desk.run(['cancel', jobId, '--local']);
    expect(cancelled.code).toBe(0);
    expect(cancelled.stderr).not.toContain('SANDBOX');
    expect(cancelled.stdout).toContain('Ended early: The job was cancelled.');
    expect(sandbox.posts()).toBe(0);
    expect((await desk.run(['submit', file, '--local', ...api], anyKey)).code).toBe(0);
    expect(sandbox.posts()).toBe(1);
  });

  test('can be watched for another API where the first one could not be reached', async () => {
    const sandbox = await sandboxWith();
    const jobId = await uploadByLink('hr.csv', people(1));
    const failed = await desk.run(['watch', jobId, '--local', '--api-url', 'http://127.0.0.1:9'], anyKey);
    expect(failed.code).toBe(1);
    expect((await desk.run(['watch', jobId, '--local', '--api-url', sandbox.url], anyKey)).code).toBe(0);
    expect(sandbox.posts()).toBe(1);
  });
});

describe('bulk-invite upload-link --local', () => {
  test('takes one file from whoever has the link, which opens nothing else', async () => {
    const sandbox = await sandboxWith();
    const running = desk.start(['upload-link', '--local', '--name', 'hr.csv']);
    let printed = '';
    running.process.stdout?.on('data', (data) => {
      printed += data;
    });
    await expect.poll(() => printed, { timeout: 20_000 }).toContain('as long as this command runs');
    const [, url = ''] = /^ +curl --fail-with-body --upload-file "hr\.csv" "(.+)"$/mu.exec(printed) ?? [];
    const credential = new URL(url).searchParams.get('X-Amz-Credential') ?? '';
    const body = people(1);
    const statusOf = async (address: string, init: RequestInit) => (await fetch(address, init)).status;
    expect(await statusOf(url.replace('hr.csv', 'it.csv'), { method: 'PUT', body })).toBe(403);
    expect(await statusOf(url, {})).toBe(403);
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`;
    expect(await statusOf(`${new URL(url).origin}/bulk-invite`, { headers: { authorization } })).toBe(403);
    expect(await statusOf(url, { method: 'PUT', body })).toBe(200);
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    const [jobId = ''] = /as job (\S+)\./u.exec(ended.stderr)?.slice(1) ?? [];

    const watched = await desk.run(['watch', jobId, '--local', '--api-url', sandbox.url], anyKey);
    expect(watched.code).toBe(0);
    expect(sandbox.posts()).toBe(1);
  });
});

test('bulk-invite status --local says that messages were given up, and when they are tried again', async () => {
  const dataFolder = join(desk.folder, '.bulk-invite');
  const storage = await openLocalStorage(dataFolder);
  const sqs = new SQSClient();
  const QueueUrl = storage.services.queueUrls.chunks.replace(/chunks$/u, 'chunks-dead-letters');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'given up' }));
  sqs.destroy();
  await storage.close();
  const { code, stderr } = await desk.run(['status', '--local']);
  expect(code).toBe(0);
  expect(stderr).toContain('1 message was given up. As soon as a job of this folder is followed, that is tried again.');
  expect(stderr).toContain(join('.bulk-invite', 'bulk-invite.log'));
});

describe('the commands on a bad day', () => {
  test.each([
    ['a data folder that does not exist', ['status', '--local'], 'There is no data folder'],
    [
      'a stack and a data folder at once',
      ['watch', 'latest', '--local', '--stack', 'x'],
      "cannot be used with option '--stack",
    ],
  ])('name %s in a sentence and end with 1', async (_name, args, sentence) => {
    const { code, stdout, stderr } = await desk.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });
});
