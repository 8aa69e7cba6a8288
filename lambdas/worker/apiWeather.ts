/**
 * What this process knows of the API beyond one chunk: the pace that it accepts, and whether it was down when last seen.
 */
import { accepted, newPace, type Pace, reserveStart, slowedDown } from '../core/pace.ts';

export class ApiWeather {
  #pace: Pace;
  wasDown = false;

  constructor(nowMs: number) {
    this.#pace = newPace(nowMs);
  }

  /** Takes the next place; the call may start at the given time. */
  reserveStart(nowMs: number): number {
    const { pace, startAtMs } = reserveStart(this.#pace, nowMs);
    this.#pace = pace;
    return startAtMs;
  }

  accepted(nowMs: number): void {
    this.#pace = accepted(this.#pace, nowMs);
  }

  /** False where the answer said nothing new, because another call had the same one before. */
  slowedDown(startedAtMs: number, nowMs: number, retryAfterMs: number | undefined): boolean {
    const before = this.#pace;
    this.#pace = slowedDown(before, startedAtMs, nowMs, retryAfterMs);
    return this.#pace !== before;
  }
}
