/**
 * The command is killed again and again until it finishes, against an API in another process that misbehaves in every way.
 *
 * What happens follows from a seed, as far as the timing of real processes lets it. It is in the name of each test, and
 *
 *   KILL_SEED=<seed> node cli/launch.mjs node_modules/vitest/vitest.mjs run test/cli/killed.test.ts
 *
 * runs that one again.
 */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { randomNumbers } from '../../cli/sandbox/faults.ts';
import { type OpenedApi, startApiElsewhere } from '../support/apiElsewhere.ts';
import { type ApiFault, apiFaults, usersFromTheStart } from '../support/apiEvents.ts';
import { type Desk, type Ended, openDesk, type Running } from '../support/command.ts';
import { blindPostsIn, invitedIn, postsIn } from '../support/ledger.ts';

const runCount = 20;
const runMsMax = 150_000;
const peopleCount = 25;
const replayed = process.env['KILL_SEED'];
const seeds =
  replayed === undefined ? Array.from({ length: runCount }, () => randomInt(1, 2 ** 31)) : [Number(replayed)];

type Moment = 'starting' | 'working' | 'ending';

/** What all runs together did, so that it can be seen that they tried everything. */
const done = {
  kills: { starting: 0, working: 0, ending: 0 } as Record<Moment, number>,
  faults: new Map<ApiFault, number>(),
  statuses: new Map<string, number>(),
  posts: 0,
};

const api = startApiElsewhere();
afterAll(() => {
  api.close();
  const counts = (map: Map<string, number>) => [...map].map(([name, count]) => `${count} ${name}`).join(', ');
  const { kills, posts, faults, statuses } = done;
  console.log(
    `${seeds.length} runs, kills: ${kills.starting} while starting, ${kills.working} while working, ${kills.ending} while ending`,
  );
  console.log(`${posts} invitation calls, faults: ${counts(faults)}; rows: ${counts(statuses)}`);
});

const people = Array.from({ length: peopleCount }, (_, index) => `person${index}@acme.example`);
/** Each row's email, and its status where that does not hang on the invitations. */
const rows: readonly (readonly [email: string, status?: string])[] = [
  ...people.slice(0, 9).map((email) => [email] as const),
  [usersFromTheStart[0].email, 'already_active'],
  ['nobody', 'invalid'],
  ...people.slice(9, 20).map((email) => [email] as const),
  [people[3]?.toUpperCase() ?? '', 'duplicate'],
  [usersFromTheStart[1].email, 'already_invited'],
  ...people.slice(20).map((email) => [email] as const),
  [people[12] ?? '', 'duplicate'],
];
const content = `email,name\n${rows.map(([email], index) => `${email},Row ${index + 2}\n`).join('')}`;

describe('bulk-invite local, killed with kill -9 until it finishes', () => {
  test.concurrent.each(seeds)(
    'KILL_SEED=%i: nobody is invited twice, and every row is reported once, as the API knows it',
    async (seed) => {
      const desk = openDesk();
      const story: string[] = [];
      try {
        const opened = await api.open(seed);
        await runUntilFinished(seed, desk, opened, story);
        expectTruth(desk, opened);
      } catch (error) {
        story.push('--- log', logOf(desk));
        throw new Error(
          `It can be run again with KILL_SEED=${seed} (see the top of this file). What happened:\n${story.join('\n')}`,
          {
            cause: error,
          },
        );
      } finally {
        desk.close();
      }
    },
    runMsMax + 10_000,
  );
});

test.runIf(replayed === undefined)(
  'the runs met every fault, were killed at all moments, and nearly all was invited',
  () => {
    expect([...done.faults.keys()].sort()).toEqual([...apiFaults].sort());
    expect(Math.min(...Object.values(done.kills))).toBeGreaterThan(0);
    expect(done.statuses.get('invited')).toBeGreaterThan(0.9 * peopleCount * runCount);
  },
);

async function runUntilFinished(seed: number, desk: Desk, opened: OpenedApi, story: string[]): Promise<void> {
  const random = randomNumbers(-seed);
  const deadline = AbortSignal.timeout(runMsMax);
  const file = desk.file('people.csv', content);
  const delays = ['--call-timeout', '0.5', '--retry-delay', '0.05', '--outage-delay', '0.1'];
  const command = ['local', file, '--api-url', opened.url, '--out', 'out', '--concurrency', '3', ...delays];
  const moments = momentsOf(random);
  while (!existsSync(join(desk.folder, 'out', 'summary.json'))) {
    const running = desk.start(command, { DCI_API_KEY: 'test' });
    const moment = moments.shift();
    const isOver = new AbortController();
    const reached = moment === undefined ? undefined : momentReached(moment, opened, random, isOver.signal);
    const ended = await endOf(running, reached, deadline);
    isOver.abort();
    story.push(
      `--- ${moment ?? 'to its end'}: ${ended.code === null ? 'killed' : `exit code ${ended.code}`}`,
      ended.stderr,
    );
    expect(deadline.aborted, 'It took too long.').toBe(false);
    if (ended.code === null && moment !== undefined) done.kills[moment] += 1;
    else expect([0, 2], ended.stderr).toContain(ended.code);
  }
}

/**
 * When the command is killed, time after time. A worker that was killed at work is waited for until its lease ends, which
 * takes 15 s and the time of a call: so this happens twice at most.
 */
function momentsOf(random: () => number): Moment[] {
  const atWork = () => (random() < 0.65 ? 'working' : 'ending');
  const moments: Moment[] = [atWork(), atWork()];
  moments.splice(Math.floor(3 * random()), 0, 'starting');
  return moments;
}

/** Resolves when the moment has come, somewhere within it. */
async function momentReached(
  moment: Moment,
  opened: OpenedApi,
  random: () => number,
  over: AbortSignal,
): Promise<void> {
  const events = opened.events.length;
  const startingMs = 5000 * random();
  const calls = 1 + Math.floor(30 * random());
  const workingMs = 30 * random();
  const endingMs = 1500 * random();
  switch (moment) {
    case 'starting':
      return await wait(startingMs, undefined, { signal: over });
    case 'working':
      await opened.until(() => opened.events.slice(events).filter(({ kind }) => kind === 'call').length >= calls);
      return await wait(workingMs, undefined, { signal: over });
    case 'ending':
      await opened.until(() => invitedIn(opened.events).size === peopleCount);
      return await wait(endingMs, undefined, { signal: over });
    default:
      return moment satisfies never;
  }
}

/** However it ends: by itself, killed at the moment, or killed because the run takes too long. */
async function endOf(running: Running, reached: Promise<void> | undefined, deadline: AbortSignal): Promise<Ended> {
  const kill = () => running.process.kill('SIGKILL');
  deadline.addEventListener('abort', kill);
  reached?.then(kill, () => undefined);
  return await running.ended;
}

/** The functions' own log of all the starts. */
function logOf({ folder }: Desk): string {
  const file = join(folder, '.bulk-invite', 'bulk-invite.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : 'There is none.';
}

function expectTruth(desk: Desk, { events }: OpenedApi): void {
  const results = desk.table('out/results.csv');
  const invited = invitedIn(events);
  for (const event of events) {
    if (event.kind === 'call' && event.fault !== undefined) countUp(done.faults, event.fault);
  }
  for (const { invite_status = '' } of results) countUp(done.statuses, invite_status);
  done.posts += postsIn(events).length;

  expect(blindPostsIn(events)).toEqual([]);
  expect(postsIn(events).filter(({ email }) => !people.includes(email))).toEqual([]);
  expect(results.map(({ email, name, invite_row }) => [email, name, invite_row])).toEqual(
    rows.map(([email], index) => [email, `Row ${index + 2}`, String(index + 2)]),
  );
  for (const [index, [email, status]] of rows.entries()) {
    const found = results[index]?.['invite_status'] ?? '';
    if (status !== undefined) expect([email, found]).toEqual([email, status]);
    else expect(invited.has(email) ? ['invited', 'unknown'] : ['failed', 'unknown'], email).toContain(found);
  }
}

function countUp<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
