/**
 * Virtual time: events in order, each run to its end before the next one begins. Hours pass in milliseconds.
 */

export interface ScheduledEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** More events than any simulation needs: beyond that, something goes round in circles. */
const eventsMax = 2_000_000;

/** Kept before anything may take the place of the real one. */
const afterAllMicrotasks = setImmediate;

export class Scheduler {
  #nowMs: number;
  #events: ScheduledEvent[] = [];
  #scheduled = 0;
  #run = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events at the same time run in the order in which they were scheduled. */
  at(timeMs: number, run: () => void): ScheduledEvent {
    this.#scheduled += 1;
    const event = { atMs: Math.max(timeMs, this.#nowMs), order: this.#scheduled, run, isCancelled: false };
    this.#events.splice(this.#indexFor(event), 0, event);
    return event;
  }

  after(ms: number, run: () => void): ScheduledEvent {
    return this.at(this.#nowMs + ms, run);
  }

  /** Runs until nothing is left to happen before the time. False where events do not come to an end. */
  async run(untilMs: number): Promise<boolean> {
    for (;;) {
      const event = this.#events[0];
      if (event === undefined || event.atMs > untilMs) return true;
      this.#events.shift();
      if (event.isCancelled) continue;
      this.#run += 1;
      if (this.#run > eventsMax) return false;
      this.#nowMs = event.atMs;
      event.run();
      await new Promise<void>((resolve) => {
        afterAllMicrotasks(resolve);
      });
    }
  }

  #indexFor({ atMs }: ScheduledEvent): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle];
      if (other !== undefined && other.atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
