import { describe, expect, test } from 'vitest';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { overlapLimits } from '../../../lambdas/core/limits.ts';
import { noteBegun, noteEnded, othersAtWork, othersBegun } from '../../../lambdas/ledger/overlap.ts';
import { memoryStore } from '../../support/memoryStore.ts';

const ours = '20260131T070500Z-0f3a9c51b2de' as JobId;
const theirs = '20260131T070400Z-aaaaaaaaaaaa' as JobId;
const nowMs = Date.UTC(2026, 0, 31, 7, 5, 30);
const minute = 60_000;

describe('the notes of jobs that begin and end', () => {
  test('a job that runs alone sees nobody, whatever it has noted itself', async () => {
    const store = memoryStore();
    await noteBegun(store, ours, nowMs - 1000);
    await noteBegun(store, ours, nowMs);
    expect(await othersAtWork(store, ours, nowMs)).toBe(false);
    expect(await othersBegun(store, ours, nowMs)).toBe(false);
  });

  test('another job is at work from its beginning to its end', async () => {
    const store = memoryStore();
    await noteBegun(store, theirs, nowMs - 30 * minute);
    expect(await othersAtWork(store, ours, nowMs)).toBe(true);
    await noteEnded(store, theirs, nowMs);
    expect(await othersAtWork(store, ours, nowMs)).toBe(false);
  });

  test('a job whose last effects may still come is at work until then', async () => {
    const store = memoryStore();
    await noteBegun(store, theirs, nowMs - 30 * minute);
    await noteEnded(store, theirs, nowMs + 2 * minute);
    expect(await othersAtWork(store, ours, nowMs)).toBe(true);
    expect(await othersAtWork(store, ours, nowMs + 2 * minute)).toBe(false);
  });

  test('the end of one job is not that of another', async () => {
    const store = memoryStore();
    await noteBegun(store, theirs, nowMs - minute);
    await noteEnded(store, ours, nowMs - minute);
    expect(await othersAtWork(store, ours, nowMs)).toBe(true);
  });

  test('a note from before any message that could still live says nothing', async () => {
    const store = memoryStore();
    await noteBegun(store, theirs, nowMs - overlapLimits.lookBackMs - 1000);
    expect(await othersAtWork(store, ours, nowMs)).toBe(false);
    await noteBegun(store, theirs, nowMs - overlapLimits.lookBackMs);
    expect(await othersAtWork(store, ours, nowMs)).toBe(true);
  });

  test('a job that begins after the snapshot is seen, also where its note was long on its way', async () => {
    const store = memoryStore();
    await noteBegun(store, theirs, nowMs - overlapLimits.noteMs - 1000);
    expect(await othersBegun(store, ours, nowMs)).toBe(false);
    await noteBegun(store, theirs, nowMs - overlapLimits.noteMs);
    expect(await othersBegun(store, ours, nowMs)).toBe(true);
  });

  test('a job that had ended before the snapshot is in it; one that ended after it is not', async () => {
    const store = memoryStore();
    await noteBegun(store, theirs, nowMs - minute);
    await noteEnded(store, theirs, nowMs + 1000);
    expect(await othersBegun(store, ours, nowMs)).toBe(true);
    await noteEnded(store, theirs, nowMs);
    expect(await othersBegun(store, ours, nowMs)).toBe(false);
  });
});
