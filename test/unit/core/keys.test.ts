import { describe, expect, test } from 'vitest';
import { jobIdOf } from '../../../lambdas/core/jobId.ts';
import {
  chunkKey,
  chunkPartKey,
  chunksPrefixOf,
  directoryKey,
  ingestPartKey,
  jobKey,
  manifestKey,
  mappingKeysBeside,
  partsPrefixOf,
  reportKey,
  stopKey,
} from '../../../lambdas/core/keys.ts';

const jobId = jobIdOf({ bucket: 'people', key: 'incoming/acme.csv', version: 'v1', uploadedAtMs: 0 });

describe('where objects lie', () => {
  test.each([
    [jobKey(jobId), 'job.json'],
    [directoryKey(jobId), 'directory.json'],
    [manifestKey(jobId), 'manifest.json'],
    [stopKey(jobId), 'stop.json'],
    [chunkKey(jobId, 0), 'chunks/00000.json'],
    [chunkKey(jobId, 12_345), 'chunks/12345.json'],
    [chunkPartKey(jobId, 7), 'parts/00007.jsonl'],
    [ingestPartKey(jobId), 'parts/ingest.jsonl'],
  ])('%s', (key, name) => {
    expect(key).toBe(`jobs/${jobId}/${name}`);
  });

  test('the report of an upload lies under the upload’s own path', () => {
    expect(reportKey('incoming/hr/acme.csv', jobId, 'results.csv')).toBe(`reports/hr/acme.csv/${jobId}/results.csv`);
  });

  test('the report of an upload with a path that is too long lies under the beginning of it', () => {
    const key = `incoming/${'ü'.repeat(507)}`;
    const written = reportKey(key, jobId, 'summary.json');
    expect(written).toBe(`reports/${'ü'.repeat(486)}/${jobId}/summary.json`);
    expect(Buffer.byteLength(written)).toBe(1023);
    expect(reportKey(key, jobId, 'retry.csv').startsWith(written.slice(0, -12))).toBe(true);
  });

  test('a folder whose mapping would have too long a key has none', () => {
    expect(mappingKeysBeside('incoming/hr/acme.csv')).toEqual(['incoming/hr/mapping.json']);
    expect(mappingKeysBeside('incoming/dry-run/hr/acme.csv')).toEqual([
      'incoming/dry-run/hr/mapping.json',
      'incoming/hr/mapping.json',
    ]);
    const folder = `incoming/${'x'.repeat(1002)}`;
    expect(mappingKeysBeside(`${folder}/a`)[0]).toHaveLength(1024);
    expect(mappingKeysBeside(`${folder}x/a`)).toEqual([]);
  });

  test('chunks and parts are listed in their order, and only those of the job', () => {
    const keys = Array.from({ length: 1100 }, (_, chunk) => chunkKey(jobId, chunk));
    expect([...keys].sort()).toEqual(keys);
    expect(keys.every((key) => key.startsWith(chunksPrefixOf(jobId)))).toBe(true);
    expect(chunkPartKey(jobId, 3).startsWith(partsPrefixOf(jobId))).toBe(true);
    expect(ingestPartKey(jobId).startsWith(partsPrefixOf(jobId))).toBe(true);
  });

  test('nothing that a job writes lies where uploads are read from', () => {
    for (const key of [jobKey(jobId), chunkKey(jobId, 1), reportKey('incoming/a.csv', jobId, 'summary.json')]) {
      expect(key.startsWith('incoming/')).toBe(false);
    }
  });
});
