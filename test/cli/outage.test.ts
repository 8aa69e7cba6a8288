/**
 * The API is down for longer than a row is tried again: the command waits, asks less and less often, and finishes when the
 * API is back. All delays are short here; what counts is how they grow.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { noFaults } from '../../cli/sandbox/faults.ts';
import { openOrganization } from '../../cli/sandbox/organization.ts';
import { startSandbox } from '../../cli/sandbox/server.ts';
import { type Ended, openDesk } from '../support/command.ts';

const peopleCount = 40;
/** A file of this size is cut into chunks of five. */
const chunkCount = 8;
/** The last of a row's six tries comes 3 s after the first at the latest. */
const retryDelay = '0.05';
const outageDelay = '0.5';
const outageMs = 7000;

const people = Array.from({ length: peopleCount }, (_, index) => `person${index}@acme.example`);

interface Scene {
  /** When each call arrived; of `performance.now()`. */
  readonly callsAtMs: readonly number[];
  /** Invitations that were neither refused nor lost, in order. */
  readonly taken: readonly string[];
  goDown(): void;
  comeBack(): void;
  run(): Promise<Ended>;
  /** Email and status of each row of the report. */
  results(): readonly (readonly [string | undefined, string | undefined])[];
}

describe.concurrent('bulk-invite local in an outage of the API', () => {
  test('in the middle of the invitations waits, asks less and less often, and then finishes', async () => {
    await withFragileApi(async (scene) => {
      const ended = scene.run();
      await expect.poll(() => scene.taken.length, { timeout: 30_000 }).toBeGreaterThan(5);
      scene.goDown();
      const downAtMs = performance.now();
      await wait(outageMs);
      scene.comeBack();
      const callsIn = (third: number) =>
        scene.callsAtMs.filter((atMs) => Math.floor((3 * (atMs - downAtMs)) / outageMs) === third).length;
      const calls = [callsIn(0), callsIn(1), callsIn(2)];

      const { stderr } = await expectEveryoneInvitedOnce(ended, scene);
      expect(stderr).toContain('invitations have failed since');
      expect(calls[0]).toBeGreaterThan(calls[1] ?? 0);
      expect(calls[1]).toBeGreaterThanOrEqual(calls[2] ?? 0);
      // One trial call for each chunk, if at all.
      expect(calls[2]).toBeLessThanOrEqual(chunkCount);
    });
  });

  test('before the directory was read waits, asks less and less often, and then finishes', async () => {
    await withFragileApi(async (scene) => {
      scene.goDown();
      const ended = scene.run();
      await expect.poll(() => scene.callsAtMs.length, { timeout: 30_000 }).toBeGreaterThan(1);
      await wait(outageMs);
      // The command looks once whether there is anything at the address; then come the trials.
      const [, ...trialsAtMs] = scene.callsAtMs;
      scene.comeBack();

      await expectEveryoneInvitedOnce(ended, scene);
      const gapsMs = trialsAtMs.slice(1).map((atMs, index) => atMs - (trialsAtMs[index] ?? 0));
      expect(gapsMs.length).toBeGreaterThan(1);
      for (const [index, gapMs] of gapsMs.entries()) {
        expect(gapMs).toBeGreaterThanOrEqual(Number(outageDelay) * 1000 * 2 ** index);
      }
    });
  });
});

async function withFragileApi(use: (scene: Scene) => Promise<void>): Promise<void> {
  const desk = openDesk();
  const organization = openOrganization(':memory:');
  const callsAtMs: number[] = [];
  const taken: string[] = [];
  let isDown = false;
  const sandbox = await startSandbox({
    port: 0,
    organization: {
      ...organization,
      invite: (user) => {
        taken.push(user.email);
        return organization.invite(user);
      },
    },
    faults: {
      ...noFaults,
      latencyMs: 200,
      get errorBefore() {
        return isDown ? 1 : 0;
      },
    },
    onCall: () => callsAtMs.push(performance.now()),
  });
  const file = desk.file('people.csv', `email\n${people.join('\n')}\n`);
  const delays = ['--retry-delay', retryDelay, '--outage-delay', outageDelay];
  const command = ['local', file, '--api-url', sandbox.url, '--out', 'out', ...delays];
  try {
    await use({
      callsAtMs,
      taken,
      goDown: () => {
        isDown = true;
      },
      comeBack: () => {
        isDown = false;
      },
      run: () => desk.run(command, { DCI_API_KEY: 'test' }),
      results: () => desk.table('out/results.csv').map(({ email, invite_status }) => [email, invite_status]),
    });
  } finally {
    desk.close();
    await sandbox.close();
    organization.close();
  }
}

async function expectEveryoneInvitedOnce(running: Promise<Ended>, { taken, results }: Scene): Promise<Ended> {
  const ended = await running;
  expect(ended.code).toBe(0);
  expect(results()).toEqual(people.map((email) => [email, 'invited']));
  expect([...taken].sort()).toEqual([...people].sort());
  return ended;
}
