import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

function people(count: number): string {
  return `email,name\n${Array.from({ length: count }, (_, index) => `person${index}@acme.example,Person ${index}\n`).join('')}`;
}

const anyKey = { DCI_API_KEY: 'test' };

describe('bulk-invite local after an end in the middle', () => {
  async function interruptedRun(signal: 'SIGINT' | 'SIGKILL') {
    const sandbox = await sandboxWith({ latencyMs: 100 });
    const file = desk.file('people.csv', people(60));
    const command = ['local', file, '--api-url', sandbox.url, '--call-timeout', '2', '--out', 'out'];
    const first = desk.start(command, anyKey);
    await expect.poll(() => sandbox.posts(), { timeout: 20_000 }).toBeGreaterThan(15);
    first.process.kill(signal);
    return { sandbox, file, command, first: await first.ended };
  }

  test('Ctrl-C stops in order, says how to go on, and the same command finishes the job', async () => {
    const { sandbox, command, first } = await interruptedRun('SIGINT');
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('run the same command again to continue');
    const sentBefore = sandbox.posts();
    expect(sentBefore).toBeLessThan(60);
    const second = await desk.run(command, anyKey);
    expect(second.stderr).toContain('Continuing job');
    expect(second.code).toBe(0);
    // Everything under way had ended, so nothing was sent or looked up a second time.
    expect(sandbox.posts()).toBe(60);
    expect(sandbox.calls.filter((call) => call === 'GET /iam/v1/users')).toHaveLength(1);
  });

  test('kill -9: the same command finishes the job, with one invitation for each person and each row once', async () => {
    const { sandbox, command, first } = await interruptedRun('SIGKILL');
    expect(first.code).toBeNull();
    const second = await desk.run(command, anyKey);
    expect(second.stderr).toContain('Continuing job');
    expect(second.code).toBe(0);
    const results = desk.table('out/results.csv');
    expect(results.map(({ invite_row }) => Number(invite_row))).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 2),
    );
    expect(results.every(({ invite_status }) => invite_status === 'invited')).toBe(true);
    // Calls under way when it was killed are looked up, so nobody is asked for twice.
    expect(sandbox.posts()).toBe(60);
  });

  test.each([
    ['another file', (file: string) => ['local', file.replace('people', 'others')], 'it is for another file'],
    ['another target', (file: string) => ['local', file], 'it was started for http://127.0.0.1'],
  ])('does not start %s over an unfinished job without being asked', async (_name, commandFor, sentence) => {
    const { sandbox, file } = await interruptedRun('SIGINT');
    desk.file('others.csv', people(2));
    const sent = sandbox.posts();
    const { code, stderr } = await desk.run(commandFor(file));
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('--data');
    expect(sandbox.posts()).toBe(sent);
  });

  test('does not mix a changed file into an unfinished job', async () => {
    const { command } = await interruptedRun('SIGINT');
    desk.file('people.csv', people(61));
    const { code, stderr } = await desk.run(command, anyKey);
    expect(code).toBe(1);
    expect(stderr).toContain('the file has changed');
  });
});
