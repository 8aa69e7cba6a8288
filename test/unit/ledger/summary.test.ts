import { expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { noCounts } from '../../../lambdas/core/outcome.ts';
import type { Job } from '../../../lambdas/ledger/job.ts';
import { readSummary, type Summary, writeSummary } from '../../../lambdas/ledger/summary.ts';
import { memoryStore } from '../../support/memoryStore.ts';

const job: Job = {
  jobId: '20260131T070500Z-0f3a9c51b2de' as JobId,
  source: { key: 'incoming/people.csv', etag: '"1"', bytes: 10, uploadedAtMs: 1 },
  settings: { chunkRows: 5, mapping: {}, invitesGone: false, allowedDomains: [], dryRun: false },
  startedAtMs: 1,
};

function summary(state: Summary['state'], warning = ''): Summary {
  return {
    jobId: job.jobId,
    state,
    dryRun: false,
    source: { name: 'people.csv', bytes: 10, version: '1' },
    rows: 0,
    counts: noCounts(),
    apiCalls: {},
    startedAt: '2026-01-31T07:05:00.000Z',
    finishedAt: '2026-01-31T07:05:00.000Z',
    columns: { used: {}, ignored: [] },
    warnings: [warning],
    files: [],
  };
}

test.each([
  ['held', 'completed', 'the second'],
  ['held', 'cancelled', 'the second'],
  ['held', 'held', 'the first'],
  ['completed', 'held', 'the first'],
  ['completed', 'failed', 'the first'],
  ['cancelled', 'completed', 'the first'],
] as const)('of a summary that says %s and then one that says %s, %s stands', async (first, second, stands) => {
  const store = memoryStore();
  await writeSummary(store, job, summary(first, 'the first'));
  await writeSummary(store, job, summary(second, 'the second'));
  expect((await readSummary(store, job))?.warnings).toEqual([stands]);
});

test('a final summary that comes between the look and the write stands', async () => {
  const store = memoryStore();
  await writeSummary(store, job, summary('held'));
  let isFirst = true;
  const between: typeof store = {
    ...store,
    put: async (...given) => {
      if (isFirst) await writeSummary(store, job, summary('completed', 'faster'));
      isFirst = false;
      return await store.put(...given);
    },
  };
  await writeSummary(between, job, summary('cancelled', 'slower'));
  expect((await readSummary(store, job))?.warnings).toEqual(['faster']);
});
