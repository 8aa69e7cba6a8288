/**
 * What all models of one simulation share.
 */
import type { Chance } from './chance.ts';
import type { Faults } from './faults.ts';
import type { Record } from './record.ts';
import type { Scheduler } from './scheduler.ts';

export interface SimulatedWorld {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly record: Record;
  readonly crashes: Crashes;
}

export type Moment = 'before' | 'after';

/** Says where environments are killed. */
export interface Crashes {
  /** Asked once for each moment of each operation. */
  strikes(moment: Moment, operation: string): boolean;
}
