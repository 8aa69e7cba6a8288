/**
 * Runs of a roster on this machine, as a user has them done.
 */
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeDataFolder } from '../../cli/local/dataFolder.ts';
import { openLocalStorage } from '../../cli/local/localStorage.ts';
import { startRun } from '../../cli/local/rosterRuns.ts';
import { type CountingSandbox, type Desk, openDesk, startCountingSandbox } from '../support/command.ts';

const example = join(import.meta.dirname, '..', '..', 'examples', 'northlight-roster.csv');

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

const anyKey = { DCI_API_KEY: 'test' };
const runPattern = /job (\d{8}T\d{6}Z-[0-9a-f]{12})/u;

function people(count: number, name = 'person'): string {
  return `email\n${Array.from({ length: count }, (_, index) => `${name}${index}@acme.example\n`).join('')}`;
}

function runIn(text: string): string {
  return runPattern.exec(text)?.[1] ?? '';
}

async function run(...args: string[]) {
  return await desk.run(['reconcile', ...args, '--api-url', sandbox.url], anyKey);
}

function countOf(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe('bulk-invite reconcile', () => {
  test('invites who is missing, tells how the directory differs, and sends old invitations again where that is asked for', async () => {
    const first = await run(example, '--json');
    expect(first.code).toBe(0);
    const jobId = runIn(first.stderr);
    expect(JSON.parse(first.stdout)).toMatchObject({
      jobId,
      roster: { name: 'northlight-roster' },
      counts: { invited: 2, skipped: 1 },
      drift: {
        not_in_roster: 2,
        left_in_roster: 1,
        role_differs: 1,
        organization_differs: 1,
        invitation_expired: 1,
        invitation_open: 0,
      },
    });
    expect(first.stderr).toContain(
      '1  left_in_roster        in the directory, and the roster says that this person has',
    );
    const drift = desk.table(join('reports', jobId, 'drift.csv'));
    expect(drift.map(({ drift: kind, email }) => `${kind} ${email?.split('.')[0]}`)).toEqual([
      'role_differs amara',
      'organization_differs omar',
      'left_in_roster yuki',
      'not_in_roster piotr',
      'not_in_roster helena',
      'invitation_expired sanna',
    ]);
    expect(sandbox.posts()).toBe(2);

    // Unchanged, it is a run of its own, and an invitation that has expired has been open for two days and a bit by now.
    const second = await run(example, '--resend-pending', '2d', '--max-new', '0');
    expect(runIn(second.stderr)).not.toBe(jobId);
    expect(second.code).toBe(2);
    expect(sandbox.posts()).toBe(2);
    const approved = await desk.run(['approve', 'latest', '--local', '--yes'], anyKey);
    expect(approved.stderr).toContain('it invites 0 people and sends 1 invitation again (of 9 rows; the others: ');
    expect(approved.stderr).toContain('The first of them: sanna.lindqvist@northlight.example.');
    expect(approved.stdout).toContain('1  resent           an open invitation was sent again');
    expect(sandbox.calls.filter((call) => call.endsWith('/actions/resend'))).toHaveLength(1);
    expect(sandbox.organization.find('sanna.lindqvist@northlight.example')).toMatchObject({ status: 'invited' });
    expect(sandbox.organization.resends()).toBe(1);

    const third = await run(example, '--resend-pending', '2d');
    expect(third.stdout).not.toContain('resent');
    expect(sandbox.posts()).toBe(3);
    const fetched = await desk.run(['report', 'latest', '--local', '--out', 'again']);
    expect(fetched.code).toBe(0);
    expect(readdirSync(join(desk.folder, 'again')).sort()).toEqual([
      'drift.csv',
      'report.html',
      'results.csv',
      'retry.csv',
      'summary.json',
    ]);
    const fetchedRun = await desk.run(['status', '--local']);
    expect(countOf(fetchedRun.stdout, 'rosters/northlight-roster.csv')).toBe(3);
  });

  test('sends nothing in a dry run, and one that follows a held run leaves that held', async () => {
    const file = desk.file('Acme people.csv', people(3));
    const held = await run(file, '--max-new', '2');
    expect(held.code).toBe(2);
    expect(held.stderr).toContain('New run of the roster “acme-people”');
    expect(held.stdout).toContain('It would send 3 invitations, and more than 2 need somebody’s approval.');
    // What a dry run reads must not take the place of the file that the held run is about.
    desk.file('Acme people.csv', people(4, 'other'));
    const dry = await run(file, '--dry-run', '--json');
    expect(dry.stderr).toContain('It stays held, because this is a dry run.');
    expect(JSON.parse(dry.stdout)).toMatchObject({ state: 'completed', dryRun: true, counts: { would_invite: 4 } });
    expect(sandbox.posts()).toBe(0);
    const listed = await desk.run(['status', '--local']);
    expect(listed.stdout).toContain(
      `${runIn(dry.stderr)}  completed  rosters/dry-run/acme-people.csv · dry run · 4 rows`,
    );
    const approved = await desk.run(['approve', runIn(held.stderr), '--local', '--yes', '--json'], anyKey);
    expect(JSON.parse(approved.stdout)).toMatchObject({ state: 'completed', counts: { invited: 3 }, warnings: [] });
    expect(desk.table(join('reports', runIn(held.stderr), 'results.csv'))[0]).toMatchObject({
      email: 'person0@acme.example',
    });
    expect(sandbox.posts()).toBe(3);
  });

  test('takes the place of a run that nobody has approved, and says where the report of that one is', async () => {
    const file = desk.file('acme.csv', people(3));
    const held = runIn((await run(file, '--max-new', '2')).stderr);
    const second = await run(file);
    expect(second.stderr).toContain(
      `Run ${held} of the roster “acme” is held, and nobody has approved it. This run takes its place as soon as it begins.`,
    );
    expect(second.stdout).toContain('3  invited');
    expect(second.stderr).toContain(
      `Run ${held} of the roster “acme”, which was held, has ended. To fetch its report: npx bulk-invite report ${held} --local`,
    );
    const fetched = await desk.run(['report', held, '--local']);
    expect(fetched.stdout).toContain('Ended early: Nobody had approved it when the next run of the same roster began');
    const third = await run(file);
    expect(third.stderr).not.toContain(held);
    expect(third.stdout).toContain('3  already_invited');
    expect(sandbox.posts()).toBe(3);
  });

  test('comes to the end of a run that was cut off before it begins the next, and refuses to do it with other settings', async () => {
    const slow = await startCountingSandbox({ latencyMs: 300 });
    const file = desk.file('acme.csv', people(60));
    // The next one waits until the worker that was cut off cannot own its chunks any more.
    const command = ['reconcile', file, '--api-url', slow.url, '--call-timeout', '1'];
    const cut = desk.start(command, anyKey);
    await expect.poll(() => slow.posts(), { timeout: 20_000 }).toBeGreaterThan(5);
    cut.process.kill('SIGKILL');
    const jobId = runIn((await cut.ended).stderr);
    const otherwise = await run(file);
    expect(otherwise.code).toBe(1);
    expect(otherwise.stderr).toContain(
      `is unfinished, ${jobId}, and it was started for ${slow.url}, not for ${sandbox.url}`,
    );
    const local = await desk.run(['local', file, '--api-url', slow.url], anyKey);
    expect(local.stderr).toContain('it is a run of the roster “acme”');

    const next = await desk.run([...command, '--json'], anyKey);
    expect(next.stderr).toContain(`Continuing run ${jobId} of the roster “acme” from ${file}`);
    expect(JSON.parse(next.stdout).counts.already_invited).toBe(60);
    const first = await desk.run(['report', jobId, '--local', '--json']);
    const { counts } = JSON.parse(first.stdout);
    expect(counts.invited).toBe(60);
    expect(slow.organization.users().filter(({ email }) => email.endsWith('@acme.example'))).toHaveLength(60);
    await slow.close();
  });

  test('that was cut off before it began is listed, and watch does it', async () => {
    const file = desk.file('acme.csv', people(2));
    const storage = await openLocalStorage(join(desk.folder, '.bulk-invite'));
    const settings = {
      api: { url: sandbox.url },
      role: '',
      organization: '',
      invitesGone: false,
      allowedDomains: [],
    };
    const cutOff = { ...storage, services: { ...storage.services, startRoster: () => undefined } };
    const { jobId } = await startRun(file, { name: 'acme' }, settings, cutOff);
    await storage.close();
    expect((await desk.run(['status', '--local'])).stdout).toBe(`${jobId}  waiting    rosters/acme.csv\n`);
    const watched = await desk.run(['watch', 'latest', '--local', '--json'], anyKey);
    expect(JSON.parse(watched.stdout)).toMatchObject({ jobId, counts: { invited: 2 }, roster: { name: 'acme' } });
    expect(sandbox.posts()).toBe(2);
  });

  test('is held by the limits that are set for it, and says which', async () => {
    const messagesOf = async (text: string, ...options: string[]): Promise<string[]> => {
      const { stdout } = await run(desk.file('acme.csv', text), '--json', ...options);
      const { hold = [] } = JSON.parse(stdout);
      return hold.map(({ message }: { message: string }) => message);
    };
    expect(await messagesOf(people(4))).toEqual([]);
    const short = await messagesOf(`${people(2)}nobody\n`, '--min-rows', '80%', '--max-invalid', '33%');
    expect(short).toHaveLength(2);
    expect(short[0]).toContain('has 3 rows, and the last completed run had 4; at least 80 % of that were expected.');
    expect(short[1]).toContain('1 row of 3 is invalid; at most 33 % were expected.');
    const many = `${people(205)}${'nobody\n'.repeat(300)}`;
    const [tooManyNew, ...others] = await messagesOf(many, '--max-new', '30%', '--max-invalid', '100%');
    expect(tooManyNew).toContain('more than 200 need somebody’s approval (the larger of 200 and 30 % of the');
    expect(others).toEqual([]);
    expect(sandbox.posts()).toBe(4);
  });

  test('is not measured by a trial in the sandbox, nor takes the place of a run for another API', async () => {
    const file = desk.file('acme.csv', people(3));
    const held = runIn((await run(file, '--max-new', '2')).stderr);
    const trial = await desk.run(['reconcile', file]);
    expect(trial.code).toBe(1);
    expect(trial.stderr).toContain(
      `The runs of the roster “acme” in this data folder were for ${sandbox.url}, and this one is for the sandbox.`,
    );
    expect((await desk.run(['status', '--local'])).stdout).toContain(`${held}  held`);
    expect((await desk.run(['reconcile', file, '--name', 'trial'])).code).toBe(0);
    expect(sandbox.posts()).toBe(0);
  });

  test('does not run a file that was not refreshed for too long', async () => {
    const file = desk.file('acme.csv', people(2));
    const refreshed = new Date(Date.now() - 3 * 24 * 60 * 60_000);
    utimesSync(file, refreshed, refreshed);
    const stale = await run(file, '--stale-after', '2d');
    expect(stale.code).toBe(1);
    const found = `The file of the roster “acme” was last refreshed at ${refreshed.toISOString().slice(0, 19)}`;
    expect(stale.stdout).toContain(`The job failed: ${found}`);
    expect((await run(file)).code).toBe(0);
    expect(sandbox.posts()).toBe(2);
  });

  test.each([
    ['a name that is no name', ['reconcile', 'x.csv', '--name', 'Acme!'], 'such as acme-people: small letters'],
    ['new people that are neither a number nor a share', ['reconcile', 'x.csv', '--max-new', '0.3'], 'such as 30%'],
    ['rows that are no share', ['reconcile', 'x.csv', '--min-rows', '50'], 'with % behind it, from 0% to 100%'],
    ['invalid rows that are no share', ['reconcile', 'x.csv', '--max-invalid', '101%'], 'from 0% to 100%'],
    ['a file whose name makes none', ['reconcile', '東京.csv'], 'Choose one with --name'],
    ['an age too small to resend', ['reconcile', 'x.csv', '--resend-pending', '1d'], 'from 2d to 365d'],
    [
      'faults of somebody else’s API',
      ['reconcile', 'x.csv', '--api-url', 'https://x', '--hang', '1'],
      'for the sandbox',
    ],
  ])('names %s in a sentence and ends with 1', async (_name, args, sentence) => {
    desk.file('x.csv', people(1));
    desk.file('東京.csv', people(1));
    const { code, stdout, stderr } = await desk.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
  });
});

describe('bulk-invite reconcile --every', () => {
  test.each([
    ['without the file', ['missing.csv'], {}, 'There is no file'],
    ['without a key', ['x.csv', '--api-url', 'http://127.0.0.1:9'], {}, 'There is no API key'],
    ['with a name that is none', ['東京.csv'], anyKey, 'Choose one with --name'],
  ])('does not begin %s', async (_name, args, environment, sentence) => {
    desk.file('x.csv', people(1));
    desk.file('東京.csv', people(1));
    const { code, stderr } = await desk.run(['reconcile', ...args, '--every', '12h'], environment);
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('The next run is at');
  });

  test('waits for a data folder that somebody else has', async () => {
    const folder = takeDataFolder(join(desk.folder, '.bulk-invite'));
    const file = desk.file('acme.csv', people(1));
    const repeating = desk.start(['reconcile', file, '--api-url', sandbox.url, '--every', '12h'], anyKey);
    await new Promise((resolve) => {
      setTimeout(resolve, 4000);
    });
    expect(sandbox.posts()).toBe(0);
    folder.release();
    await expect.poll(() => sandbox.posts(), { timeout: 20_000 }).toBe(1);
    repeating.process.kill('SIGINT');
    expect((await repeating.ended).code).toBe(130);
  });

  test('runs again and again, lets others at the data folder between two runs, and ends in order', async () => {
    const file = desk.file('acme.csv', people(4));
    const command = ['reconcile', file, '--api-url', sandbox.url, '--every-seconds', '6'];
    const repeating = desk.start([...command, '--max-new', '3'], anyKey);
    let said = '';
    repeating.process.stderr?.on('data', (data) => {
      said += data;
    });
    await expect.poll(() => countOf(said, 'The next run is at'), { timeout: 20_000 }).toBe(1);
    const held = runIn(said);
    expect(said).toContain('Ctrl-C ends it.');
    const listed = await desk.run(['status', '--local']);
    expect(listed.stdout).toContain(`${held}  held`);
    // One that cannot run does not end it.
    desk.file('acme.csv', '');
    await expect.poll(() => countOf(said, 'The next run is at'), { timeout: 20_000 }).toBe(2);
    expect(said).toContain('This run has failed; the next one is tried all the same.');
    desk.file('acme.csv', people(3));
    await expect.poll(() => sandbox.posts(), { timeout: 20_000 }).toBe(3);
    repeating.process.kill('SIGINT');
    const { code, stdout } = await repeating.ended;
    expect(code).toBe(130);
    expect(countOf(stdout, 'Held: 4 rows.')).toBe(1);
    expect(countOf(stdout, 'The job failed:')).toBe(1);
    // Nobody has the folder any more.
    expect((await desk.run(['status', '--local'])).code).toBe(0);
  });
});
