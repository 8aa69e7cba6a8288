import { expect, test } from 'vitest';
import { announceAgain } from '../../../cli/jobs/announceAgain.ts';
import { endJob } from '../../../cli/jobs/endJob.ts';
import { findJob } from '../../../cli/jobs/findJob.ts';
import { stopKey } from '../../../lambdas/core/keys.ts';
import { placeOf } from '../../support/place.ts';
import { runIngest, upload } from '../../support/wholeJob.ts';
import { newWorld } from '../../support/world.ts';

/** A world that keeps in mind what was written. */
function listeningWorld() {
  const world = newWorld();
  const written: string[] = [];
  const store: typeof world.store = {
    ...world.store,
    put: async (key, text, condition) => {
      const result = await world.store.put(key, text, condition);
      if (result.kind === 'written') written.push(`${key} ${text}`);
      return result;
    },
  };
  return { world: { ...world, store }, store, written };
}

test('what is there is written once more, as it is', async () => {
  const { store, written } = listeningWorld();
  await store.put('jobs/a/stop.json', 'x', { kind: 'always' });
  await announceAgain(store, 'jobs/a/stop.json');
  expect(written).toEqual(['jobs/a/stop.json x', 'jobs/a/stop.json x']);
});

test('what is not there is not made', async () => {
  const { store, written } = listeningWorld();
  await announceAgain(store, 'jobs/a/stop.json');
  expect(written).toEqual([]);
});

test('a job that is cancelled again is stopped as it was, and the bucket tells of it again', async () => {
  const { world, store, written } = listeningWorld();
  await runIngest(world, await upload(world, 'email\na@acme.example\n'));
  const place = placeOf(store);
  const job = await findJob(place, 'latest');
  for (const by of ['ann', 'bob']) expect((await endJob('cancel', place, job, by)).kind).toBe('ending');
  const stops = written.filter((line) => line.startsWith(stopKey(job.jobId)));
  expect(stops).toHaveLength(2);
  expect(new Set(stops).size).toBe(1);
});
