import { expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import type { OpenInvitations } from '../../../lambdas/core/roster.ts';
import { noteResent, readOpenInvitations, writeOpenInvitations } from '../../../lambdas/ledger/openInvitations.ts';
import { memoryStore } from '../../support/memoryStore.ts';

const first = '20260131T070500Z-0f3a9c51b2de' as JobId;
const second = '20260201T070500Z-0f3a9c51b2de' as JobId;
const open = (sinceMs: number): OpenInvitations => new Map([['user-1', { sinceMs, state: 'expired' }]]);

async function sinceIn(store: ReturnType<typeof memoryStore>): Promise<number | undefined> {
  return (await readOpenInvitations(store, 'acme')).get('user-1')?.sinceMs;
}

test('what was found is there for the next run', async () => {
  const store = memoryStore();
  expect([...(await readOpenInvitations(store, 'acme'))]).toEqual([]);
  await writeOpenInvitations(store, 'acme', first, open(1));
  expect([...(await readOpenInvitations(store, 'acme'))]).toEqual([...open(1)]);
  await writeOpenInvitations(store, 'acme', second, open(2));
  expect(await sinceIn(store)).toBe(2);
});

test('an earlier run that comes late changes nothing', async () => {
  const store = memoryStore();
  await writeOpenInvitations(store, 'acme', second, open(2));
  await writeOpenInvitations(store, 'acme', first, open(1));
  await noteResent(store, 'acme', first, ['user-1'], 5);
  expect(await sinceIn(store)).toBe(2);
});

test('an invitation that was sent again is new, and open', async () => {
  const store = memoryStore();
  await writeOpenInvitations(store, 'acme', first, open(1));
  await noteResent(store, 'acme', first, ['user-1', 'user-2'], 5);
  expect([...(await readOpenInvitations(store, 'acme'))]).toEqual([
    ['user-1', { sinceMs: 5, state: 'open' }],
    ['user-2', { sinceMs: 5, state: 'open' }],
  ]);
});

test('a copy of the same run that comes late does not take back what was sent again', async () => {
  const store = memoryStore();
  await writeOpenInvitations(store, 'acme', first, open(1));
  await noteResent(store, 'acme', first, ['user-1'], 5);
  await writeOpenInvitations(store, 'acme', first, open(1));
  expect(await sinceIn(store)).toBe(5);
});

test('nothing is noted where nothing was found before', async () => {
  const store = memoryStore();
  await noteResent(store, 'acme', first, ['user-1'], 5);
  expect([...store.texts().keys()]).toEqual([]);
});
