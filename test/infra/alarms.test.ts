/**
 * Whether the alarms are heard: the functions publish, a manual clock goes on, and each alarm of the template looks at that as
 * CloudWatch does: every minute, at periods that end now.
 */
import type { Context, SQSEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { consume } from '../../lambdas/consume.ts';
import type { InviteAnswer } from '../../lambdas/core/answers.ts';
import type { Chunk } from '../../lambdas/core/chunk.ts';
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import {
  type FunctionName,
  functionLimits,
  outageLimits,
  type QueueName,
  queueLimits,
  selfStopLimits,
} from '../../lambdas/core/limits.ts';
import { createChunk } from '../../lambdas/ledger/chunk.ts';
import { chunkMessage } from '../../lambdas/ledger/messages.ts';
import { work } from '../../lambdas/worker/work.ts';
import { synthesize, textOf } from '../support/synthesized.ts';
import { runIngest, upload } from '../support/wholeJob.ts';
import { connect, invocation, newWorld, type World } from '../support/world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const stack = synthesize();

interface Alarm {
  readonly metric: string;
  /** Name and value, without the dimension that all of ours have. */
  readonly dimension: Readonly<Record<string, string>>;
  readonly periodMs: number;
  readonly periods: number;
  readonly threshold: number;
}

function alarm(title: string): Alarm {
  const found = stack
    .ofType('AWS::CloudWatch::Alarm')
    .map(([, { Properties }]) => Properties)
    .filter(({ AlarmName }) => textOf(AlarmName) === `<AWS::StackName> - ${title}`);
  expect(found).toMatchObject([{ Statistic: 'Sum', ComparisonOperator: 'GreaterThanOrEqualToThreshold' }]);
  const { MetricName, Dimensions, Period, EvaluationPeriods, Threshold } = found[0] ?? {};
  const dimensions = (Dimensions as { Name: string; Value: unknown }[]).filter(({ Name }) => Name !== 'service');
  return {
    metric: String(MetricName),
    dimension: Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, textOf(Value)])),
    periodMs: Number(Period) * 1000,
    periods: Number(EvaluationPeriods),
    threshold: Number(Threshold),
  };
}

interface Counted {
  readonly atMs: number;
  readonly value: number;
}

function isOn({ periodMs, periods, threshold }: Alarm, counted: readonly Counted[], nowMs: number): boolean {
  return Array.from({ length: periods }, (_, period) => nowMs - period * periodMs).every(
    (endMs) =>
      counted
        .filter(({ atMs }) => atMs > endMs - periodMs && atMs <= endMs)
        .reduce((sum, { value }) => sum + value, 0) >= threshold,
  );
}

/** The minutes in which it is on. */
function minutesOn(of: Alarm, counted: readonly Counted[], fromMs: number, untilMs: number): number[] {
  const minutes = Array.from({ length: Math.ceil((untilMs - fromMs) / minuteMs) + 1 }, (_, minute) => minute);
  return minutes.filter((minute) => isOn(of, counted, fromMs + minute * minuteMs));
}

/** What an alarm sees of lines that were published. */
function seenBy({ metric, dimension }: Alarm, lines: readonly string[], atMs: number): Counted[] {
  return lines.flatMap((line) => {
    const [, name, value, by] = /^(\w+) (\d+) (\{.+\})$/u.exec(line) ?? [];
    return name === metric && by === JSON.stringify(dimension) ? [{ atMs, value: Number(value) }] : [];
  });
}

const functionNames = Object.keys(functionLimits) as FunctionName[];
const queueOf = { ingest: 'uploads', worker: 'chunks', report: 'reports' } as const satisfies Record<
  FunctionName,
  QueueName
>;

test.each(functionNames)(
  '%s that is cut off once is told, because its message comes again only after hours',
  (name) => {
    const cutOff = alarm(`${name} is cut off`);
    expect(cutOff.metric).toBe('Errors');
    // Of the time at which the invocation began, and published some minutes after it ended.
    const knownAtMs = functionLimits[name].timeLimitMs + 3 * minuteMs;
    expect(isOn(cutOff, [{ atMs: 0, value: 1 }], knownAtMs)).toBe(true);
  },
);

describe.each(functionNames)('a message that always fails in %s', (name) => {
  const fails = alarm(`messages fail in ${name}`);
  const { receivesMax } = queueLimits[queueOf[name]];

  /** From the first delivery until it is a dead letter. */
  async function deliverAll(handlingMs: number): Promise<Counted[]> {
    const world = newWorld();
    const counted: Counted[] = [];
    const queue = { hide: async (_receipt: string, seconds: number) => world.clock.advance(seconds * 1000) };
    const handle = async (): Promise<never> => {
      world.clock.advance(handlingMs);
      const line = `MessagesFailed 1 ${JSON.stringify(fails.dimension)}`;
      counted.push(...seenBy(fails, [line], world.clock.now()));
      throw new Error('The bucket is gone.');
    };
    const handler = consume(handle, queue, world.log, world.metrics);
    const context = { functionName: fails.dimension['function'] } as Context;
    for (let count = 1; count <= receivesMax; count += 1) await handler(eventOf(count), context);
    expect(world.metrics.lines.filter((line) => seenBy(fails, [line], 0).length > 0)).toHaveLength(receivesMax);
    return counted;
  }

  test.each([
    ['at once', 100],
    ['after ten minutes', 10 * minuteMs],
  ])('%s is told soon, and for as long as it fails', async (_name, handlingMs) => {
    const failures = await deliverAll(Math.min(handlingMs, functionLimits[name].timeLimitMs - minuteMs));
    const third = failures[2]?.atMs ?? 0;
    const last = failures.at(-1)?.atMs ?? 0;
    const minutes = minutesOn(fails, failures, third, last);
    expect(minutes).toEqual(minutes.map((_, index) => index));
    expect(minutes.length).toBeGreaterThan((last - third) / minuteMs);
  });

  test('twice is not told: that passes', async () => {
    const failures = (await deliverAll(100)).slice(0, 2);
    const [{ atMs } = { atMs: 0 }] = failures;
    expect(minutesOn(fails, failures, atMs, atMs + 24 * hourMs)).toEqual([]);
  });
});

function eventOf(receiveCount: number): SQSEvent {
  const attributes = { ApproximateReceiveCount: String(receiveCount) };
  return { Records: [{ messageId: 'id', receiptHandle: 'receipt', body: '', attributes }] } as unknown as SQSEvent;
}

/** More than are tried in six hours. */
const rowCount = 60;
const jobId = parseJobId('20260131T070500Z-0f3a9c51b2de') as JobId;

function chunkOf(atMs: number): Chunk {
  return {
    jobId,
    chunk: 0,
    token: 'new',
    state: { kind: 'waiting' },
    rows: Array.from({ length: rowCount }, (_, index) => ({
      row: index + 2,
      invitee: { email: `p${index}@acme.example` },
      attempts: 0,
    })),
    snapshotAtMs: atMs,
    overlaps: false,
    crashesWithoutProgress: 0,
    apiCalls: {},
  };
}

const noAnswer: InviteAnswer = {
  kind: 'in_doubt',
  doubt: { reason: 'no_answer', detail: 'no answer within 30 s', mayBeOurs: true, mayStillHappen: true },
};

/** One chunk, until it is settled. What was published, when, in the order of time. */
async function workThrough(
  world: World,
  outageMs: number,
): Promise<{ readonly atMs: number; readonly line: string }[]> {
  const { store, reportsQueue, api, clock, newToken, log, metrics } = world;
  const beganAtMs = clock.now();
  const isDown = () => clock.now() - beganAtMs < outageMs;
  api.latencyMs = 30_000;
  api.onInvite = () => (isDown() ? { answer: noAnswer, effect: false } : undefined);
  api.onFind = () => (isDown() ? { kind: 'unavailable', detail: 'status 503' } : undefined);
  await createChunk(store, jobId, chunkOf(clock.now()));
  const settings = {
    concurrency: 5,
    callTimeoutMs: 30_000,
    retryDelayMinMs: 2000,
    retryDelayMaxMs: 60_000,
    outageDelayMs: outageLimits.firstDelayMs,
    giveUpMs: outageLimits.giveUpMs,
    rejectedShareMax: selfStopLimits.rejectedShareMax,
  };
  const handle = work(settings, { store, reportsQueue, connectApi: connect(api), clock, newToken, log, metrics });
  const published: { atMs: number; line: string }[] = [];
  for (;;) {
    const before = metrics.lines.length;
    const endsAtMs = clock.now() + functionLimits.worker.timeLimitMs;
    const verdict = await handle(
      chunkMessage(jobId, 0),
      invocation('a', () => endsAtMs - clock.now()),
    );
    published.push(...metrics.lines.slice(before).map((line) => ({ atMs: clock.now(), line })));
    if (verdict.kind === 'done') return published;
    clock.advance(verdict.delayMs);
  }
}

describe('an outage of the API', () => {
  const isDown = alarm('API is down');
  const seen = (of: Alarm, published: Awaited<ReturnType<typeof workThrough>>) =>
    published.flatMap(({ line, atMs }) => seenBy(of, [line], atMs));

  test('that lasts is told within the hour, for as long as the workers wait for it', async () => {
    const world = newWorld();
    const beganAtMs = world.clock.now();
    const waits = seen(isDown, await workThrough(world, 4 * hourMs));
    const last = waits.at(-1)?.atMs ?? 0;
    expect(last - beganAtMs).toBeGreaterThan(3.5 * hourMs);
    const [first = Number.NaN, ...rest] = minutesOn(isDown, waits, beganAtMs, last);
    expect(first).toBeLessThan(60);
    expect(rest).toEqual(rest.map((_, index) => first + 1 + index));
    expect(first + rest.length).toBeGreaterThanOrEqual(Math.floor((last - beganAtMs) / minuteMs));
  });

  test('that is soon over is not told', async () => {
    const world = newWorld();
    const beganAtMs = world.clock.now();
    const waits = seen(isDown, await workThrough(world, 10 * minuteMs));
    expect(waits.length).toBeGreaterThan(3);
    expect(minutesOn(isDown, waits, beganAtMs, beganAtMs + 24 * hourMs)).toEqual([]);
  });

  test('that costs rows their invitation is told of them, whether they are failed or unknown', async () => {
    const published = await workThrough(newWorld(), 24 * hourMs);
    const given = ['rows failed', 'rows unknown'].map((title) => {
      const rows = seen(alarm(title), published);
      const [{ atMs } = { atMs: 0 }] = rows;
      expect(isOn(alarm(title), rows, atMs + minuteMs)).toBe(true);
      return rows.reduce((sum, { value }) => sum + value, 0);
    });
    expect(given.reduce((sum, rows) => sum + rows, 0)).toBe(rowCount);
  });

  test('is seen by ingest, too', async () => {
    const world = newWorld();
    world.api.onRead = () => ({ kind: 'unavailable', detail: 'no answer' });
    await runIngest(world, await upload(world, 'email\na@acme.example\n'));
    expect(seenBy(isDown, world.metrics.lines, 0)).toHaveLength(1);
  });
});
