import { expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { rosterLimits } from '../../../lambdas/core/limits.ts';
import { noteRunEnded, type RosterRun, readRosterRun, replaceRosterRun } from '../../../lambdas/ledger/rosterRun.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { memoryStore } from '../../support/memoryStore.ts';

const first = '20260131T070500Z-0f3a9c51b2de' as JobId;
const second = '20260201T070500Z-0f3a9c51b2de' as JobId;
const run: RosterRun = { jobId: first, uploadKey: 'incoming/rosters/acme.csv', startedAtMs: 1 };
const completed = { state: 'completed', rows: 3 } as const;

async function storeWith(last: RosterRun): Promise<ObjectStore> {
  const store = memoryStore();
  await replaceRosterRun(store, 'acme', last, undefined);
  return store;
}

async function lastIn(store: ObjectStore): Promise<RosterRun | undefined> {
  return (await readRosterRun(store, 'acme'))?.value;
}

/** Where each write loses against somebody else's, as often as said. */
function losing(store: ObjectStore, times: number, meanwhile: () => Promise<unknown>): ObjectStore {
  let lost = 0;
  const put: ObjectStore['put'] = async (...write) => {
    if (lost === times) return await store.put(...write);
    lost += 1;
    await meanwhile();
    return { kind: 'condition_failed' };
  };
  return { ...store, put };
}

test('the end of the last run is noted once, and the rest of it stays', async () => {
  const store = await storeWith({ ...run, lastCompleted: { jobId: first, rows: 2 } });
  await noteRunEnded(store, 'acme', first, completed);
  await noteRunEnded(store, 'acme', first, { state: 'failed', rows: 9 });
  expect(await lastIn(store)).toEqual({ ...run, lastCompleted: { jobId: first, rows: 2 }, ended: completed });
});

test('the end of another run than the last one is not noted, nor that of one that was never claimed', async () => {
  const store = await storeWith({ ...run, jobId: second });
  await noteRunEnded(store, 'acme', first, completed);
  expect(await lastIn(store)).toEqual({ ...run, jobId: second });
  await noteRunEnded(store, 'other', first, completed);
  expect(await readRosterRun(store, 'other')).toBeUndefined();
});

test('where somebody else was faster, it is looked at again', async () => {
  const store = await storeWith(run);
  await noteRunEnded(
    losing(store, 1, async () => undefined),
    'acme',
    first,
    completed,
  );
  expect(await lastIn(store)).toEqual({ ...run, ended: completed });

  const changed = await storeWith(run);
  const next = async () =>
    await replaceRosterRun(changed, 'acme', { ...run, jobId: second }, (await readRosterRun(changed, 'acme'))?.etag);
  await noteRunEnded(losing(changed, 1, next), 'acme', first, completed);
  expect(await lastIn(changed)).toEqual({ ...run, jobId: second });
});

test('it is given up where that never ends', async () => {
  const store = await storeWith(run);
  const { runTriesMax } = rosterLimits;
  const never = noteRunEnded(
    losing(store, runTriesMax, async () => undefined),
    'acme',
    first,
    completed,
  );
  await expect(never).rejects.toThrow('The runs of roster acme were changed by others again and again.');
  await noteRunEnded(
    losing(store, runTriesMax - 1, async () => undefined),
    'acme',
    first,
    completed,
  );
  expect(await lastIn(store)).toEqual({ ...run, ended: completed });
});
