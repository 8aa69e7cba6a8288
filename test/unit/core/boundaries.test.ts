import { describe, expect, test } from 'vitest';
import type { Doubt, InviteAnswer, LookUpAnswer } from '../../../lambdas/core/answers.ts';
import { claim } from '../../../lambdas/core/chunk.ts';
import { workerLimits } from '../../../lambdas/core/limits.ts';
import { isGivenUp } from '../../../lambdas/core/outage.ts';
import { afterInvite, afterLookUp, lookUpFirst, type RowProgress } from '../../../lambdas/core/rowProgress.ts';
import { chunkOf } from '../../support/ownedChunk.ts';

const row: RowProgress = { row: 7, invitee: { email: 'ann@example.com' }, attempts: 1 };
const notFound: LookUpAnswer = { kind: 'not_found' };
const found: LookUpAnswer = { kind: 'found', userId: 'user-1', userStatus: 'invited' };
const asked = { nowMs: 1000, overlaps: false };

function inDoubt(changes: Partial<Doubt>): InviteAnswer {
  return {
    kind: 'in_doubt',
    doubt: { reason: 'server_error', detail: 'status 500', mayBeOurs: true, mayStillHappen: false, ...changes },
  };
}

describe('an attempt that the API is done with', () => {
  test('leaves no trace once a look-up finds nobody: a user who is found later is not its work', () => {
    const cleared = afterLookUp(afterInvite(row, inDoubt({}), 1000), notFound, asked);
    expect(cleared).toStrictEqual({ ...row, lookedUpAtMs: 1000 });
    const conflict = afterInvite(cleared, inDoubt({ mayBeOurs: false, httpStatus: 409 }), 2000);
    expect(afterLookUp(conflict, found, asked).outcome).toMatchObject({ status: 'already_invited' });
  });
});

describe('an attempt that may still take effect', () => {
  test('explains a user who is found later, also after another attempt that cannot', () => {
    const looked = afterLookUp(afterInvite(row, inDoubt({ mayStillHappen: true }), 1000), notFound, asked);
    const conflict = afterInvite(looked, inDoubt({ mayBeOurs: false, httpStatus: 409 }), 2000);
    expect(afterLookUp(conflict, found, asked).outcome).toMatchObject({ code: 'confirmed_by_look_up' });
  });

  test.each([
    [undefined, 'Confirmed by a look-up after an attempt without a clear answer.'],
    ['No last name.', 'Confirmed by a look-up after an attempt without a clear answer. No last name.'],
  ])('is confirmed in whole sentences, with the warning of the row where it has one: %s', (warning, message) => {
    const inQuestion = afterInvite({ ...row, ...(warning === undefined ? {} : { warning }) }, inDoubt({}), 1000);
    expect(afterLookUp(inQuestion, found, asked).outcome?.message).toBe(message);
  });
});

test('a row with an outcome is not looked up again, however old the snapshot is', () => {
  const settled = afterInvite(row, { kind: 'invited', httpStatus: 201, userId: 'user-1' }, 1000);
  expect(lookUpFirst(settled)).toBe(settled);
});

test('an outage is given up when it has been waited out for the whole time, and not a moment before', () => {
  const outage = { sinceMs: 0, pauses: 3 };
  expect(isGivenUp({ ...outage, waitedMs: 59_999 }, 60_000)).toBe(false);
  expect(isGivenUp({ ...outage, waitedMs: 60_000 }, 60_000)).toBe(true);
});

test.each([
  [0, undefined],
  [1, true],
])('a snapshot is fresh for four hours: %i ms later people are looked up first: %s', (laterMs, mustLookUp) => {
  const nowMs = chunkOf(1).snapshotAtMs + workerLimits.snapshotFreshMs + laterMs;
  const claimed = claim(chunkOf(1), { owner: 'a', nowMs, leaseMs: 45_000 });
  expect(claimed.kind === 'claimed' && claimed.chunk.rows[0]?.mustLookUp).toBe(mustLookUp);
});
