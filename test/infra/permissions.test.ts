/**
 * What each function may do, compared with what it asks for in a full run of the handlers against the embedded services:
 * nothing is missing, and nothing is too much.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalHost, startLocalHost } from '../../cli/local/localHost.ts';
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import { approvalKey, jobKey, stopKey } from '../../lambdas/core/keys.ts';
import type { FunctionName, QueueName } from '../../lambdas/core/limits.ts';
import { type Approval, writeApproval } from '../../lambdas/ledger/approval.ts';
import { type Job, readJob } from '../../lambdas/ledger/job.ts';
import { type RosterMessage, rosterMessage } from '../../lambdas/ledger/messages.ts';
import { type Stop, writeStop } from '../../lambdas/ledger/stop.ts';
import { type CountingSandbox, startCountingSandbox } from '../support/command.ts';
import { type Recorder, recordCalls, versionId } from '../support/recordedCalls.ts';
import { type SecretsServer, startSecretsServer } from '../support/secretsServer.ts';
import { allows, type Call, type Permission, permissionsIn, statementsOf } from '../support/statements.ts';
import { synthesize } from '../support/synthesized.ts';

const functionOf = { uploads: 'ingest', chunks: 'worker', reports: 'report' } as const satisfies Record<
  QueueName,
  FunctionName
>;
const queues = Object.keys(functionOf) as QueueName[];
const functions = Object.values(functionOf);
const secretArn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:doit-AbCdEf';

/** A job that is released waits until the workers of all other jobs have seen it. Here are none. */
vi.mock(import('../../lambdas/adapters/systemClock.ts'), async (load) => {
  const { systemClock } = await load();
  const sleepMsMax = 100;
  const sleep: typeof systemClock.sleep = (ms, signal) => systemClock.sleep(Math.min(ms, sleepMsMax), signal);
  return { systemClock: { ...systemClock, sleep } };
});

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-permissions-'));
const context = {
  awsRequestId: 'test',
  functionName: 'test',
  getRemainingTimeInMillis: () => 300_000,
} as Context;

let sandbox: CountingSandbox;
let secrets: SecretsServer;
let host: LocalHost;
let sqs: SQSClient;
let recorder: Recorder;

beforeAll(async () => {
  sandbox = await startCountingSandbox({}, 'right-key');
  secrets = await startSecretsServer();
  host = await startLocalHost({
    dataFolder: folder,
    apiUrl: sandbox.url,
    apiKey: 'unused',
    workers: 2,
    concurrency: 5,
    invitesGone: false,
    allowedDomains: [],
  });
  process.env['BULK_INVITE_API_KEY_SECRET_ARN'] = secretArn;
  process.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] = secrets.url;
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  recorder = recordCalls();
  sqs = new SQSClient();
  await runEverything();
});

afterAll(async () => {
  recorder.stop();
  sqs.destroy();
  await host.close();
  secrets.close();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** Every way that a handler can go without a crash of the world around it. */
async function runEverything(): Promise<void> {
  const people = (job: string) =>
    `email\n${Array.from({ length: 12 }, (_, row) => `p${row}.${job}@acme.example\n`).join('')}`;

  secrets.value = 'right-key';
  await put('incoming/mapping.json', '{"email": "email"}');
  // Sees the key refused while it is working: the job stops itself.
  await put('incoming/stopped.csv', people('stopped'));
  await run('uploads');
  secrets.value = 'wrong-key';
  await run('chunks');
  await run('reports');

  // The worker finds the right key after a refusal.
  secrets.value = 'right-key';
  await put('incoming/hr/people.csv', people('good'));
  const events = await run('uploads');
  // Cut off before the manifest, so all that was written before is found again.
  for await (const { key } of host.store.list('jobs/')) if (key.endsWith('/manifest.json')) await remove(key);
  for (const event of events) await handle('uploads', event);
  await run('chunks');
  await run('reports');
  // The event once more when all is done.
  for (const event of events) await handle('uploads', event);

  // Deleted for good, before it was read and before it was reported.
  await put('incoming/soon-gone.csv', people('soon-gone'));
  await remove('incoming/soon-gone.csv');
  await run('uploads');
  await put('incoming/later-gone.csv', people('later-gone'));
  await run('uploads');
  await run('chunks');
  await remove('incoming/later-gone.csv');
  await run('reports');

  // The mapping names a column that it does not have.
  await put('incoming/no-email.csv', 'name\nAda\n');
  await run('uploads');
  await run('reports');

  await runHeldJobs(people);
  await runRoster();

  for (const queue of queues) {
    await send(queue, '{"something":"else"}');
    await run(queue);
  }
}

/** One that is approved, one that is rejected, and one that is only tried. */
async function runHeldJobs(people: (job: string) => string): Promise<void> {
  const holdAboveNobody = { 'new-people-max': '0' };
  await put('incoming/approved.csv', people('approved'), holdAboveNobody);
  await runAll();
  await approve('incoming/approved.csv');
  await runAll();

  await put('incoming/rejected.csv', people('rejected'), holdAboveNobody);
  await runAll();
  await stop('incoming/rejected.csv');
  await runAll();

  await put('incoming/dry-run/people.csv', people('dry-run'));
  await runAll();
}

/** Rosa was invited before. */
async function runRoster(): Promise<void> {
  const rosa = 'email\nrosa.figueroa@northlight.example\n';
  const runOf = async (day: number, options: Partial<RosterMessage['roster']> = {}) => {
    const roster = { name: 'acme', key: 'incoming/rosters/acme.csv', ...options };
    await send('uploads', rosterMessage({ roster, scheduledAt: `2026-03-0${day}T04:30:00Z` }));
    await runAll();
  };
  // Nothing is there yet.
  await runOf(1);
  await put('incoming/rosters/acme.csv', `${rosa}new.one@acme.example\n`);
  await runOf(2);
  // What was seen to be open by the run before is sent again.
  await runOf(3, { resendAfterMs: 1 });
  await put('incoming/rosters/acme.csv', `${rosa}new.one@acme.example\nnew.two@acme.example\n`);
  await runOf(4, { newPeopleMax: 0 });
  // Nobody has approved that run, so this one takes its place.
  await runOf(5);
  await announce(stopKey(await lastJobOf('incoming/rosters/acme.csv', -1)));
  await runAll();
}

async function put(Key: string, Body: string, Metadata: Record<string, string> = {}): Promise<void> {
  await host.s3.send(new PutObjectCommand({ Bucket: host.bucket, Key, Body, Metadata }));
}

async function send(queue: QueueName, MessageBody: string): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: urlOf(queue), MessageBody }));
}

async function approve(uploadKey: string): Promise<void> {
  const approval: Approval = { jobId: await lastJobOf(uploadKey), by: 'ada', atMs: Date.now() };
  await writeApproval(host.store, approval);
  await announce(approvalKey(approval.jobId));
}

async function stop(uploadKey: string): Promise<void> {
  const jobId = await lastJobOf(uploadKey);
  const rejection: Stop = { code: 'not_approved', message: 'Ada rejected it.', by: 'ada', atMs: Date.now() };
  await writeStop(host.store, jobId, rejection);
  await announce(stopKey(jobId));
}

/** @param before How many jobs before the last one. */
async function lastJobOf(uploadKey: string, before = 0): Promise<JobId> {
  const jobs: Job[] = [];
  for await (const { key } of host.store.list('jobs/')) {
    const jobId = parseJobId(key.split('/')[1] ?? '');
    const job = jobId !== undefined && key === jobKey(jobId) ? await readJob(host.store, jobId) : undefined;
    if (job?.source.key === uploadKey) jobs.push(job);
  }
  const found = jobs.at(-1 + before);
  if (found === undefined) throw new Error(`There is no job of ${uploadKey}.`);
  return found.jobId;
}

/** As S3 does it. */
async function announce(key: string): Promise<void> {
  const record = { eventName: 'ObjectCreated:Put', s3: { object: { key, eTag: 'any' } } };
  await send('uploads', JSON.stringify({ Records: [record] }));
}

async function remove(Key: string): Promise<void> {
  await host.s3.send(new DeleteObjectCommand({ Bucket: host.bucket, Key }));
}

async function runAll(): Promise<void> {
  for (const queue of queues) await run(queue);
}

/** Hands every message of a queue to its function, and gives them. */
async function run(queue: QueueName): Promise<SQSEvent[]> {
  const events: SQSEvent[] = [];
  for (let event = await receive(queue); event !== undefined; event = await receive(queue)) {
    events.push(event);
    await handle(queue, event);
  }
  return events;
}

async function receive(queue: QueueName): Promise<SQSEvent | undefined> {
  const input = { QueueUrl: urlOf(queue), MessageSystemAttributeNames: ['All' as const] };
  const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand(input));
  if (message === undefined) return undefined;
  const { MessageId: messageId, ReceiptHandle: receiptHandle, Body = '', Attributes: attributes } = message;
  const body = Body.replaceAll('"eTag":', `"versionId":"${versionId}","eTag":`);
  return { Records: [{ messageId, receiptHandle, body, attributes }] } as unknown as SQSEvent;
}

async function handle(queue: QueueName, event: SQSEvent): Promise<void> {
  const name = functionOf[queue];
  const { handler } = await import(`../../lambdas/${name}/handler.ts`);
  await recorder.as(name, () => handler(event, context));
}

function urlOf(queue: QueueName): string {
  return process.env[`BULK_INVITE_${queue.toUpperCase()}_QUEUE_URL`] ?? '';
}

const synthesized = synthesize({ apiKeySecretArn: secretArn });

/** With the names of the local run in the place of references. */
function permissionsOf(name: FunctionName): Permission[] {
  const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
  const [, role] = synthesized.ofType('AWS::IAM::Role').find(([roleId]) => roleId.startsWith(id)) ?? [];
  const policies = role?.Properties['Policies'] as { PolicyDocument: unknown }[];
  const statements = policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument));
  return permissionsIn(statements).map(({ resource, ...permission }) => ({ ...permission, resource: local(resource) }));
}

function local(resource: string): string {
  return resource
    .replace(/^<Bucket\w+\.Arn>/u, 'bucket')
    .replace(/^<(Uploads|Chunks|Reports)Queue\w+\.Arn>$/u, (_, queue: string) =>
      urlOf(queue.toLowerCase() as QueueName),
    );
}

const describeCall = ({ action, resource, prefix = '' }: Call) => `${action} ${resource} ${prefix}`.trim();

/** What is used by others than the handlers, or where something goes wrong that does not go wrong in the run above. */
const usedElsewhere: readonly (readonly [what: RegExp, by: string])[] = [
  [/^sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes) /u, 'Lambda itself, which feeds the function'],
  [/^logs:(CreateLogStream|PutLogEvents) <\w+Logs\w+\.Arn>$/u, 'Lambda itself, which writes the logs'],
  [/^xray:(PutTraceSegments|PutTelemetryRecords) \*$/u, 'Lambda itself, which writes the traces'],
  [
    /^s3:ListBucket bucket rosters\/\*$/u,
    'the report, where somebody has deleted what a run had found: a missing object is 404 then',
  ],
  [/^s3:AbortMultipartUpload /u, 'the SDK, where the upload of a large object fails in the middle'],
];

describe.each(functions)('%s', (name) => {
  test('may do all that it does', () => {
    const permissions = permissionsOf(name);
    const calls = recorder.calls[name];
    expect(calls.length).toBeGreaterThan(20);
    const missing = calls.filter((call) => !permissions.some((permission) => allows(permission, call)));
    expect([...new Set(missing.map(describeCall))]).toEqual([]);
  });

  test('may do nothing that it does not do', () => {
    const unused = permissionsOf(name).filter(
      (permission) => !recorder.calls[name].some((call) => allows(permission, call)),
    );
    const unexplained = unused
      .map(describeCall)
      .filter((permission) => !usedElsewhere.some(([what]) => what.test(permission)));
    expect(unexplained).toEqual([]);
  });

  test('may abort only the uploads that it may begin', () => {
    const permissions = permissionsOf(name);
    const abortable = permissions
      .filter(({ action }) => action === 's3:AbortMultipartUpload')
      .map(({ resource }) => resource);
    const writable = permissions.filter(({ action }) => action === 's3:PutObject').map(({ resource }) => resource);
    expect(abortable.length).toBeGreaterThan(0);
    expect(abortable.filter((resource) => !writable.includes(resource))).toEqual([]);
  });

  test('may delete nothing, change no setting, and take from no queue but its own', () => {
    const permissions = permissionsOf(name);
    const harmless =
      /^(s3:(GetObject|GetObjectVersion|PutObject|AbortMultipartUpload|ListBucket|ListBucketVersions)|sqs:(SendMessage|ReceiveMessage|DeleteMessage|GetQueueAttributes|ChangeMessageVisibility)|secretsmanager:GetSecretValue|logs:(CreateLogStream|PutLogEvents)|xray:(PutTraceSegments|PutTelemetryRecords))$/u;
    expect(permissions.filter(({ action }) => !harmless.test(action))).toEqual([]);
    const taking = permissions.filter(({ action }) => /^sqs:(Receive|Delete|Change)/u.test(action));
    const own = queues.find((queue) => functionOf[queue] === name) ?? 'uploads';
    expect(new Set(taking.map(({ resource }) => resource))).toEqual(new Set([urlOf(own)]));
  });
});

describe('no function goes beyond its part', () => {
  const may = (name: FunctionName, call: Call) => permissionsOf(name).some((permission) => allows(permission, call));
  const putTo = (key: string): Call => ({ action: 's3:PutObject', resource: `bucket/${key}` });
  const sendTo = (queue: QueueName): Call => ({ action: 'sqs:SendMessage', resource: urlOf(queue) });

  test('ingest and worker write no reports, and nobody writes uploads', () => {
    for (const name of ['ingest', 'worker'] as const)
      expect(may(name, putTo('reports/a.csv/job/results.csv'))).toBe(false);
    for (const name of functions) expect(may(name, putTo('incoming/a.csv'))).toBe(false);
    expect(may('report', putTo('reports/a.csv/job/results.csv'))).toBe(true);
  });

  test('only ingest makes jobs, only ingest and report remember rosters, and the report function stops no job', () => {
    for (const key of ['jobs/1/job.json', 'jobs/1/manifest.json', 'jobs/1/drift.jsonl'])
      expect(functions.filter((name) => may(name, putTo(key)))).toEqual(['ingest']);
    for (const key of ['rosters/acme/run.json', 'rosters/acme/open.json'])
      expect(functions.filter((name) => may(name, putTo(key)))).toEqual(['ingest', 'report']);
    expect(functions.filter((name) => may(name, putTo('jobs/1/stop.json')))).toEqual(['ingest', 'worker']);
  });

  test('only the worker notes whose invitation it sends again', () => {
    expect(functions.filter((name) => may(name, putTo('resent/1.json')))).toEqual(['worker']);
  });

  test('nobody approves a job', () => {
    expect(functions.filter((name) => may(name, putTo('jobs/1/approval.json')))).toEqual([]);
  });

  test('only ingest hands out chunks, and nobody announces uploads', () => {
    expect(functions.filter((name) => may(name, sendTo('chunks')))).toEqual(['ingest']);
    expect(functions.filter((name) => may(name, sendTo('uploads')))).toEqual([]);
    expect(functions.filter((name) => may(name, sendTo('reports')))).toEqual(['ingest', 'worker']);
  });

  test('the report function does not see the key', () => {
    const readKey: Call = { action: 'secretsmanager:GetSecretValue', resource: secretArn };
    expect(functions.filter((name) => may(name, readKey))).toEqual(['ingest', 'worker']);
  });

  test('who reads uploads is told when one is missing, and looks for old versions of nothing else', () => {
    const seeMissing = (action: string, prefix: string) =>
      functions.filter((name) => may(name, { action, resource: 'bucket', prefix }));
    for (const action of ['s3:ListBucket', 's3:ListBucketVersions'])
      expect(seeMissing(action, 'incoming/hr/people.csv')).toEqual(['ingest', 'report']);
    for (const key of ['jobs/1/job.json', 'reports/a.csv/1/summary.json', 'begun/1', 'incoming', ''])
      expect(seeMissing('s3:ListBucketVersions', key)).toEqual([]);
  });

  test('the worker does not read uploads', () => {
    expect(may('worker', { action: 's3:GetObject', resource: 'bucket/incoming/a.csv' })).toBe(false);
    expect(may('worker', { action: 's3:ListBucket', resource: 'bucket', prefix: 'incoming/' })).toBe(false);
  });
});

test('the worker knows the key before it looks at a chunk, so that no call waits for it under a lease', () => {
  expect(recorder.calls.worker[0]).toEqual({ action: 'secretsmanager:GetSecretValue', resource: secretArn });
});

test('the run was a whole one: jobs that ended well, were approved and rejected, stopped, and never began', async () => {
  const ended: Record<string, string> = {};
  for await (const { key } of host.store.list('reports/')) {
    if (!key.endsWith('/summary.json')) continue;
    const found = await host.store.readText(key, 1_000_000);
    const { state, error, counts, approval, source, roster } = JSON.parse(found?.text ?? '{}');
    const settled = Object.entries(counts).flatMap(([status, rows]) => (rows === 0 ? [] : [`${rows} ${status}`]));
    const name = roster === undefined ? source.name : `${source.name} ${roster.scheduledAt.slice(0, 10)}`;
    ended[name] = [state, error?.code, approval?.by, ...settled].filter((part) => part !== undefined).join(', ');
  }
  expect(ended).toEqual({
    'stopped.csv': 'failed, key_refused, 12 not_attempted',
    'hr/people.csv': 'completed, 12 invited',
    'later-gone.csv': 'completed, 12 invited',
    'no-email.csv': 'failed, unknown_mapping, 1 not_attempted',
    'approved.csv': 'completed, ada, 12 invited',
    'rejected.csv': 'cancelled, not_approved, 12 not_attempted',
    'dry-run/people.csv': 'completed, 12 would_invite',
    'rosters/acme.csv 2026-03-01': 'failed, roster_missing',
    'rosters/acme.csv 2026-03-02': 'completed, 1 invited, 1 already_invited',
    'rosters/acme.csv 2026-03-03': 'completed, 1 already_invited, 1 resent',
    'rosters/acme.csv 2026-03-04': 'cancelled, superseded, 2 already_invited, 1 not_attempted',
    'rosters/acme.csv 2026-03-05': 'completed, 1 invited, 2 already_invited',
  });
});
