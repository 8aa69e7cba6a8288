/**
 * The functions as a synth ships them to Lambda: its code, its handlers' names and its environment variables, away from this
 * project's packages, each in a fresh process that has nothing else, against the embedded S3 and SQS and a secret with the key.
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
import { functionNames } from '../../infra/functions.ts';
import { incomingPrefix, reportsPrefix } from '../../lambdas/core/keys.ts';
import type { FunctionName, QueueName } from '../../lambdas/core/limits.ts';
import { type CountingSandbox, startCountingSandbox } from '../support/command.ts';
import { type DeployedFunction, deployFunction } from '../support/deployedFunction.ts';
import { type SecretsServer, startSecretsServer } from '../support/secretsServer.ts';
import { type DeployedCode, synthesizeWithBundles } from '../support/synthesized.ts';

const queueOf = { ingest: 'uploads', worker: 'chunks', report: 'reports' } as const satisfies Record<
  FunctionName,
  QueueName
>;
const apiKey = 'only-in-the-secret';
const secretArn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:doit-AbCdEf';
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
let sandbox: CountingSandbox;
let secrets: SecretsServer;
let host: LocalHost;
let synthesized: (name: FunctionName) => DeployedCode;

beforeAll(async () => {
  sandbox = await startCountingSandbox({}, apiKey);
  secrets = await startSecretsServer();
  secrets.value = apiKey;
  host = await startLocalHost({
    dataFolder: join(folder, 'data'),
    apiUrl: sandbox.url,
    apiKey: 'not this one',
    workers: 2,
    concurrency: 5,
    invitesGone: false,
    allowedDomains: [],
    retryDelaySeconds: 0.01,
  });
  synthesized = await synthesizeWithBundles(folder);
});

afterAll(async () => {
  await host.close();
  secrets.close();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** As it would be deployed, but that the world around it is of this machine. */
function codeOf(name: FunctionName): DeployedCode {
  const { environment, ...code } = synthesized(name);
  const variables = Object.entries(environment).map(([variable, value]) => [variable, local(value)]);
  const ofAws = Object.entries(process.env).filter(([variable]) => variable.startsWith('AWS_'));
  return {
    ...code,
    environment: {
      ...Object.fromEntries(variables),
      ...Object.fromEntries(ofAws),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
      ...(name === 'report' ? {} : { BULK_INVITE_API_URL: sandbox.url }),
      ...(name === 'worker' ? { BULK_INVITE_RETRY_DELAY_SECONDS: '0.01' } : {}),
    },
  };
}

/** With the names of this machine in the place of references. */
function local(value: string): string {
  return value
    .replace(/^<Bucket\w+>$/u, host.bucket)
    .replace(/^<(Uploads|Chunks|Reports)Queue\w+>$/u, (_, queue: string) => queueUrl(queue))
    .replace(/^<ApiKey>$/u, secretArn)
    .replace('<AWS::StackName>', 'bulk-invite');
}

function queueUrl(queue: string): string {
  return process.env[`BULK_INVITE_${queue.toUpperCase()}_QUEUE_URL`] ?? '';
}

async function run(functions: readonly DeployedFunction[], signal: AbortSignal): Promise<void> {
  const sqs = new SQSClient();
  const sources = functionNames.map((functionName, index) => ({
    functionName,
    queueUrl: queueUrl(queueOf[functionName]),
    handler: functions[index]?.handler ?? (() => Promise.reject(new Error('There is no such function.'))),
    concurrency: 1,
    timeLimitMs: 300_000,
  }));
  await Promise.all(sources.map((source) => runEventSource(sqs, source, signal)));
  sqs.destroy();
}

/** The files of the only report of an upload, by name, as far as they are there. */
async function reportFiles(upload: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { key } of host.store.list(`${reportsPrefix}${upload}/`)) {
    const info = await host.store.head(key);
    const bytes = info === undefined ? undefined : await host.store.readBytes(info);
    files.set(key.split('/').at(-1) ?? '', bytes === undefined ? '' : await text(bytes));
  }
  return files;
}

/** From the example, uploaded under this name, to its report. */
async function reportOf(upload: string): Promise<Map<string, string>> {
  const Body = readFileSync(example);
  await host.s3.send(new PutObjectCommand({ Bucket: host.bucket, Key: `${incomingPrefix}${upload}`, Body }));
  const isWhole = async () => [...(await reportFiles(upload)).keys()];
  await expect.poll(isWhole, { timeout: 30_000 }).toContain('summary.json');
  return await reportFiles(upload);
}

/** Where invitations and resendings go. */
const inviting = /users\/invite|actions\/resend/u;

describe('the bundled functions at work', () => {
  const stop = new AbortController();
  let functions: readonly DeployedFunction[] = [];
  let running = Promise.resolve();

  beforeAll(async () => {
    functions = await Promise.all(functionNames.map((name) => deployFunction(codeOf(name))));
    running = run(functions, stop.signal);
  });

  afterAll(async () => {
    stop.abort();
    await running;
    for (const deployed of functions) deployed.stop();
  });

  test('call nothing but reads for a dry run, and the one that reads could call nothing else', async () => {
    const before = [...sandbox.organization.users()];
    const files = await reportOf('dry-run/every-status.csv');
    const results: Record<string, string>[] = parse(files.get('results.csv') ?? '', { columns: true, bom: true });
    const dry = expected.map((end) => (/^(?:invited|rejected|failed|unknown):/u.test(end) ? 'would_invite' : end));
    expect(results.map(({ invite_status, invite_code }) => `${invite_status}: ${invite_code}`)).toEqual(
      dry.map((end) => (end === 'would_invite' ? 'would_invite: would_invite' : end)),
    );
    expect(new Set(sandbox.calls)).toEqual(
      new Set(['GET /auth/v1/validate', 'GET /iam/v1/users', 'GET /iam/v1/roles', 'GET /iam/v1/organizations']),
    );
    expect([...sandbox.organization.users()]).toEqual(before);
    const textOf = (name: FunctionName) => readFileSync(join(synthesized(name).folder, 'index.mjs'), 'utf8');
    expect(functionNames.filter((name) => inviting.test(textOf(name)))).toEqual(['worker']);
  });

  test('carry an upload through to its report, on the Node of Lambda, with the key of the secret', async () => {
    expect(process.versions.node).toMatch(/^24\./u);
    const files = await reportOf('every-status.csv');
    const results: Record<string, string>[] = parse(files.get('results.csv') ?? '', { columns: true, bom: true });
    expect(results.map(({ invite_status, invite_code }) => `${invite_status}: ${invite_code}`)).toEqual(expected);
    expect(results.map(({ invite_row }) => Number(invite_row))).toEqual(expected.map((_, index) => index + 2));
    const lines = readFileSync(example, 'utf8').split('\n');
    expect(files.get('retry.csv')).toBe(`${[lines[0], lines[11], lines[12]].join('\n')}\n`);
    expect(JSON.parse(files.get('summary.json') ?? '')).toMatchObject({ state: 'completed', rows: expected.length });
    expect(files.get('report.html')).toContain('every-status.csv');
    expect(sandbox.organization.find('nadia.quist@northlight.example')).toMatchObject({ status: 'invited' });
  });
});

describe('the bundled functions', () => {
  test('say which setting is missing, and name our own file and line', async () => {
    const code = codeOf('worker');
    const { BULK_INVITE_BUCKET: _bucket, ...environment } = code.environment;
    const loading = deployFunction({ ...code, environment });
    await expect(loading).rejects.toThrow('BULK_INVITE_BUCKET');
    await expect(loading).rejects.toThrow(/lambdas\/adapters\/settings\.ts:\d+/u);
  });

  test.each(functionNames)('%s is so small that it loads quickly', (name) => {
    expect(statSync(join(synthesized(name).folder, 'index.mjs')).size).toBeLessThan(bundleBytesMax);
  });
});
