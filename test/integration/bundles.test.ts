/**
 * The functions as they are shipped to Lambda: bundled, away from this project's packages, each in a fresh process that has
 * nothing but its environment variables, against the embedded S3 and SQS.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runEventSource } from '../../cli/local/eventSource.ts';
import { type LocalHost, startLocalHost } from '../../cli/local/localHost.ts';
import { bundleHandler, nodeOptions } from '../../infra/bundling.ts';
import { reportsPrefix } from '../../lambdas/core/keys.ts';
import { type CountingSandbox, startCountingSandbox } from '../support/command.ts';
import { type DeployedFunction, deployFunction } from '../support/deployedFunction.ts';

const names = ['ingest', 'worker', 'report'] as const;
const queues = { ingest: 'UPLOADS', worker: 'CHUNKS', report: 'REPORTS' } as const;
const bundleBytesMax = 1_200_000;
const example = join(import.meta.dirname, '..', '..', 'examples', 'every-status.csv');

/** What becomes of the rows of the example. */
const expected = [
  'invited: created',
  'invited: created',
  'already_active: already_active',
  'already_invited: already_invited',
  'already_exists: already_exists',
  'duplicate: duplicate',
  'invalid: email_invalid',
  'invalid: email_missing',
  'invalid: unknown_role',
  'rejected: refused_by_api',
  'failed: retries_exhausted',
  'unknown: retries_exhausted',
  'invalid: too_few_cells',
];

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-bundles-'));
const bundleOf = (name: (typeof names)[number]) => join(folder, name, 'index.mjs');
let sandbox: CountingSandbox;
let host: LocalHost;

beforeAll(async () => {
  sandbox = await startCountingSandbox();
  host = await startLocalHost({
    dataFolder: join(folder, 'data'),
    apiUrl: sandbox.url,
    apiKey: 'test',
    workers: 2,
    concurrency: 5,
    invitesGone: false,
    allowedDomains: [],
    retryDelaySeconds: 0.01,
  });
  await Promise.all(names.map((name) => bundleHandler(name, join(folder, name))));
});

afterAll(async () => {
  await host.close();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** What the host has set for the functions, and nothing else of this process. */
function environment(): Record<string, string> {
  const isTheirs = (name: string) => /^(?:BULK_INVITE|AWS|DCI|POWERTOOLS)_/u.test(name);
  const theirs = Object.entries(process.env).filter(([name]) => isTheirs(name));
  return { ...Object.fromEntries(theirs), NODE_OPTIONS: nodeOptions } as Record<string, string>;
}

async function run(functions: readonly DeployedFunction[], signal: AbortSignal): Promise<void> {
  const sqs = new SQSClient();
  const sources = names.map((functionName, index) => ({
    functionName,
    queueUrl: process.env[`BULK_INVITE_${queues[functionName]}_QUEUE_URL`] ?? '',
    handler: functions[index]?.handler ?? (() => Promise.reject(new Error('There is no such function.'))),
    concurrency: 1,
    timeLimitMs: 300_000,
  }));
  await Promise.all(sources.map((source) => runEventSource(sqs, source, signal)));
  sqs.destroy();
}

/** The files of the only report, by name, once it is whole. */
async function reportFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { key } of host.store.list(reportsPrefix)) {
    const info = await host.store.head(key);
    const bytes = info === undefined ? undefined : await host.store.readBytes(info);
    files.set(key.split('/').at(-1) ?? '', bytes === undefined ? '' : await text(bytes));
  }
  return files;
}

describe('the bundled functions', () => {
  test('carry an upload through to its report, on the Node of Lambda', async () => {
    expect(process.versions.node).toMatch(/^24\./u);
    const functions = await Promise.all(names.map((name) => deployFunction(bundleOf(name), environment())));
    const stop = new AbortController();
    const running = run(functions, stop.signal);
    try {
      const Body = readFileSync(example);
      await host.s3.send(new PutObjectCommand({ Bucket: host.bucket, Key: 'incoming/every-status.csv', Body }));
      await expect.poll(async () => [...(await reportFiles()).keys()], { timeout: 30_000 }).toContain('summary.json');
    } finally {
      stop.abort();
      await running;
      for (const deployed of functions) deployed.stop();
    }

    const files = await reportFiles();
    const results: Record<string, string>[] = parse(files.get('results.csv') ?? '', { columns: true, bom: true });
    expect(results.map(({ invite_status, invite_code }) => `${invite_status}: ${invite_code}`)).toEqual(expected);
    expect(results.map(({ invite_row }) => Number(invite_row))).toEqual(expected.map((_, index) => index + 2));
    const lines = readFileSync(example, 'utf8').split('\n');
    expect(files.get('retry.csv')).toBe(`${[lines[0], lines[11], lines[12]].join('\n')}\n`);
    expect(JSON.parse(files.get('summary.json') ?? '')).toMatchObject({ state: 'completed', rows: expected.length });
    expect(files.get('report.html')).toContain('every-status.csv');
    expect(sandbox.organization.find('nadia.quist@northlight.example')).toMatchObject({ status: 'invited' });
  });

  test('say which setting is missing, and name our own file and line', async () => {
    const { BULK_INVITE_BUCKET: _bucket, ...rest } = environment();
    const loading = deployFunction(bundleOf('worker'), rest);
    await expect(loading).rejects.toThrow('BULK_INVITE_BUCKET');
    await expect(loading).rejects.toThrow(/lambdas\/adapters\/settings\.ts:\d+/u);
  });

  test.each(names)('%s is so small that it loads quickly', (name) => {
    expect(statSync(bundleOf(name)).size).toBeLessThan(bundleBytesMax);
  });
});
