/**
 * What can go wrong in the simulated world, and how often it did.
 */
import type { Chance } from './chance.ts';

/** Not faults, but what people and schedules do; the first ones are drawn, the others follow from them. */
const unattendedKinds = [
  'event_late',
  'dry_run',
  'limit_exceeded',
  'approved',
  'approval_of_another_job',
  'rejected',
  'cancelled',
  'roster_run',
  'roster_message_twice',
  'roster_refreshed',
] as const;

export const faultKinds = [
  // The object store.
  'store_error_before_effect',
  'store_error_after_effect',
  'store_retries_its_own_write',
  'store_slow',
  'store_unreachable',
  'upload_breaks_off',
  // The queues.
  'message_twice',
  'message_late',
  'message_visible_too_soon',
  'message_received_in_vain',
  'batch_sent_in_part',
  'acknowledgement_lost',
  'hiding_fails',
  'dead_letter',
  // The functions.
  'killed_before_operation',
  'killed_after_operation',
  'killed_by_time_limit',
  'frozen',
  'frozen_while_sending',
  'event_twice',
  'clocks_differ',
  'new_settings',
  // The DoiT API.
  'api_429',
  'api_429_retry_after',
  'api_rate_limit',
  'api_500',
  'api_500_with_effect',
  'api_proxy_error',
  'api_proxy_error_with_effect',
  'api_proxy_error_late_effect',
  'api_silent',
  'api_silent_with_effect',
  'api_silent_late_effect',
  'api_unreadable',
  'api_unreadable_with_effect',
  'api_conflict',
  'api_refuses',
  'api_slow',
  'api_read_fails',
  'api_read_slow',
  'api_read_refused',
  'api_down',
  'key_revoked',
  'key_revoked_briefly',
  // The input.
  'overlapping_upload',
  'upload_replaced',
  ...unattendedKinds,
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** What comes in, which nothing goes wrong by. */
export const inputKinds: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'overlapping_upload',
  'upload_replaced',
  ...unattendedKinds.filter((kind) => kind !== 'event_late'),
]);

export type FaultCounts = Readonly<Record<FaultKind, number>>;

/** How likely a fault is each time that it could strike, where it is switched on: from a little to a lot. */
const probabilities = [0.01, 0.03, 0.1, 0.25] as const;

/** These end an invocation, or hold it up for long: struck too often, nothing would ever be done. */
const rare: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'killed_before_operation',
  'killed_after_operation',
  'frozen',
  'frozen_while_sending',
  'store_slow',
  'store_unreachable',
]);
const rareProbabilities = [0.002, 0.01, 0.03] as const;

function isUnattended(kind: FaultKind): boolean {
  return (unattendedKinds as readonly string[]).includes(kind);
}

export class Faults {
  readonly #chance: Chance;
  readonly #probabilities = new Map<FaultKind, number>();
  readonly #counts = new Map<FaultKind, number>();
  #areHealed = false;
  /** Told of everything that is counted. */
  onCount: (kind: FaultKind) => void = () => undefined;

  /** @param kinds Those that are switched on. */
  constructor(chance: Chance, kinds: Iterable<FaultKind>) {
    this.#chance = chance;
    for (const kind of kinds)
      this.#probabilities.set(kind, chance.pick(rare.has(kind) ? rareProbabilities : probabilities));
  }

  /**
   * A random few, many or none of all kinds.
   *
   * @param shares How many of all; one of them is taken.
   */
  static draw(chance: Chance, shares: readonly number[] = [0, 0.05, 0.15, 0.35, 0.7]): FaultKind[] {
    const share = chance.pick(shares);
    return faultKinds.filter((kind) => !isUnattended(kind) && chance.happens(share));
  }

  /** The same for what people and schedules do: in half of all worlds nothing of it. */
  static drawUnattended(chance: Chance): FaultKind[] {
    const share = chance.pick([0, 0, 0.3, 0.6]);
    return unattendedKinds.filter(() => chance.happens(share));
  }

  isOn(kind: FaultKind): boolean {
    return this.#probabilities.has(kind) && !this.#areHealed;
  }

  /** Whether the fault strikes now; it is counted where it does. */
  strikes(kind: FaultKind): boolean {
    const probability = this.#probabilities.get(kind);
    if (probability === undefined || this.#areHealed || !this.#chance.happens(probability)) return false;
    this.count(kind);
    return true;
  }

  count(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.onCount(kind);
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.#areHealed = true;
  }

  get areHealed(): boolean {
    return this.#areHealed;
  }

  countOf(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get counts(): FaultCounts {
    return Object.fromEntries(faultKinds.map((kind) => [kind, this.countOf(kind)])) as FaultCounts;
  }
}
