import { expect, test } from 'vitest';
import { StopWatch } from '../../../lambdas/worker/stopWatch.ts';
import { jobId } from '../../support/ownedChunk.ts';
import { newWorld } from '../../support/world.ts';

test('a look for a stop holds for nine seconds from when it began, and the next one is due after five', async () => {
  const { store, clock } = newWorld();
  const watch = new StopWatch(store, clock);
  expect([watch.isDue, watch.isSeen]).toEqual([true, false]);
  await watch.look(jobId);
  await clock.sleep(4999);
  expect([watch.isDue, watch.isSeen]).toEqual([false, true]);
  await clock.sleep(1);
  expect([watch.isDue, watch.isSeen]).toEqual([true, true]);
  await clock.sleep(4000);
  expect(watch.isSeen).toBe(true);
  await clock.sleep(1);
  expect(watch.isSeen).toBe(false);
});
