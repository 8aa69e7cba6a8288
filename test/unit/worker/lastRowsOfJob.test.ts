import { expect, test } from 'vitest';
import { chunkPartKey, ingestPartKey } from '../../../lambdas/core/keys.ts';
import type { Outcome } from '../../../lambdas/core/outcome.ts';
import { writePart } from '../../../lambdas/ledger/part.ts';
import { lastRowsOfJob } from '../../../lambdas/worker/lastRowsOfJob.ts';
import { memoryStore } from '../../support/memoryStore.ts';
import { jobId } from '../../support/ownedChunk.ts';

type Kind = Pick<Outcome, 'status' | 'code'>;

const rejected: Kind = { status: 'rejected', code: 'refused_by_api' };
const invited: Kind = { status: 'invited', code: 'created' };
const resent: Kind = { status: 'resent', code: 'resent' };
const notResent: Kind = { status: 'rejected', code: 'resend_refused' };

async function storeWith(parts: readonly (readonly [key: string, kinds: readonly Kind[]])[]) {
  const store = memoryStore();
  let row = 2;
  for (const [key, kinds] of parts) {
    const part = writePart(store, key);
    for (const kind of kinds) part.add({ row: row++, ...kind, attempts: 1 });
    await part.close({}, 1);
  }
  return store;
}

test('those of the chunks with the highest numbers come first, and fifty of them are enough', async () => {
  const parts = [0, 1, 2].map(
    (chunk) => [chunkPartKey(jobId, chunk), new Array<Kind>(25).fill(chunk === 0 ? invited : rejected)] as const,
  );
  const rows = await lastRowsOfJob(await storeWith(parts), jobId);
  expect(rows).toHaveLength(50);
  expect(rows.filter(Boolean)).toHaveLength(50);
});

test.each([
  ['rejected', [invited, rejected], 40],
  ['invited', [rejected, invited], 10],
])('those of the chunk before fill up what the last one lacks, where that one was %s', async (_name, kinds, count) => {
  const parts = kinds.map((kind, chunk) => [chunkPartKey(jobId, chunk), new Array<Kind>(40).fill(kind)] as const);
  const rows = await lastRowsOfJob(await storeWith(parts), jobId);
  expect(rows).toHaveLength(50);
  expect(rows.filter(Boolean)).toHaveLength(count);
  expect(rows.at(-1)).toBe(count === 40);
});

test('what ingest settled, and what was sent again or not, is not among them', async () => {
  const store = await storeWith([
    [ingestPartKey(jobId), [rejected]],
    [chunkPartKey(jobId, 0), [resent, notResent, rejected, invited]],
  ]);
  expect(await lastRowsOfJob(store, jobId)).toEqual([true, false]);
});

test('there are none before a part is there', async () => {
  expect(await lastRowsOfJob(memoryStore(), jobId)).toEqual([]);
});
