/**
 * Why the rows of a chunk are left for now, or for good. Set once; what waits then wakes up, and no call starts any more.
 */
import type { Stop } from '../ledger/stop.ts';

export type HaltReason =
  | { readonly kind: 'out_of_time' }
  | { readonly kind: 'api_down' }
  | { readonly kind: 'stopped'; readonly stop: Stop }
  /** Another worker owns the chunk now: nothing of ours may be written any more. */
  | { readonly kind: 'lost' }
  /** A defect of ours. */
  | { readonly kind: 'broken'; readonly error: unknown };

export class Halt {
  readonly #controller = new AbortController();
  #reason: HaltReason | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): HaltReason | undefined {
    return this.#reason;
  }

  /** The first reason stands, except that a lost chunk and a defect outrank the others. */
  set(reason: HaltReason): void {
    const outranks = reason.kind === 'lost' || reason.kind === 'broken';
    if (this.#reason === undefined || (outranks && this.#reason.kind !== 'lost')) this.#reason = reason;
    this.#controller.abort(new Halted());
  }
}

/** Thrown instead of starting a call once the chunk is halted. */
export class Halted extends Error {
  constructor() {
    super('The chunk is halted.');
    this.name = 'Halted';
  }
}
