/**
 * Keys of uploads that look like something else: each gets a job and a report of its own, below `reports/`, and no object of
 * another upload is touched.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchReport } from '../../cli/jobs/fetchReport.ts';
import { type LocalHost, startLocalHost } from '../../cli/local/localHost.ts';
import { type JobId, jobIdOf } from '../../lambdas/core/jobId.ts';
import { incomingPrefix, mappingKeysBeside, reportKey, reportsPrefix } from '../../lambdas/core/keys.ts';
import { ledgerLimits } from '../../lambdas/core/limits.ts';
import { inertJson } from '../../lambdas/core/quote.ts';
import { readSummary } from '../../lambdas/ledger/summary.ts';
import { type CountingSandbox, startCountingSandbox } from '../support/command.ts';
import { jobIdsOf, runIngest, runReports, runWorkers, upload } from '../support/wholeJob.ts';
import { newWorld } from '../support/world.ts';

const files = ['report.html', 'results.csv', 'retry.csv', 'summary.json'] as const;
const longest = ledgerLimits.keyBytesMax - incomingPrefix.length;

const names = [
  'people.csv',
  'two words.csv',
  'a+b.csv',
  'a%2Bb.csv',
  '100%.csv',
  '%.csv',
  '%2e%2e%2fpeople.csv',
  // The same to the eye, and two keys to S3.
  'Zo\u00eb.csv',
  'Zoe\u0308.csv',
  '人事/名簿.csv',
  '😀.csv',
  '../people.csv',
  '../../jobs/people.csv',
  '../reports/people.csv',
  'hr/../people.csv',
  './people.csv',
  '..',
  '.',
  '/people.csv',
  '//people.csv',
  'hr//people.csv',
  'people.csv/results.csv',
  'people.csv?versionId=1&acl#x',
  'C:\\people.csv',
  "'; DROP TABLE people; --.csv",
  '<b>people</b>&amp;"\'.csv',
  'line\nbreak.csv',
  'tab\tand\rreturn.csv',
  'escape\u001b[31m.csv',
  'nul\u0000.csv',
  '\ufeffmark.csv',
  'right\u202eto left.csv',
  'jobs/20260131T070500Z-0f3a9c51b2de/job.json',
  'mapping.json.csv',
  ' ',
  '__proto__',
  'constructor',
  `${'x'.repeat(longest - 4)}.csv`,
  `${'ü'.repeat(longest / 2 - 2)}.csv`,
  `\ufeff${'x'.repeat(longest - 3)}`,
  `${'人'.repeat(Math.floor(longest / 3))}`,
  `${'hr/'.repeat(Math.floor(longest / 3))}x`,
];

describe('an upload', () => {
  test.each(names.map((name) => [shown(name), name]))(
    'named %s lands in a job and a report of its own',
    async (_shown, name) => {
      const key = `${incomingPrefix}${name}`;
      const world = newWorld();
      await runIngest(world, await upload(world, 'email\na@acme.example\n', key));
      await runWorkers(world);
      await runReports(world);
      const [jobId] = jobIdsOf(world);
      const keys = [...world.store.texts().keys()];
      const reports = keys.filter((written) => written.startsWith(reportsPrefix)).sort();
      expect(reports).toEqual(files.map((file) => reportKey(key, jobId as JobId, file)));
      const others = keys.filter((written) => written !== key && !reports.includes(written));
      expect(others.filter((written) => !written.split('/').includes(jobId ?? ''))).toEqual([]);
      expect(others.filter((written) => written.startsWith(incomingPrefix))).toEqual([]);
      for (const written of keys) expect(Buffer.byteLength(written)).toBeLessThanOrEqual(ledgerLimits.keyBytesMax);
    },
  );

  test.each(['', '/', '//', 'hr/', 'mapping.json', 'hr/mapping.json'])(
    'is none where its name is “%s”',
    async (name) => {
      const world = newWorld();
      const message = await upload(world, 'email\na@acme.example\n', `${incomingPrefix}${name}`);
      const before = world.store.texts();
      // The mapping of the folder itself, and what stands for a folder.
      expect(await runIngest(world, message)).toEqual({ kind: 'done' });
      expect(world.store.texts()).toEqual(before);
    },
  );

  test('never overwrites the report of another, however alike they are', async () => {
    const world = newWorld();
    for (const name of names) {
      await runIngest(
        world,
        await upload(world, `email\np${shortHash(name)}@acme.example\n`, `${incomingPrefix}${name}`),
      );
      await runWorkers(world);
      await runReports(world);
    }
    const results = [...world.store.texts()].filter(
      ([key]) => key.startsWith(reportsPrefix) && key.endsWith('/results.csv'),
    );
    const ours = results.filter(([, text]) => text.includes('@acme.example'));
    expect(ours).toHaveLength(names.length);
    for (const name of names) {
      const address = `p${shortHash(name)}@acme.example`;
      expect(ours.filter(([, text]) => text.includes(address))).toHaveLength(1);
    }
  });

  test('that is itself a report goes on as an upload', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\na@acme.example\n'));
    const [jobId] = jobIdsOf(world);
    const key = `${incomingPrefix}people.csv/${jobId}/results.csv`;
    await runIngest(world, await upload(world, 'email\nb@acme.example\n', key));
    await runWorkers(world);
    await runReports(world);
    expect([...world.store.texts().keys()].filter((written) => written.endsWith('/summary.json'))).toHaveLength(2);
    expect(world.store.texts().get(key)).toBe('email\nb@acme.example\n');
  });
});

describe('the key of a report', () => {
  const anyName = fc.oneof(
    // What is cut from the beginning of bytes must not lose a mark that is part of the name.
    fc
      .tuple(fc.constantFrom('', '\ufeff', 'ü'), fc.integer({ min: 960, max: 1012 }))
      .map(([first, length]) => first + 'x'.repeat(length)),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1015 }),
    fc.array(fc.constantFrom('..', '.', '', 'a', 'ü', '人', '😀', '%2f', ' ')).map((steps) => steps.join('/')),
  );
  const anyUpload = anyName
    .map((name) => `${incomingPrefix}${name}`)
    .filter((key) => Buffer.byteLength(key) <= ledgerLimits.keyBytesMax && key.isWellFormed());

  function jobIdFor(key: string): JobId {
    return jobIdOf({ bucket: 'people', key, version: 'v1', uploadedAtMs: 0 });
  }

  test('of any upload lies below reports/, is one that S3 takes, and ends in the job and the file', () => {
    fc.assert(
      fc.property(anyUpload, fc.constantFrom(...files), (key, file) => {
        const written = reportKey(key, jobIdFor(key), file);
        expect(written.startsWith(reportsPrefix)).toBe(true);
        expect(written.endsWith(`/${jobIdFor(key)}/${file}`)).toBe(true);
        expect(Buffer.byteLength(written)).toBeLessThanOrEqual(ledgerLimits.keyBytesMax);
        expect(written.isWellFormed()).toBe(true);
        const path = written.slice(reportsPrefix.length, -`/${jobIdFor(key)}/${file}`.length);
        expect(key.slice(incomingPrefix.length).startsWith(path)).toBe(true);
        expect(Buffer.byteLength(mappingKeysBeside(key)[0] ?? '')).toBeLessThanOrEqual(ledgerLimits.keyBytesMax);
      }),
    );
  });

  test('of two uploads is never the same', () => {
    fc.assert(
      fc.property(anyUpload, anyUpload, (one, other) => {
        fc.pre(one !== other);
        expect(reportKey(one, jobIdFor(one), 'results.csv')).not.toBe(reportKey(other, jobIdFor(other), 'results.csv'));
      }),
    );
  });
});

describe('on one machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-keys-'));
  const dataFolder = join(folder, 'data');
  let sandbox: CountingSandbox;
  let host: LocalHost;

  beforeAll(async () => {
    sandbox = await startCountingSandbox();
    const options = { workers: 2, concurrency: 5, invitesGone: false, allowedDomains: [] };
    host = await startLocalHost({ dataFolder, apiUrl: sandbox.url, apiKey: 'test', ...options });
    process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  });

  afterAll(async () => {
    await host.close();
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });

  test('no name of an upload leads out of the data folder, or out of the folder of the report', async () => {
    const odd = ['../../../escaped.csv', '%2e%2e/a+b ü 😀.csv', 'a//b.csv', `${'x'.repeat(longest - 4)}.csv`];
    const uploads = await Promise.all(odd.map(put));
    const ended = new AbortController();
    const running = host.run(ended.signal);
    for (const { key, jobId } of uploads) {
      const summary = reportKey(key, jobId, 'summary.json');
      await expect.poll(() => host.store.head(summary), { timeout: 20_000 }).toBeDefined();
    }
    ended.abort();
    await running;
    for (const { key, jobId, address } of uploads) {
      const out = mkdtempSync(join(folder, 'out-'));
      const summary = await readSummary(host.store, { jobId, source: { key } });
      if (summary === undefined) throw new Error('The report is not whole.');
      const paths = await fetchReport(host.store, { jobId, uploadKey: key }, summary, out);
      expect(paths.map((path) => path.slice(out.length + 1)).sort()).toEqual([...files]);
      expect(readdirSync(out).sort()).toEqual([...files]);
      expect(readFileSync(join(out, 'results.csv'), 'utf8')).toContain(`${address},2,invited`);
    }
    expect(readdirSync(folder).filter((name) => !name.startsWith('out-'))).toEqual(['data']);
    expect(readdirSync(dataFolder).every((name) => /^fauxqs\.db(?:-\w+)?$/u.test(name))).toBe(true);
  });

  async function put(name: string) {
    const key = `${incomingPrefix}${name}`;
    const address = `p${shortHash(name)}@acme.example`;
    await host.s3.send(new PutObjectCommand({ Bucket: host.bucket, Key: key, Body: `email\n${address}\n` }));
    const info = await host.store.head(key);
    if (info === undefined) throw new Error('The upload is not there.');
    const jobId = jobIdOf({ bucket: host.bucket, key, version: info.etag, uploadedAtMs: info.modifiedAtMs });
    return { key, jobId, address };
  }
});

/** A name that a terminal obeys must not do so in the output of the tests either. */
function shown(name: string): string {
  return inertJson(name.length > 60 ? `${name.slice(0, 20)}… (${name.length})` : name);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
