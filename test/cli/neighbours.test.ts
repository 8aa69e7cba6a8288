/**
 * Several jobs in one data folder: what is done about one of them sends nothing for another.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CountingSandbox, type Desk, openDesk, startCountingSandbox } from '../support/command.ts';

let desk: Desk;
let sandbox: CountingSandbox;

beforeEach(async () => {
  desk = openDesk();
  sandbox = await startCountingSandbox();
});

afterEach(async () => {
  desk.close();
  await sandbox.close();
});

function people(count: number, name: string): string {
  return `email\n${Array.from({ length: count }, (_, index) => `${name}${index}@acme.example\n`).join('')}`;
}

async function run(...args: string[]) {
  return await desk.run([...args, '--api-url', sandbox.url], { DCI_API_KEY: 'test' });
}

/** A job that goes on as soon as somebody works with the data folder. */
async function openJob(): Promise<string> {
  const left = await run('submit', desk.file('left.csv', people(5, 'left')), '--local', '--max-new', '10', '--no-wait');
  expect(left.code).toBe(0);
  return left.stdout.trim();
}

describe('beside an unfinished job', () => {
  test.each([
    ['a dry run', ['submit', 'other.csv', '--local', '--max-new', '10', '--dry-run']],
    ['the dry run of a roster', ['reconcile', 'other.csv', '--max-new', '10', '--dry-run']],
    ['a run of a roster', ['reconcile', 'other.csv', '--max-new', '10']],
  ])('%s does not begin', async (_name, command) => {
    const left = await openJob();
    desk.file('other.csv', people(2, 'other'));
    const refused = await run(...command);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`an unfinished job, ${left}`);
    expect(refused.stderr).toContain(`npx bulk-invite watch ${left} --local`);
    expect(sandbox.posts()).toBe(0);
  });

  test('another one is rejected without anybody being invited', async () => {
    const held = await run('submit', desk.file('held.csv', people(12, 'held')), '--local', '--max-new', '10', '--json');
    expect(JSON.parse(held.stdout).state).toBe('held');
    const left = await openJob();
    const rejected = await desk.run(['reject', JSON.parse(held.stdout).jobId, '--local'], { DCI_API_KEY: 'test' });
    expect(rejected.code).toBe(0);
    expect(rejected.stderr).toContain('is rejected: nobody is invited.');
    expect(rejected.stderr).toContain(`would go on with it: ${left}`);
    const listed = await desk.run(['status', '--local']);
    expect(listed.stdout).toContain('ending     held.csv');
    expect(sandbox.posts()).toBe(0);
  });
});

test('a dry run of a roster lets no run go on that is none', async () => {
  const slow = await startCountingSandbox({ latencyMs: 300 });
  const command = [
    'reconcile',
    desk.file('acme.csv', people(40, 'acme')),
    '--api-url',
    slow.url,
    '--call-timeout',
    '1',
  ];
  const cut = desk.start(command, { DCI_API_KEY: 'test' });
  await expect.poll(() => slow.posts(), { timeout: 20_000 }).toBeGreaterThan(5);
  cut.process.kill('SIGKILL');
  await cut.ended;
  const posts = slow.posts();
  const dry = await desk.run([...command, '--dry-run'], { DCI_API_KEY: 'test' });
  expect(dry.code).toBe(1);
  expect(dry.stderr).toContain('is unfinished, and a dry run would let it go on');
  expect(slow.posts()).toBe(posts);
  await slow.close();
});
