/**
 * A model of a standard SQS queue with its dead-letter queue: at least once, in any order, hidden for a time once received.
 */
import type { IncomingQueue, OutgoingQueue } from '../../lambdas/ports.ts';
import type { Ended, Environment } from './environment.ts';
import type { SimulatedWorld } from './world.ts';

export interface QueueSettings {
  readonly name: string;
  readonly visibilityMs: number;
  readonly receivesMax: number;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly receives: number;
}

interface Message {
  readonly messageId: string;
  readonly body: string;
  receives: number;
  receiptHandle: string;
  visibleAtMs: number;
}

export class QueueModel {
  readonly #settings: QueueSettings;
  readonly #world: SimulatedWorld;
  #messages: Message[] = [];
  #deadLetters: Message[] = [];
  #count = 0;
  /** Told when a message may have become visible. */
  onVisible: () => void = () => undefined;

  constructor(settings: QueueSettings, world: SimulatedWorld) {
    this.#settings = settings;
    this.#world = world;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#deadLetters.length === 0;
  }

  get hasDeadLetters(): boolean {
    return this.#deadLetters.length > 0;
  }

  send(body: string): void {
    const { faults, chance } = this.#world;
    const times = faults.strikes('message_twice') ? 2 : 1;
    for (let copy = 0; copy < times; copy += 1) {
      const lateMs = faults.strikes('message_late') ? chance.between(1000, 900_000) : chance.between(1, 50);
      this.#count += 1;
      const message = {
        messageId: `${this.#settings.name}-${this.#count}`,
        body,
        receives: 0,
        receiptHandle: '',
        visibleAtMs: 0,
      };
      this.#messages.push(message);
      this.#hideFor(message, lateMs);
    }
  }

  /** Any of the visible messages. */
  receive(): ReceivedMessage | undefined {
    const { scheduler, faults, chance } = this.#world;
    for (;;) {
      const visible = this.#messages.filter(({ visibleAtMs }) => visibleAtMs <= scheduler.nowMs);
      if (visible.length === 0) return undefined;
      const message = chance.pick(visible);
      if (message.receives >= this.#receivesMax) {
        this.#bury(message);
        continue;
      }
      message.receives += 1;
      message.receiptHandle = `${message.messageId}#${message.receives}`;
      const isTooShort = faults.strikes('message_visible_too_soon');
      this.#hideFor(message, isTooShort ? chance.between(1000, 60_000) : this.#settings.visibilityMs);
      if (faults.strikes('message_received_in_vain')) continue;
      const { messageId, receiptHandle, body, receives } = message;
      return { messageId, receiptHandle, body, receives };
    }
  }

  acknowledge(messageId: string): void {
    if (this.#world.faults.strikes('acknowledgement_lost')) return;
    this.#messages = this.#messages.filter((message) => message.messageId !== messageId);
  }

  redrive(): void {
    for (const message of this.#deadLetters.splice(0)) {
      message.receives = 0;
      this.#messages.push(message);
      this.#hideFor(message, 1);
    }
  }

  outgoingFrom(environment: Environment): OutgoingQueue {
    const { chance, faults } = this.#world;
    return {
      sendAll: async (messages) => {
        const travel = { toMs: chance.between(2, 20), backMs: chance.between(2, 20) };
        await environment.operate(`send ${this.#settings.name}`, travel, (): Ended<undefined> => {
          const fails = faults.strikes('batch_sent_in_part');
          for (const { body } of messages) if (!fails || chance.happens(0.5)) this.send(body);
          return fails
            ? { kind: 'error', error: new Error('The queue did not take all messages.') }
            : { kind: 'value', value: undefined };
        });
      },
    };
  }

  incomingTo(environment: Environment): IncomingQueue {
    const { chance, faults } = this.#world;
    return {
      hide: (receiptHandle, seconds) =>
        environment.operate(
          `hide ${this.#settings.name}`,
          { toMs: chance.between(2, 20), backMs: chance.between(2, 20) },
          (): Ended<undefined> => {
            const message = this.#messages.find((candidate) => candidate.receiptHandle === receiptHandle);
            const fails = faults.strikes('hiding_fails');
            if (message !== undefined && !(fails && chance.happens(0.5))) this.#hideFor(message, seconds * 1000);
            return fails
              ? { kind: 'error', error: new Error('The visibility could not be changed.') }
              : { kind: 'value', value: undefined };
          },
        ),
    };
  }

  /** A queue that gives messages up early meets its dead-letter queue more often. */
  get #receivesMax(): number {
    return this.#world.faults.isOn('dead_letter') ? 4 : this.#settings.receivesMax;
  }

  #bury(message: Message): void {
    this.#messages = this.#messages.filter((other) => other !== message);
    this.#deadLetters.push(message);
    this.#world.faults.count('dead_letter');
    this.#world.record.trace(this.#world.scheduler.nowMs, `${message.messageId} is a dead letter`);
  }

  #hideFor(message: Message, ms: number): void {
    message.visibleAtMs = this.#world.scheduler.nowMs + ms;
    this.#world.scheduler.after(ms, () => this.onVisible());
  }
}
