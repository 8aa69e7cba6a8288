import { expect, test } from 'vitest';
import { approvalKey } from '../../../lambdas/core/keys.ts';
import { findApproval, writeApproval } from '../../../lambdas/ledger/approval.ts';
import { fixDecision, readDecision } from '../../../lambdas/ledger/decision.ts';
import { type Stop, writeStop } from '../../../lambdas/ledger/stop.ts';
import { jobId } from '../../support/ownedChunk.ts';
import { newWorld } from '../../support/world.ts';

const hold = [{ code: 'too_many_new', message: 'Many.' }] as const;
const held = { hold: [...hold], endedAtMs: 500 };
const stop: Stop = { code: 'cancelled', message: 'No.', atMs: 2000, by: 'bob' };
const approval = { jobId, by: 'alice', atMs: 1000 };

test('what the first final report heeds, every other one heeds, too', async () => {
  const { store, log } = newWorld();
  await writeApproval(store, approval);
  expect(await fixDecision(store, jobId, held, log)).toEqual({ approval });
  await writeStop(store, jobId, stop);
  expect(await readDecision(store, jobId, held, log)).toEqual({ approval, stop });
  expect(await fixDecision(store, jobId, held, log)).toEqual({ approval });
});

test.each([
  ['that is not one', 'yes, please'],
  ['of another job', JSON.stringify({ ...approval, jobId: '20260131T070500Z-ffffffffffff' })],
])('an approval %s approves nothing, and the next one takes its place', async (_name, text) => {
  const { store, log } = newWorld();
  await store.put(approvalKey(jobId), text, { kind: 'always' });
  expect(await findApproval(store, jobId, held, log)).toBeUndefined();
  expect(await writeApproval(store, approval)).toEqual(approval);
  expect(await findApproval(store, jobId, held, log)).toEqual(approval);
});

test('of two approvals the first one stands', async () => {
  const { store, log } = newWorld();
  await writeApproval(store, approval);
  expect(await writeApproval(store, { ...approval, by: 'bob' })).toEqual(approval);
  expect(await findApproval(store, jobId, held, log)).toEqual(approval);
});

test('an approval that a job did not need is not heeded', async () => {
  const { store, log } = newWorld();
  await writeApproval(store, approval);
  expect(await fixDecision(store, jobId, { endedAtMs: 500 }, log)).toEqual({});
});

test.each([
  ['in time', 0, true],
  ['too late', 1, false],
])('an approval seven days after the job was held, %s, lets it go on: %o', async (_name, lateMs, isHeeded) => {
  const { store, log } = newWorld();
  const last = { ...approval, atMs: held.endedAtMs + 7 * 86_400_000 + lateMs };
  await writeApproval(store, last);
  expect(await findApproval(store, jobId, held, log)).toEqual(isHeeded ? last : undefined);
  expect(await fixDecision(store, jobId, held, log)).toEqual(isHeeded ? { approval: last } : {});
});
