/**
 * A model of a Lambda function with its event source: invocations at once up to a limit, environments that are kept warm
 * or not, a time limit, and partial batch responses.
 */
import type { Context, SQSEvent } from 'aws-lambda';
import type { SqsHandler } from '../../lambdas/consume.ts';
import { runWithin } from './ambient.ts';
import { Environment } from './environment.ts';
import type { QueueModel, ReceivedMessage } from './queueModel.ts';
import type { SimulatedWorld } from './world.ts';

export interface FunctionSettings {
  readonly name: string;
  readonly concurrency: number;
  readonly timeLimitMs: number;
}

/** What the function's module does when it is loaded: once in each environment. */
export type LoadHandler = (environment: Environment) => SqsHandler;

interface WarmEnvironment {
  readonly environment: Environment;
  readonly handler: SqsHandler;
}

export class FunctionModel {
  readonly #settings: FunctionSettings;
  readonly #queue: QueueModel;
  readonly #load: LoadHandler;
  readonly #world: SimulatedWorld;
  #warm: WarmEnvironment[] = [];
  #running = 0;
  #started = 0;
  /** Told of every invocation that was kept from ending in order, or whose handler said that it failed. */
  onDisturbed: (environment: Environment) => void = () => undefined;

  constructor(settings: FunctionSettings, queue: QueueModel, load: LoadHandler, world: SimulatedWorld) {
    this.#settings = settings;
    this.#queue = queue;
    this.#load = load;
    this.#world = world;
    queue.onVisible = () => this.#poll();
  }

  #poll(): void {
    while (this.#running < this.#settings.concurrency) {
      const message = this.#queue.receive();
      if (message === undefined) return;
      this.#invoke(message);
    }
  }

  #invoke(message: ReceivedMessage): void {
    const { scheduler, record } = this.#world;
    const { name, timeLimitMs } = this.#settings;
    const warm = this.#environment();
    const { environment, handler } = warm;
    const endsAtMs = scheduler.nowMs + timeLimitMs;
    this.#running += 1;
    const { jobId = '', chunk = -1 } = JSON.parse(message.body) as { jobId?: string; chunk?: number };
    environment.begin(jobId, chunk);
    record.trace(scheduler.nowMs, `${environment.name} begins ${message.messageId} delivery ${message.receives}`);

    const timeLimit = scheduler.at(endsAtMs, () => {
      this.#world.faults.count('killed_by_time_limit');
      if (!environment.wasFrozen && !environment.wasHeldUp)
        record.violated('ends_in_time', `${environment.name} did not end in time, though nothing held it up.`);
      environment.kill();
    });
    const end = () => {
      timeLimit.isCancelled = true;
      environment.end();
      environment.onDeath = () => undefined;
      this.#running -= 1;
      if (environment.wasDisturbed) this.onDisturbed(environment);
      scheduler.after(1, () => this.#poll());
    };
    environment.onDeath = end;
    const context = {
      awsRequestId: `${environment.name}/${message.messageId}`,
      functionName: name,
      getRemainingTimeInMillis: () => Math.max(0, endsAtMs - scheduler.nowMs),
    } as Context;
    const answered = runWithin(environment, () => handler(eventOf(message), context));
    void answered.then(({ batchItemFailures }) => {
      if (!environment.isAlive) return;
      record.trace(scheduler.nowMs, `${environment.name} ends, ${batchItemFailures.length} failed`);
      end();
      if (batchItemFailures.length === 0) this.#queue.acknowledge(message.messageId);
      if (this.#world.chance.happens(0.7)) this.#warm.push(warm);
    });
  }

  #environment(): WarmEnvironment {
    const warm = this.#warm.pop();
    if (warm !== undefined) return warm;
    this.#started += 1;
    const environment = new Environment(`${this.#settings.name}${this.#started}`, this.#world);
    return { environment, handler: this.#load(environment) };
  }
}

function eventOf({ messageId, receiptHandle, body, receives }: ReceivedMessage): SQSEvent {
  const attributes = { ApproximateReceiveCount: String(receives) };
  return { Records: [{ messageId, receiptHandle, body, attributes }] } as unknown as SQSEvent;
}
