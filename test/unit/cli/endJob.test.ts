import { describe, expect, test } from 'vitest';
import { describeMoment } from '../../../cli/describeMoment.ts';
import { describeInFull, describeInList } from '../../../cli/jobs/describeJob.ts';
import { describeSummary, exitCodeOf } from '../../../cli/jobs/describeSummary.ts';
import { type Ending, endJob } from '../../../cli/jobs/endJob.ts';
import { findJob } from '../../../cli/jobs/findJob.ts';
import { readSummaryOf, standingSummary } from '../../../cli/jobs/followJob.ts';
import { describeProgress, jobProgressReader } from '../../../cli/jobs/jobProgress.ts';
import { readJobState } from '../../../cli/jobs/jobState.ts';
import { whoEnds } from '../../../cli/jobs/whoEnds.ts';
import { stageOf } from '../../../cli/local/jobStage.ts';
import { UserError } from '../../../cli/userError.ts';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { approvalKey, stopKey } from '../../../lambdas/core/keys.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { readManifest } from '../../../lambdas/ledger/manifest.ts';
import { readStop, type Stop, writeStop } from '../../../lambdas/ledger/stop.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { placeOf } from '../../support/place.ts';
import { runIngest, runReports, runWorkers, upload } from '../../support/wholeJob.ts';
import { newWorld, type World } from '../../support/world.ts';

const people = `email\n${Array.from({ length: 20 }, (_, index) => (index % 4 === 0 ? `wrong${index}\n` : `p${index}@acme.example\n`)).join('')}`;

const dayMs = 86_400_000;

const stages = {
  waiting: async () => undefined,
  reading: async (world: World, message: string) => {
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'no answer' });
    await runIngest(world, message);
  },
  held: async (world: World, message: string) => {
    await runIngest(world, message, { newPeopleMax: 3 });
  },
  inviting: async (world: World, message: string) => {
    await runIngest(world, message);
  },
  reporting: async (world: World, message: string) => {
    await runIngest(world, message);
    await runWorkers(world);
  },
  completed: async (world: World, message: string) => {
    await runIngest(world, message);
    await runWorkers(world);
    await runReports(world);
  },
} as const;

async function jobThatIs(stage: keyof typeof stages) {
  const world = newWorld();
  const message = await upload(world, people);
  await stages[stage](world, message);
  const place = placeOf(world.store);
  const job = await findJob(place, 'latest');
  expect((await readJobState(place, job)).phase).toBe(stage);
  return { world, place, job, message };
}

/** What S3 sends when a decision is written. */
function decision(key: string): string {
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key, eTag: 'any' } } }] });
}

describe('ending a job', () => {
  test.each<[Ending, keyof typeof stages, 'ending' | 'refused', string]>([
    ['cancel', 'waiting', 'ending', 'is cancelled: within 10 seconds'],
    ['cancel', 'reading', 'ending', 'is cancelled: within 10 seconds'],
    ['cancel', 'inviting', 'ending', 'is cancelled: within 10 seconds'],
    ['cancel', 'held', 'refused', 'there is nothing to cancel. To end it: npx bulk-invite reject'],
    ['cancel', 'reporting', 'refused', 'are settled, and its report is being written'],
    ['cancel', 'completed', 'refused', 'has ended already (completed). To fetch its report: npx bulk-invite report'],
    [
      'reject',
      'waiting',
      'refused',
      'is not held: it is still to be read as a whole. To end it: npx bulk-invite cancel',
    ],
    [
      'reject',
      'reading',
      'refused',
      'is not held: it is still to be read as a whole. To end it: npx bulk-invite cancel',
    ],
    ['reject', 'inviting', 'refused', 'is not held: it is inviting people. To end it: npx bulk-invite cancel'],
    ['reject', 'held', 'ending', 'is rejected: nobody is invited'],
    ['reject', 'reporting', 'refused', 'are settled, and its report is being written'],
    ['reject', 'completed', 'refused', 'has ended already (completed)'],
  ])('by %s, where it is %s: %s', async (ending, stage, kind, sentence) => {
    const { place, job } = await jobThatIs(stage);
    const answer = await endJob(ending, place, job, 'ann');
    expect(answer).toMatchObject({ kind });
    expect(answer.sentence).toContain(`job ${job.jobId} `.replace(/^job/u, stage === 'reporting' ? 'job' : 'Job'));
    expect(answer.sentence).toContain(sentence);
    const stop = await readStop(place.store, job.jobId);
    if (kind === 'refused') expect(stop).toBeUndefined();
    else expect(stop).toMatchObject({ code: ending === 'cancel' ? 'cancelled' : 'not_approved', by: 'ann' });
  });

  test('for a second time changes nothing, and names who came first', async () => {
    const { world, place, job, message } = await jobThatIs('inviting');
    await endJob('cancel', place, job, 'ann');
    const first = await readStop(place.store, job.jobId);
    for (const ending of ['cancel', 'reject'] as const)
      expect(await endJob(ending, place, job, 'bo')).toMatchObject({
        kind: 'ending',
        sentence: expect.stringMatching(/was ended on .+, by ann: The job was cancelled\.$/u),
      });
    await runIngest(world, message);
    await runWorkers(world);
    await runReports(world);
    const ended = await endJob('cancel', place, job, 'bo');
    expect(ended).toMatchObject({ kind: 'ended' });
    expect(ended.sentence).toMatch(/was ended on .+, by ann: The job was cancelled\. To fetch its report: npx/u);
    expect(await readStop(place.store, job.jobId)).toEqual(first);
    const summary = await standingSummary(place, job);
    expect(summary).toMatchObject({ state: 'cancelled', counts: { not_attempted: 15, invalid: 5 } });
    expect(describeInFull(await readJobState(place, job), '').join('\n')).toContain(
      'The job was cancelled. (cancelled, by ann)',
    );
  });

  test.each<[Stop['code'] | 'unreadable', string]>([
    ['key_refused', 'has stopped itself on '],
    ['superseded', 'was ended on '],
    ['unreadable', 'has stopped itself: '],
  ])('that has a stop of another kind, %s, says so', async (code, sentence) => {
    const { place, job } = await jobThatIs('inviting');
    if (code === 'unreadable') await place.store.put(stopKey(job.jobId), 'please stop', { kind: 'always' });
    else await writeStop(place.store, job.jobId, { code, message: 'That is why.', atMs: Date.UTC(2026, 0, 31) });
    expect(await endJob('cancel', place, job, 'ann')).toMatchObject({
      kind: 'ending',
      sentence: expect.stringContaining(sentence),
    });
  });

  test('that was approved is no longer what reject is for, and cancel is', async () => {
    const { place, job } = await jobThatIs('held');
    await writeApproval(place.store, { jobId: job.jobId, by: 'bo', atMs: Date.UTC(2026, 0, 31) });
    expect(await endJob('reject', place, job, 'ann')).toMatchObject({
      kind: 'refused',
      sentence: expect.stringMatching(
        /is no longer held: it was approved on .+, by bo\. To end it: npx bulk-invite cancel/u,
      ),
    });
    expect(await endJob('cancel', place, job, 'ann')).toMatchObject({ kind: 'ending' });
  });
});

describe('a job that is held', () => {
  test('is told with its reasons and with what to do, before its report is there and afterwards', async () => {
    const { world, place, job } = await jobThatIs('held');
    expect(await standingSummary(place, job)).toBeUndefined();
    for (const isReported of [false, true]) {
      if (isReported) await runReports(world);
      const state = await readJobState(place, job);
      expect(state).toMatchObject({ phase: 'held', rows: 20, settled: 5, invitees: 15, counts: { invalid: 5 } });
      expect(describeInList(state)).toBe(`${job.jobId}  held       people.csv · 5 of 20 rows settled · 5 invalid`);
      const lines = describeInFull(state, ' --small');
      expect(lines).toContain('  held    It would send 15 invitations, and more than 3 need somebody’s approval.');
      expect(lines).toContain(`To look at it and let it go on: npx bulk-invite approve ${job.jobId} --small`);
    }
    const summary = await standingSummary(place, job);
    expect(summary).toMatchObject({ state: 'held' });
    expect(exitCodeOf(summary ?? { state: 'completed', counts: {} })).toBe(2);
  });

  test('stands no longer as soon as somebody has decided, and what was decided is told', async () => {
    const { world, place, job } = await jobThatIs('held');
    await runReports(world);
    await writeApproval(place.store, { jobId: job.jobId, by: 'bo', atMs: Date.UTC(2026, 0, 31) });
    expect(await standingSummary(place, job)).toBeUndefined();
    const state = await readJobState(place, job);
    expect(state).toMatchObject({ phase: 'inviting', approval: { by: 'bo', at: '2026-01-31T00:00:00.000Z' } });
    expect(describeInFull(state, '').join('\n')).toMatch(/approved {2}by bo, 31 Jan 2026/u);
    await runIngest(world, decision(approvalKey(job.jobId)));
    await runWorkers(world);
    await runReports(world);
    expect(await standingSummary(place, job)).toMatchObject({ state: 'completed', approval: { by: 'bo' } });
  });

  test('is not let go by an approval that cannot be understood', async () => {
    const { place, job } = await jobThatIs('held');
    await place.store.put(approvalKey(job.jobId), '{"ok":true}', { kind: 'always' });
    expect((await readJobState(place, job)).phase).toBe('held');
  });

  test('has lapsed after seven days, and can still be rejected', async () => {
    const { world, place, job } = await jobThatIs('held');
    await runReports(world);
    const heldAtMs = (await readManifest(world.store, job.jobId))?.endedAtMs ?? 0;
    const phaseAt = async (nowMs: number) => (await readJobState({ ...place, now: () => nowMs }, job)).phase;
    expect(await phaseAt(heldAtMs + 7 * dayMs)).toBe('held');
    expect(await phaseAt(heldAtMs + 7 * dayMs + 1)).toBe('lapsed');
    expect(await stageOf(world.store, job, heldAtMs + 7 * dayMs)).toBe('held');
    expect(await stageOf(world.store, job, heldAtMs + 7 * dayMs + 1)).toBe('lapsed');
    const late = { ...place, now: () => heldAtMs + 8 * dayMs };
    expect(await endJob('cancel', late, job, 'ann')).toMatchObject({ kind: 'refused' });
    expect(await endJob('reject', late, job, 'ann')).toMatchObject({ kind: 'ending' });
    expect(await readStop(world.store, job.jobId)).toMatchObject({ code: 'not_approved' });
    const summary = await readSummaryOf(place, job);
    const linesAt = (nowMs: number) => (summary === undefined ? [] : describeSummary(summary, '', nowMs));
    expect(linesAt(heldAtMs + 7 * dayMs)).toContainEqual(
      expect.stringContaining(`let it go on (until ${describeMoment(heldAtMs + 7 * dayMs)}): npx bulk-invite approve`),
    );
    const later = linesAt(heldAtMs + 7 * dayMs + 1).join(' ');
    expect(later).toContain('it has lapsed. To invite these people, upload the file again.');
    expect(later).not.toContain('approve ');
    expect(await stageOf(world.store, { ...job }, heldAtMs + 7 * dayMs + 1)).toBe('stopped');
  });

  test('whose records are gone by now has lapsed, is told from its report, and there is nothing left to reject', async () => {
    const { world, place, job } = await jobThatIs('held');
    await runReports(world);
    const remaining = newWorld();
    for (const [key, text] of world.store.texts())
      if (key.startsWith('reports/')) await remaining.store.put(key, text, { kind: 'always' });
    const placeLater = { ...place, store: remaining.store };
    expect(await readJobState(placeLater, job)).toMatchObject({ phase: 'lapsed', rows: 20 });
    for (const ending of ['cancel', 'reject'] as const)
      expect(await endJob(ending, placeLater, job, 'ann')).toEqual({
        kind: 'ended',
        sentence: `Job ${job.jobId} was held, nobody approved it in time, and its records are deleted: nobody is invited by it. To fetch its report: npx bulk-invite report ${job.jobId} --small`,
      });
    expect(await readStop(remaining.store, job.jobId)).toBeUndefined();
  });
});

describe('who ends a job', () => {
  const never = (signal?: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });

  test.each<[string, (signal?: AbortSignal) => Promise<string>, string]>([
    ['is named as the place says', async () => 'ann', 'ann'],
    ['is nobody known where AWS does not answer in time', never, 'somebody whom AWS has not named'],
    ['nor where AWS refuses to say', () => Promise.reject(new UserError('No.')), 'somebody whom AWS has not named'],
  ])('%s', async (_name, whoAmI, expected) => {
    expect(await whoEnds({ whoAmI }, 10)).toBe(expected);
  });

  test('and a defect is none of these', async () => {
    await expect(whoEnds({ whoAmI: () => Promise.reject(new Error('oops')) })).rejects.toThrow('oops');
  });
});

test('a job is ended without a look at anything that grows with it', async () => {
  const { world, place, job } = await jobThatIs('inviting');
  const read: string[] = [];
  const noted = <T>(key: string, answer: Promise<T>): Promise<T> => {
    read.push(key);
    return answer;
  };
  const store: ObjectStore = {
    ...world.store,
    head: (key) => noted(key, world.store.head(key)),
    readText: (key, bytesMax) => noted(key, world.store.readText(key, bytesMax)),
    readBytes: (source) => noted(source.key, world.store.readBytes(source)),
  };
  expect(await endJob('cancel', { ...place, store }, job, 'ann')).toMatchObject({ kind: 'ending' });
  expect(read.filter((key) => /\/(?:chunks|parts)\/|directory|incoming/u.test(key))).toEqual([]);
  expect(read.length).toBeLessThan(10);
});

test('a job that is stopped before it was read says that it is stopping', async () => {
  const { world, place, job } = await jobThatIs('waiting');
  await endJob('cancel', place, job, 'ann');
  const progress = await jobProgressReader(world.store, job.jobId)();
  expect(describeProgress(progress, 1000)).toBe('The job is stopping …');
  expect(await readJobState(place, job)).toMatchObject({ phase: 'waiting', stop: { code: 'cancelled' } });
});

test.each([
  ['completed', {}, 0],
  ['completed', { invalid: 1 }, 2],
  ['completed', { would_invite: 5, skipped: 1 }, 0],
  ['held', {}, 2],
  ['cancelled', { invited: 3 }, 2],
  ['failed', {}, 1],
] as const)('a job that is %s with %o ends with %d', (state, counts, code) => {
  expect(exitCodeOf({ state, counts })).toBe(code);
});

test('a decision is kept under the name of its job', () => {
  expect(approvalKey('20260131T070500Z-0f3a9c51b2de' as JobId)).toBe(
    'jobs/20260131T070500Z-0f3a9c51b2de/approval.json',
  );
});
