/**
 * What this process knows of the API beyond one chunk: the pace that it accepts, and whether it was down when last seen.
 */
import { accepted, isPlaceValid, newPace, type Pace, type Place, reserveStart, slowedDown } from '../core/pace.ts';

export class ApiWeather {
  #pace: Pace;
  wasDown = false;

  constructor(nowMs: number) {
    this.#pace = newPace(nowMs);
  }

  /** Takes the next place in the pace. */
  reserveStart(nowMs: number): Place {
    const { pace, place } = reserveStart(this.#pace, nowMs);
    this.#pace = pace;
    return place;
  }

  isPlaceValid(place: Place): boolean {
    return isPlaceValid(this.#pace, place);
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
