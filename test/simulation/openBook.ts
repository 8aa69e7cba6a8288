/**
 * Since when invitations are seen to be open, as far as an oracle can know it: where faults leave more than one thing
 * possible, it keeps every one of them.
 */
import type { User } from './doitApiModel.ts';

const hour = 3_600_000;
const invitationLivesMs = 48 * hour;

/** When it was sent, at some time between the two. */
export interface OpenSince {
  readonly state: 'open' | 'expired';
  readonly fromMs: number;
  readonly toMs: number;
}

/** By email. */
export type OpenBook = ReadonlyMap<string, OpenSince>;

/** Undefined for who has no invitation. One that has expired was sent 48 hours before, at the least; one that had expired and is open is another one. */
export function sinceIn(book: OpenBook, { email, status }: User, takenAtMs: number): OpenSince | undefined {
  const before = book.get(email);
  if (status === 'expired') {
    const latestMs = takenAtMs - invitationLivesMs;
    const { fromMs = latestMs, toMs = latestMs } = before ?? {};
    return { state: 'expired', fromMs: Math.min(fromMs, latestMs), toMs: Math.min(toMs, latestMs) };
  }
  if (status !== 'invited') return undefined;
  return before?.state === 'open' ? before : { state: 'open', fromMs: takenAtMs, toMs: takenAtMs };
}

/** What is known once a run has seen the users. */
export function bookAfter(book: OpenBook, users: readonly User[], takenAtMs: number): OpenBook {
  return new Map(
    users.flatMap((user) => {
      const since = sinceIn(book, user, takenAtMs);
      return since === undefined ? [] : [[user.email, since] as const];
    }),
  );
}

/** Whether it was at least so old: undefined where both is possible. */
export function isAsOldAs({ fromMs, toMs }: OpenSince, ageMs: number, nowMs: number): boolean | undefined {
  if (nowMs - toMs >= ageMs) return true;
  return nowMs - fromMs < ageMs ? false : undefined;
}

interface Change {
  readonly fromMs: number;
  readonly toMs: number;
  readonly books: readonly OpenBook[];
}

/** Everything that may have been known, and when. */
export class OpenBooks {
  readonly #changes: Change[] = [{ fromMs: 0, toMs: 0, books: [new Map()] }];

  /** @param change What is known at some time in it, and from then on. */
  note(change: Change): void {
    const books = new Map(change.books.map((book) => [JSON.stringify([...book]), book]));
    this.#changes.push({ ...change, books: [...books.values()] });
  }

  get last(): readonly OpenBook[] {
    return this.#changes.at(-1)?.books ?? [];
  }

  /** What somebody may have found who looked at some time between the two. */
  between(fromMs: number, toMs: number): OpenBook[] {
    return this.#changes.flatMap(({ books, ...change }, index) => {
      const endsMs = this.#changes[index + 1]?.toMs ?? Number.POSITIVE_INFINITY;
      return change.fromMs <= toMs && endsMs >= fromMs ? books : [];
    });
  }
}
