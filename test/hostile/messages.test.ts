/**
 * Messages that are not ours, cut off, or of a version that is yet to come: none of them starts, changes or ends anything.
 */
import type { Context, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { consume } from '../../lambdas/consume.ts';
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import { parseJobId } from '../../lambdas/core/jobId.ts';
import { chunkMessage, reportMessage } from '../../lambdas/ledger/messages.ts';
import { jobIdsOf, reportFiles, runIngest, runReports, runWorkers, upload, useCasesOf } from '../support/wholeJob.ts';
import { invocation, newWorld, type World } from '../support/world.ts';

type Queue = 'uploads' | 'chunks' | 'reports';

const queues = ['uploads', 'chunks', 'reports'] as const satisfies readonly Queue[];

/** A job between ingest and its workers: a message that is half heeded would show. */
let world: World;
/** What each queue carries for that job. */
let ours: Readonly<Record<Queue, string>>;

beforeEach(async () => {
  world = newWorld();
  const event = await upload(world, 'email\na@acme.example\nb@acme.example\n');
  await runIngest(world, event);
  const [jobId] = jobIdsOf(world);
  if (jobId === undefined) throw new Error('There is no job.');
  ours = { uploads: event, chunks: chunkMessage(jobId, 0), reports: reportMessage(jobId) };
});

/** Everything that a message could have changed. */
function stateOf({ store, chunksQueue, reportsQueue, api }: World) {
  return structuredClone([store.texts(), chunksQueue.bodies, reportsQueue.bodies, api.calls, [...api.users]]);
}

/** It is the message that is refused, not what it seems to name. */
const refusal = /^(?:A message of the \w+ queue|A record of an S3 event|The key in a record of an S3 event) is not /u;

async function expectRefused(queue: Queue, body: string): Promise<void> {
  const before = stateOf(world);
  const handling = useCasesOf(world)[queue](body, invocation('a'));
  await expect(handling, body.slice(0, 200)).rejects.toThrow(BrokenInvariant);
  await expect(handling, body.slice(0, 200)).rejects.toThrow(refusal);
  expect(stateOf(world)).toEqual(before);
}

const notOurs: readonly (readonly [what: string, body: string])[] = [
  ['nothing', ''],
  ['a line of CSV', 'email,name\na@acme.example,Ada'],
  ['null', 'null'],
  ['a number', '0'],
  ['a text', '"20260131T070500Z-0f3a9c51b2de"'],
  ['a list', '[]'],
  ['an empty object', '{}'],
  ['a message of somebody else', '{"Type":"Notification","Message":"{}","TopicArn":"arn:aws:sns:eu-west-1:1:x"}'],
  ['a prototype', '{"__proto__":{"jobId":"20260131T070500Z-0f3a9c51b2de","chunk":0,"Records":[]}}'],
  ['a million brackets', '['.repeat(500_000) + ']'.repeat(500_000)],
  ['a megabyte of text', JSON.stringify('x'.repeat(1024 * 1024 - 2))],
  [
    'an object with a hundred thousand members',
    JSON.stringify(Object.fromEntries([...Array(100_000).keys()].entries())),
  ],
];

describe.each(queues)('in the %s queue', (queue) => {
  test.each(notOurs)('%s is refused', async (_what, body) => {
    await expectRefused(queue, body);
  });

  test('the message of another queue is refused', async () => {
    for (const other of queues) if (other !== queue) await expectRefused(queue, ours[other]);
  });

  test('a message that was cut off is refused, wherever the cut is', async () => {
    for (let length = 0; length < ours[queue].length; length += 1)
      await expectRefused(queue, ours[queue].slice(0, length));
  });

  test('a message that is not ours comes again, and the one beside it is handled', async () => {
    const handler = consume(useCasesOf(world)[queue], { hide: async () => undefined }, world.log, world.metrics);
    const records = [record('not ours', '{"future":true}'), record('ours', ours[queue])];
    expect((await handler({ Records: records }, context)).batchItemFailures).toEqual([{ itemIdentifier: 'not ours' }]);
  });

  test('any JSON, and any text, is refused or changes nothing but what our own message would', async () => {
    const anyBody = fc.oneof(fc.json(), fc.string({ unit: 'binary' }), damaged(ours[queue]));
    const bodies = fc.sample(anyBody, { numRuns: 150, seed: 20_260_131 });
    for (const body of bodies) {
      await useCasesOf(world)
        [queue](body, invocation('a'))
        .catch((error: unknown) => {
          expect(error, JSON.stringify(body)).toBeInstanceOf(BrokenInvariant);
        });
    }
    await runWorkers(world);
    await runReports(world);
    expect(world.api.calls.filter((call) => call.startsWith('invite_user')).sort()).toEqual([
      'invite_user a@acme.example',
      'invite_user b@acme.example',
    ]);
    expect(reportFiles(world).summary).toMatchObject({ rows: 2, counts: { invited: 2 } });
    expect(jobIdsOf(world)).toHaveLength(1);
  });
});

describe('a message of a version that is yet to come', () => {
  const jobId = parseJobId('20260131T070500Z-0f3a9c51b2de');

  test.each([
    ['with a field more', 'chunks', { jobId, chunk: 0, dryRun: true }],
    ['with a field less', 'chunks', { jobId }],
    ['with another type', 'chunks', { jobId, chunk: '0' }],
    ['with a chunk between two', 'chunks', { jobId, chunk: 0.5 }],
    ['with a chunk beyond all numbers', 'chunks', { jobId, chunk: 2 ** 53 }],
    ['with another kind of job id', 'chunks', { jobId: `${jobId}-2`, chunk: 0 }],
    ['with a job id that leads elsewhere', 'chunks', { jobId: '../20260131T070500Z-0f3a9c51b2de', chunk: 0 }],
    ['with a job id and a line break', 'reports', { jobId: `${jobId}\n` }],
    ['with several jobs', 'reports', { jobId: [jobId] }],
    ['with a format', 'reports', { jobId, format: 'pdf' }],
    ['with an object less', 'uploads', { Records: [{ eventName: 'ObjectCreated:Put', s3: {} }] }],
    [
      'with a key that is none',
      'uploads',
      { Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key: 1, eTag: 'x' } } }] },
    ],
  ] as const)('is refused: %s', async (_what, queue, body) => {
    await expectRefused(queue, JSON.stringify(body));
  });

  test('does not even have its sound records handled where one is not', async () => {
    const [sound] = JSON.parse(ours.uploads).Records;
    const broken = { ...sound, s3: { object: { ...sound.s3.object, key: 'incoming/%ZZ.csv' } } };
    await expectRefused('uploads', JSON.stringify({ Records: [sound, broken] }));
  });

  test('is told in words that name the place and quote nothing of it', async () => {
    const body = JSON.stringify({ jobId, chunk: { 'ada@acme.example': 'Ada' }, 'ada@acme.example': 1 });
    const refused = useCasesOf(world).chunks(body, invocation('a'));
    await expect(refused).rejects.toThrow(
      'A message of the chunks queue is not what was expected: chunk (invalid_type), the whole (unrecognized_keys).',
    );
  });
});

/** The text with one bit turned over, or with a piece missing or put in. */
function damaged(text: string): fc.Arbitrary<string> {
  const place = fc.nat(text.length - 1);
  return fc.oneof(
    fc.tuple(place, fc.nat(6)).map(([at, bit]) => {
      const bytes = Buffer.from(text);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      return bytes.toString();
    }),
    fc.tuple(place, place).map(([from, to]) => text.slice(0, from) + text.slice(to)),
  );
}

function record(messageId: string, body: string): SQSRecord {
  return { messageId, receiptHandle: messageId, body, attributes: { ApproximateReceiveCount: '1' } } as SQSRecord;
}

const context = { awsRequestId: 'a', getRemainingTimeInMillis: () => 300_000 } as Context;
