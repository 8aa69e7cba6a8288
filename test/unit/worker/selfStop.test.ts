import { describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { selfStopLimits } from '../../../lambdas/core/limits.ts';
import { JobSigns } from '../../../lambdas/worker/jobSigns.ts';
import type { WorkerSettings } from '../../../lambdas/worker/work.ts';
import { reportFiles, runIngest, runReports, upload, useCasesOf } from '../../support/wholeJob.ts';
import { invocation, newWorld, type World } from '../../support/world.ts';

const refused = { kind: 'refused', httpStatus: 400, message: 'unknown role.' } as const;

function people(count: number): string {
  return `email\n${Array.from({ length: count }, (_, index) => `p${index}@acme.example\n`).join('')}`;
}

/** One worker takes all chunks, one after the other. */
async function work(world: World, limits: Pick<WorkerSettings, 'rejectedShareMax'> = selfStopLimits): Promise<void> {
  const handle = useCasesOf(world, {}, limits).chunks;
  for (const body of world.chunksQueue.bodies.splice(0)) await handle(body, invocation('worker'));
  await runReports(world);
}

describe('a job whose rows are rejected', () => {
  test('is stopped when most of the last rows are, over all chunks, and says what to do', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: refused, effect: false });
    await runIngest(world, await upload(world, people(200)));
    expect(world.chunksQueue.bodies.length).toBeGreaterThan(4);
    await work(world);
    const { summary } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'failed', error: { code: 'too_many_rejected' } });
    expect(summary?.error?.message).toContain('50 of the last 50 rows');
    // Calls that were under way when it was seen end, too.
    expect(summary?.counts.rejected).toBeGreaterThanOrEqual(50);
    expect(summary?.counts.rejected).toBeLessThan(50 + 5);
    expect((summary?.counts.rejected ?? 0) + (summary?.counts.not_attempted ?? 0)).toBe(200);
    expect(world.metrics.lines).toContain('JobsFailed 1 {"code":"too_many_rejected"}');
  });

  test.each([
    [2, 'completed'],
    [3, 'failed'],
  ])('but for one of %i: the job has %s', async (each, state) => {
    const world = newWorld();
    let calls = 0;
    world.api.onInvite = () => {
      calls += 1;
      return calls % each === 0 ? undefined : { answer: refused, effect: false };
    };
    await runIngest(world, await upload(world, people(120)));
    await work(world);
    expect(reportFiles(world).summary?.state).toBe(state);
  });

  test.each([
    [0.8, 4, 'completed'],
    [0.8, 5, 'completed'],
    [0.8, 6, 'failed'],
    [0.3, 2, 'failed'],
    [1, 1000, 'completed'],
  ])('where more than %d of them stop it, but for one of %i: the job has %s', async (rejectedShareMax, each, state) => {
    const world = newWorld();
    let calls = 0;
    world.api.onInvite = () => {
      calls += 1;
      return calls % each === 0 ? undefined : { answer: refused, effect: false };
    };
    await runIngest(world, await upload(world, people(120)));
    await work(world, { rejectedShareMax });
    expect(reportFiles(world).summary?.state).toBe(state);
  });

  test('goes on where they are too few to tell', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: refused, effect: false });
    await runIngest(world, await upload(world, people(49)));
    await work(world);
    expect(reportFiles(world).summary).toMatchObject({ state: 'completed', counts: { rejected: 49 } });
  });

  test('is stopped for its other chunks, too, where the last row of a chunk showed it', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: refused, effect: false });
    await runIngest(world, await upload(world, people(120)), { workers: 1 });
    const handle = useCasesOf(world).chunks;
    const posts = () => world.api.calls.filter((call) => call.startsWith('invite_user')).length;
    const bodies = world.chunksQueue.bodies.splice(0);
    while (posts() < selfStopLimits.lastRows) await handle(bodies.shift() ?? '', invocation('worker'));
    expect(posts()).toBe(selfStopLimits.lastRows);
    for (const body of bodies) await handle(body, invocation('another'));
    expect(posts()).toBe(selfStopLimits.lastRows);
  });
});

describe('several workers, each with its share of the rows,', () => {
  /** Each chunk goes to the next of the workers, as if each were a process of its own. */
  async function workTogether(
    world: World,
    workers: number,
    limits: Pick<WorkerSettings, 'rejectedShareMax'> = selfStopLimits,
  ): Promise<void> {
    const handles = Array.from({ length: workers }, () => useCasesOf(world, {}, limits).chunks);
    for (const [index, body] of world.chunksQueue.bodies.splice(0).entries())
      await handles[index % workers]?.(body, invocation(`worker ${index % workers}`));
    await runReports(world);
  }

  test('stop a job whose last rows are rejected, though none of them has seen enough', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: refused, effect: false });
    await runIngest(world, await upload(world, people(180)), { workers: 4 });
    await workTogether(world, 10);
    const { summary } = reportFiles(world);
    expect(summary).toMatchObject({ state: 'failed', error: { code: 'too_many_rejected' } });
    expect(summary?.counts.rejected).toBeLessThan(110);
  });

  test.each([
    [0.3, 4, 'failed'],
    [0.8, 7, 'completed'],
  ])(
    'where more than %d of them stop it, with %i of ten: the job has %s',
    async (rejectedShareMax, rejected, state) => {
      const world = newWorld();
      let calls = 0;
      world.api.onInvite = () => {
        calls += 1;
        return calls % 10 >= rejected ? undefined : { answer: refused, effect: false };
      };
      await runIngest(world, await upload(world, people(180)), { workers: 4 });
      await workTogether(world, 10, { rejectedShareMax });
      expect(reportFiles(world).summary?.state).toBe(state);
    },
  );

  test('let one go on whose rows are rejected with some of them only', async () => {
    const world = newWorld();
    let calls = 0;
    world.api.onInvite = () => {
      calls += 1;
      return calls % 2 === 0 ? undefined : { answer: refused, effect: false };
    };
    await runIngest(world, await upload(world, people(180)), { workers: 4 });
    await workTogether(world, 10);
    expect(reportFiles(world).summary?.state).toBe('completed');
  });
});

describe('what a process remembers of jobs', () => {
  const job = (number: number) => `20260131T070500Z-${String(number).padStart(12, '0')}` as JobId;

  test('is kept apart', () => {
    const signs = new JobSigns();
    signs.see(job(1), true);
    expect(signs.see(job(2), false)).toEqual([false]);
    expect(signs.see(job(1), false)).toEqual([true, false]);
    expect(signs.noteForbidden(job(1), true)).toBe(1);
    expect(signs.noteForbidden(job(2), true)).toBe(1);
    expect(signs.noteForbidden(job(1), true)).toBe(2);
    expect(signs.noteForbidden(job(1), false)).toBe(0);
    expect(signs.lastRows(job(1))).toEqual([true, false]);
  });

  test('is forgotten of the one that was seen longest ago', () => {
    const signs = new JobSigns();
    for (let number = 0; number < selfStopLimits.jobsMax; number += 1) signs.see(job(number), true);
    signs.see(job(0), true);
    signs.see(job(selfStopLimits.jobsMax), true);
    expect(signs.see(job(0), true)).toHaveLength(3);
    expect(signs.see(job(1), true)).toHaveLength(1);
  });
});
