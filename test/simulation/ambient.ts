/**
 * Timers and random numbers of the packages that the use cases rely on: they take them from the global object, and inside
 * a simulation they get those of the environment that they run in.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Ambient {
  /** @returns What cancels the timer. */
  startTimer(run: () => void, ms: number): () => void;
  random(): number;
}

const ambients = new AsyncLocalStorage<Ambient>();

/** Runs the code with the timers and random numbers of this ambient, across its awaits. */
export function runWithin<T>(ambient: Ambient, run: () => T): T {
  return ambients.run(ambient, run);
}

class VirtualTimer {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  unref(): this {
    return this;
  }
}

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, random: Math.random };

/** Outside of a simulation everything stays as it was. May be called again. */
export function takeOverGlobals(): void {
  const setTimer = (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const ambient = ambients.getStore();
    if (ambient === undefined) return real.setTimeout(run, ms, ...args);
    return new VirtualTimer(ambient.startTimer(() => run(...args), ms ?? 0));
  };
  const clearTimer = (timer: unknown) => {
    if (timer instanceof VirtualTimer) timer.cancel();
    else real.clearTimeout(timer as NodeJS.Timeout);
  };
  Object.assign(globalThis, { setTimeout: setTimer, clearTimeout: clearTimer });
  Math.random = () => ambients.getStore()?.random() ?? real.random();
}
