import { describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { chunkKey, directoryKey, jobKey, manifestKey } from '../../../lambdas/core/keys.ts';
import { readChunk } from '../../../lambdas/ledger/chunk.ts';
import { noteBegun } from '../../../lambdas/ledger/overlap.ts';
import { seal, unseal } from '../../../lambdas/ledger/seal.ts';
import { jobIdsOf, reportFiles, runIngest, runReports, runWorkers, upload, wholeJob } from '../../support/wholeJob.ts';
import { newWorld } from '../../support/world.ts';

function people(count: number): string {
  return `email\n${Array.from({ length: count }, (_, index) => `person${index}@acme.example\n`).join('')}`;
}

describe('ingest', () => {
  test('looks before it leaps: nobody is invited before every row was judged', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people(40)));
    expect(world.api.calls).toEqual(['validate', 'list_users']);
    expect(world.chunksQueue.bodies.length).toBeGreaterThan(1);
    expect(world.reportsQueue.bodies).toEqual([]);
  });

  test('asks for roles and organizations only where the file or a setting names some', async () => {
    const named = newWorld();
    await runIngest(named, await upload(named, 'email,role,organization\na@acme.example,,\n'));
    expect(named.api.calls).toEqual(['validate', 'list_users', 'list_roles', 'list_organizations']);
    const defaulted = newWorld();
    await runIngest(defaulted, await upload(defaulted, people(1)), { role: 'standard user' });
    expect(defaulted.api.calls).toEqual(['validate', 'list_users', 'list_roles']);
  });

  test('puts no personal data into a queue', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, people(3)));
    expect(world.chunksQueue.bodies.map((body) => JSON.parse(body))).toEqual([{ jobId: jobIdsOf(world)[0], chunk: 0 }]);
  });

  test('makes the same job and the same chunks of an event that comes twice, and sends only what is open', async () => {
    const world = newWorld();
    const message = await upload(world, people(40));
    await runIngest(world, message);
    const before = world.store.texts();
    const chunks = world.chunksQueue.bodies.length;
    world.clock.advance(3_600_000);
    await runIngest(world, message);
    expect(world.store.texts()).toEqual(before);
    expect(world.chunksQueue.bodies).toHaveLength(2 * chunks);
    expect(world.api.calls).toEqual(['validate', 'list_users']);

    await runWorkers(world);
    await runIngest(world, message);
    expect(world.chunksQueue.bodies).toEqual([]);
  });

  test('notes that a job begins before it reads the directory, and keeps whether others were at work then', async () => {
    const other = '20260131T070400Z-aaaaaaaaaaaa' as JobId;
    for (const isThere of [false, true]) {
      const world = newWorld();
      if (isThere) await noteBegun(world.store, other, world.clock.now());
      world.api.onRead = () => {
        expect([...world.store.texts().keys()].filter((key) => key.startsWith('begun/')).length).toBe(isThere ? 2 : 1);
        return undefined;
      };
      const { validateKey } = world.api;
      world.api.validateKey = async () => {
        const { onRead } = world.api;
        world.api.onRead = () => undefined;
        const answer = await validateKey();
        world.api.onRead = onRead;
        return answer;
      };
      await runIngest(world, await upload(world, 'Email\nann@example.com\n'));
      const [jobId] = jobIdsOf(world);
      const chunk = await readChunk(world.store, jobId as JobId, 0);
      expect(chunk?.value).toMatchObject({ overlaps: isThere, snapshotAtMs: world.clock.now() });
    }
  });

  test('judges by the first snapshot when it is run again, though the directory has changed', async () => {
    const world = newWorld();
    const message = await upload(world, people(2));
    await runIngest(world, message);
    const [jobId] = jobIdsOf(world);
    const texts = world.store.texts();
    const again = newWorld();
    // What a run that was cut off before its manifest leaves behind.
    for (const [key, text] of texts)
      if (key !== manifestKey(jobId ?? never())) await again.store.put(key, text, { kind: 'always' });
    again.api.users.set('person0@acme.example', { id: 'user-1', status: 'active' });
    await runIngest(again, message);
    expect(again.api.calls).toEqual([]);
    expect(again.store.texts().get(chunkKey(jobId ?? never(), 0))).toBe(texts.get(chunkKey(jobId ?? never(), 0)));
  });

  test('refuses to go on where the chunks of an earlier run were cut differently', async () => {
    const world = newWorld();
    const message = await upload(world, people(30));
    await runIngest(world, message);
    const [jobId = never()] = jobIdsOf(world);
    const again = newWorld();
    for (const key of [jobKey(jobId), directoryKey(jobId)]) {
      await again.store.put(key, world.store.texts().get(key) ?? '', { kind: 'always' });
    }
    const other = unseal('a chunk', world.store.texts().get(chunkKey(jobId, 1)) ?? '').replaceAll('person', 'somebody');
    await again.store.put(chunkKey(jobId, 1), seal(other), { kind: 'always' });
    await expect(runIngest(again, await upload(again, people(30)))).rejects.toThrow('holds other rows');
    expect(again.chunksQueue.bodies).toEqual([]);
  });

  test('leaves an upload alone that was replaced before it was read: the new one has its own event', async () => {
    const world = newWorld();
    const message = await upload(world, people(1));
    await upload(world, people(2));
    expect(await runIngest(world, message)).toEqual({ kind: 'done' });
    expect(jobIdsOf(world)).toEqual([]);
  });

  test('ignores the test event that S3 sends when notifications are set up', async () => {
    const world = newWorld();
    expect(await runIngest(world, '{"Service":"Amazon S3","Event":"s3:TestEvent"}')).toEqual({ kind: 'done' });
    expect(world.api.calls).toEqual([]);
  });

  test('waits for an API that is down, longer and longer, and fails the job after the give-up time', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'status 503' });
    const message = await upload(world, people(2));
    const delays: number[] = [];
    for (let tries = 0; tries < 100; tries += 1) {
      const verdict = await runIngest(world, message, {}, tries + 1);
      if (verdict.kind === 'done') break;
      delays.push(verdict.delayMs);
      world.clock.advance(verdict.delayMs);
    }
    expect(delays.slice(0, 5)).toEqual([30_000, 60_000, 120_000, 240_000, 480_000]);
    expect(Math.max(...delays)).toBe(900_000);
    await runReports(world);
    const { summary, results } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'failed', rows: 2, error: { code: 'api_unreachable' } });
    expect(results.match(/not_attempted/gu)).toHaveLength(2);
  });
});

describe('who is meant', () => {
  test.each(['yes', 'TRUE', 'x', '2020-01-31'])(
    'somebody is gone where a column “Terminated” says %s',
    async (cell) => {
      const { summary } = await wholeJob(
        newWorld(),
        `email,Terminated\na@acme.example,${cell}\nb@acme.example,no\nc@acme.example,\n`,
      );
      expect(summary?.counts).toMatchObject({ skipped: 1, invited: 2 });
    },
  );

  test('a date of leaving without a status is not judged, and the report says for how many', async () => {
    const text =
      'email,Status,Termination Date\na@acme.example,,2020-01-31\nb@acme.example,active,\nc@acme.example,terminated,2020-01-31\n';
    const { summary } = await wholeJob(newWorld(), text);
    expect(summary?.counts).toMatchObject({ skipped: 1, invited: 2 });
    expect(summary?.warnings).toEqual([expect.stringContaining('1 row has a date of leaving and no status')]);
  });

  test('an address with letters of a guessed encoding is nobody’s', async () => {
    const { summary } = await wholeJob(
      newWorld(),
      Buffer.from('email,name\nj\u00f6rg@acme.example,J\u00f6rg\nann@acme.example,Zo\u00eb\n', 'latin1'),
    );
    expect(summary).toMatchObject({ reading: { encoding: 'windows-1252' }, counts: { invalid: 1, invited: 1 } });
  });
});

describe('a fault of the whole upload', () => {
  test.each([
    ['an empty file', '', 'empty_file'],
    ['a file of blank lines', '\n\n\n', 'empty_file'],
    ['a header without rows', 'email,name\n', 'header_only'],
    ['no email column', 'name,phone\nAda,1\n', 'no_email_column'],
    ['two email columns', 'E-Mail,email\na@acme.example,b@acme.example\n', 'ambiguous_column'],
  ])('%s ends the job before any call to the API, with a report that says so', async (_name, text, code) => {
    const world = newWorld();
    const { summary } = await wholeJob(world, text);
    expect(summary).toMatchObject({ state: 'failed', error: { code } });
    expect(summary?.error?.message.length).toBeGreaterThan(40);
    expect(world.api.calls).toEqual([]);
  });

  test('names the headers that were seen and those that would have done', async () => {
    const { summary } = await wholeJob(newWorld(), 'Full Name,Phone\nAda,1\n');
    expect(summary?.error?.message).not.toContain('header row missing');
    const headless = await wholeJob(newWorld(), 'Ada,a@acme.example\nBo,b@acme.example\n');
    expect(headless.summary?.error?.message).toContain('is the header row missing?');
    expect(summary?.error?.message).toContain('“Full Name”, “Phone”');
    expect(summary?.error?.message).toContain('“work email”');
  });

  test('a refused key leaves every row not attempted, without a single invitation, and all of them worth another try', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'refused', httpStatus: 401, message: 'invalid API key' });
    const { summary, retry } = await wholeJob(world, 'email\na@acme.example\nnot an address\n');
    expect(summary).toMatchObject({
      state: 'failed',
      rows: 2,
      counts: { not_attempted: 2 },
      error: { code: 'key_refused' },
    });
    expect(retry).toBe('email\na@acme.example\nnot an address\n');
    expect(world.api.calls).toEqual(['validate']);
  });

  test('an unknown default role names the roles that there are', async () => {
    const { summary } = await wholeJob(newWorld(), people(1), { role: 'Harbour Master' });
    expect(summary).toMatchObject({ state: 'failed', error: { code: 'unknown_default_role' } });
    expect(summary?.error?.message).toContain('“Standard User”');
  });
});

function never(): never {
  throw new Error('There is no job.');
}
