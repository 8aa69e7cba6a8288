/**
 * One execution environment of a function: what is killed, frozen and kept warm. Every operation that leaves it goes through
 * here, as three events that others can fall between: it leaves, it takes effect, its answer arrives.
 */
import type { Clock } from '../../lambdas/ports.ts';
import type { Ambient } from './ambient.ts';
import type { SimulatedWorld } from './world.ts';

export type Ended<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: Error };

export interface Travel {
  readonly toMs: number;
  readonly backMs: number;
}

/** How far the clock of a machine is off, at most: two of them then differ by less than a quiet start has to spare. */
const clockOffMs = 900;

/** How long an environment stands still. */
const freezeMs = { from: 1000, to: 200_000 } as const;
/** A packet that left late: shorter, because a request outlives no connection for long. */
const freezeWhileSendingMs = { from: 1000, to: 60_000 } as const;

export class Environment implements Ambient {
  readonly name: string;
  readonly #world: SimulatedWorld;
  #isAlive = true;
  #frozenUntilMs = 0;
  /** What was on its way when the environment died is lost, or still arrives. */
  #losesRequests = false;
  #tokens = 0;
  /** How far its clock is off. */
  readonly #clockMs: number;
  /** The job that the invocation under way is about, for the ledgers. */
  jobId = '';
  chunk = -1;
  /** Whether anything kept the invocation from ending in order. */
  wasDisturbed = false;
  /** Whether it stood still in this invocation. */
  wasFrozen = false;
  /** Whether the store kept it waiting in this invocation. */
  wasHeldUp = false;
  /** When the invocation under way began. */
  beganAtMs = 0;
  /** Cut off from the store until then. */
  storeUnreachableUntilMs = 0;
  onDeath: () => void = () => undefined;
  /** Between invocations an environment does not run: what it left open then does not go on. */
  #invocation = 0;
  #isRunning = false;

  constructor(name: string, world: SimulatedWorld) {
    this.name = name;
    this.#world = world;
    this.#clockMs = drawClock(world);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  begin(jobId: string, chunk: number): void {
    this.#invocation += 1;
    this.#isRunning = true;
    this.jobId = jobId;
    this.chunk = chunk;
    this.wasDisturbed = false;
    this.wasFrozen = false;
    this.wasHeldUp = false;
    this.beganAtMs = this.#world.scheduler.nowMs;
  }

  end(): void {
    this.#isRunning = false;
  }

  get clock(): Clock {
    const { scheduler } = this.#world;
    return {
      now: () => scheduler.nowMs + this.#clockMs,
      sleep: (ms, signal) => {
        if (signal?.aborted === true) return Promise.resolve();
        return new Promise((resolve) => {
          const cancel = this.startTimer(resolve, ms);
          signal?.addEventListener(
            'abort',
            () => {
              cancel();
              resolve();
            },
            { once: true },
          );
        });
      },
    };
  }

  readonly newToken = (): string => {
    this.#tokens += 1;
    return `${this.name}.${this.#tokens}`;
  };

  random(): number {
    return this.#world.chance.unit();
  }

  startTimer(run: () => void, ms: number): () => void {
    let isCancelled = false;
    this.resume(ms, () => {
      if (!isCancelled) run();
    });
    return () => {
      isCancelled = true;
    };
  }

  /** Goes on in this environment after so long: when it has thawed, and never once it is dead or the invocation is over. */
  resume(ms: number, run: () => void): void {
    const { scheduler } = this.#world;
    const invocation = this.#invocation;
    scheduler.after(ms, () => {
      if (!this.#isAlive || !this.#isRunning || invocation !== this.#invocation) return;
      if (scheduler.nowMs < this.#frozenUntilMs) this.resume(this.#frozenUntilMs - scheduler.nowMs, run);
      else run();
    });
  }

  /** The promise stays open for ever where the environment dies first. */
  operate<T>(operation: string, travel: Travel, perform: () => Ended<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.leave(operation, travel.toMs, () => {
        const ended = perform();
        this.arriveBack(operation);
        this.resume(travel.backMs, () => {
          if (ended.kind === 'value') resolve(ended.value);
          else reject(ended.error);
        });
      });
    });
  }

  /** Sends something out, unless the environment dies before. */
  leave(operation: string, toMs: number, arrive: () => void): void {
    if (!this.#isAlive || !this.#isRunning) return;
    const { scheduler, faults, chance, record, crashes } = this.#world;
    record.trace(scheduler.nowMs, `${this.name} ${operation}`);
    if (crashes.strikes('before', operation)) {
      this.kill();
      return;
    }
    if (faults.strikes('frozen')) this.#freeze(chance.between(freezeMs.from, freezeMs.to));
    let delayMs = 0;
    if (faults.strikes('frozen_while_sending')) {
      delayMs = chance.between(freezeWhileSendingMs.from, freezeWhileSendingMs.to);
      this.#freeze(delayMs);
    }
    scheduler.after(delayMs + toMs, () => {
      if (this.#isAlive || !this.#losesRequests) arrive();
    });
  }

  /** To be called when an operation has taken effect, before its answer is on the way back. An effect may come after the invocation. */
  arriveBack(operation: string): void {
    if (this.#isAlive && this.#isRunning && this.#world.crashes.strikes('after', operation)) this.kill();
  }

  kill(): void {
    if (!this.#isAlive) return;
    const { scheduler, chance, record } = this.#world;
    record.trace(scheduler.nowMs, `${this.name} dies`);
    this.#isAlive = false;
    this.#losesRequests = chance.happens(0.5);
    this.wasDisturbed = true;
    this.onDeath();
  }

  #freeze(ms: number): void {
    const { scheduler, record } = this.#world;
    record.trace(scheduler.nowMs, `${this.name} stands still for ${ms}`);
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, scheduler.nowMs + ms);
    this.wasFrozen = true;
    this.wasDisturbed = true;
  }
}

function drawClock({ faults, chance }: SimulatedWorld): number {
  if (!faults.isOn('clocks_differ')) return 0;
  faults.count('clocks_differ');
  return chance.between(-clockOffMs, clockOffMs);
}
