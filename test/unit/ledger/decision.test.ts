import { expect, test } from 'vitest';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { fixDecision, readDecision } from '../../../lambdas/ledger/decision.ts';
import { type Stop, writeStop } from '../../../lambdas/ledger/stop.ts';
import { jobId } from '../../support/ownedChunk.ts';
import { newWorld } from '../../support/world.ts';

const hold = [{ code: 'too_many_new', message: 'Many.' }] as const;
const stop: Stop = { code: 'cancelled', message: 'No.', atMs: 2000, by: 'bob' };
const approval = { jobId, by: 'alice', atMs: 1000 };

test('what the first final report heeds, every other one heeds, too', async () => {
  const { store, log } = newWorld();
  await writeApproval(store, approval);
  expect(await fixDecision(store, jobId, { hold: [...hold] }, log)).toEqual({ approval });
  await writeStop(store, jobId, stop);
  expect(await readDecision(store, jobId, { hold: [...hold] }, log)).toEqual({ approval, stop });
  expect(await fixDecision(store, jobId, { hold: [...hold] }, log)).toEqual({ approval });
});

test('an approval that a job did not need is not heeded', async () => {
  const { store, log } = newWorld();
  await writeApproval(store, approval);
  expect(await fixDecision(store, jobId, {}, log)).toEqual({});
});
