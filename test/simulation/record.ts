/**
 * What a simulation writes down: a trace of all that happened, and where a promise was broken.
 */

export interface Violation {
  /** Which of the checks found it. */
  readonly check: string;
  readonly detail: string;
}

export class Record {
  readonly violations: Violation[] = [];
  readonly lines: string[] = [];
  /** Errors that the code logged. */
  readonly errors: string[] = [];
  readonly #keepsLines: boolean;
  #hash = 0x811c_9dc5;

  constructor(keepsLines: boolean) {
    this.#keepsLines = keepsLines;
  }

  trace(nowMs: number, line: string): void {
    const text = `${nowMs} ${line}`;
    if (this.#keepsLines) this.lines.push(text);
    for (let index = 0; index < text.length; index += 1) {
      // FNV-1a, 32 bits: enough to tell whether two runs were the same.
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(index), 0x0100_0193);
    }
  }

  /** The same for the same course of events. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  violated(check: string, detail: string): void {
    this.violations.push({ check, detail });
  }
}
