/**
 * Nightly runs of one roster in simulated time: what happens in an organization and to its export, day by day, and beside it
 * an oracle that says what each night must have done, from what the days themselves know.
 */
import { parse } from 'csv-parse/sync';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { approvalKey, reportKey, reportsPrefix } from '../../lambdas/core/keys.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { takeOverGlobals } from './ambient.ts';
import { sendBucketEvents } from './bucketEvents.ts';
import { type BulkInvite, startBulkInvite } from './bulkInvite.ts';
import { chanceOf } from './chance.ts';
import { DoitApiModel } from './doitApiModel.ts';
import { Faults } from './faults.ts';
import { ObjectStoreModel } from './objectStoreModel.ts';
import { Record } from './record.ts';
import { Scheduler } from './scheduler.ts';
import { type RosterRules, rosterUploadKey, runOf } from './schedules.ts';
import { production, type System } from './system.ts';
import type { SimulatedWorld } from './world.ts';

/** A line of the export. */
export interface Person {
  readonly email: string;
  readonly role: string;
  readonly organization: string;
  readonly status: string;
  /** The file ends in the middle of it. */
  readonly isCutOff?: boolean;
}

export interface Night {
  readonly name: string;
  /** Undefined where the export does not come. */
  readonly export?: readonly Person[];
  /** Told before the run of things that happen to the directory. */
  readonly before?: (week: Week) => void;
  /** Somebody approves the run in the morning. */
  readonly approves?: boolean;
  readonly apiIsDown?: boolean;
}

/** What a night did, or must have done. */
export interface NightResult {
  readonly state: string;
  /** Why it was held, or did not run. */
  readonly reasons: readonly string[];
  /** Of each line of the export: its email, and what became of it. */
  readonly outcomes: readonly string[];
  /** Lines of `drift.csv`, sorted. */
  readonly drift: readonly string[];
  /** Calls to the API by method and path. */
  readonly calls: Readonly<Counted<number>>;
}

type Counted<T> = { [name: string]: T };

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;
const startMs = Date.UTC(2026, 0, 5);
const rosterName = 'acme';
export const rules: RosterRules = {
  newPeopleMax: 6,
  staleAfterMs: 20 * hour,
  openAfterMs: 36 * hour,
  resendAfterMs: 40 * hour,
};
export const roles = [
  { id: 'role-standard', name: 'Standard User' },
  { id: 'role-admin', name: 'Admin' },
] as const;
export const organizations = [
  { id: 'org-east', name: 'Acme East' },
  { id: 'org-west', name: 'Acme West' },
] as const;

/** As few as can be set. */
const reportDays = 1;

/** Of the names in an export. */
export function idOf(named: readonly { readonly id: string; readonly name: string }[], name: string): string {
  return named.find((candidate) => candidate.name === name)?.id ?? '';
}

export class Week {
  readonly scheduler = new Scheduler(startMs);
  readonly record = new Record(false);
  readonly api: DoitApiModel;
  readonly store: ObjectStoreModel;
  readonly #world: SimulatedWorld;
  readonly #bulkInvite: BulkInvite;
  /** What summaries said that were deleted since. */
  readonly #deleted = new Map<string, string>();
  #night = 0;

  constructor(system: System = production) {
    takeOverGlobals();
    const chance = chanceOf(1);
    const faults = new Faults(chance, []);
    this.#world = { scheduler: this.scheduler, chance, faults, record: this.record, crashes: { strikes: () => false } };
    this.store = new ObjectStoreModel(this.#world);
    const api = { existsStatus: 400, answersWhileDown: 1, concurrency: 4, ratePerSecond: 10, workMs: 300 } as const;
    this.api = new DoitApiModel({ ...api, roles, organizations }, this.#world);
    const settings = { workers: 2, concurrency: 4, workerTimeMs: 300_000, giveUpMs: 6 * hour, newPeopleMax: 10_000 };
    this.#bulkInvite = startBulkInvite(system, settings, this.store, this.api, this.#world, () => undefined);
    sendBucketEvents(this.store, this.#world, this.#bulkInvite.announce);
  }

  get dueAtMs(): number {
    return startMs + this.#night * day + 2 * hour;
  }

  setUser(email: string, status: string, role = 'Standard User', organization = 'Acme East'): void {
    const there = this.api.users.get(email);
    const access = { roleId: idOf(roles, role), organizationId: idOf(organizations, organization) };
    const user = { id: there?.id ?? `old-${this.api.users.size}`, email, createdAtMs: startMs, ...access, ...there };
    this.api.users.set(email, { ...user, status });
  }

  /** From one in the morning until eleven at night. */
  async pass(night: Night, onDue: () => void): Promise<{ readonly result: NightResult; readonly jobId: JobId }> {
    await this.#advance(this.dueAtMs - hour);
    this.#deleteReports();
    const key = rosterUploadKey(rosterName);
    night.before?.(this);
    if (night.export !== undefined) this.store.write(key, textOf(night.export), { kind: 'always' });
    await this.#advance(this.dueAtMs);
    this.api.isDown = night.apiIsDown === true;
    const callsBefore = this.api.paths.length;
    const { jobId, message } = runOf(
      { name: rosterName, rules, versions: [], runs: [] },
      { atMs: 0, decisions: [] },
      this.dueAtMs,
    );
    onDue();
    this.#bulkInvite.announce(message);
    await this.#advance(this.dueAtMs + 2 * hour);
    this.api.isDown = false;
    await this.#advance(this.dueAtMs + 7 * hour);
    if (night.approves === true) {
      const approval = { jobId, by: 'alice', atMs: this.scheduler.nowMs };
      this.store.write(approvalKey(jobId), JSON.stringify(approval), { kind: 'if_absent' });
    }
    await this.#advance(this.dueAtMs + 21 * hour);
    const read = (file: 'summary.json' | 'results.csv' | 'drift.csv') => this.store.text(reportKey(key, jobId, file));
    this.#night += 1;
    const paths = this.api.paths.slice(callsBefore);
    return { jobId, result: resultOf(read('summary.json'), read('results.csv'), read('drift.csv'), paths) };
  }

  /** Source: S3 User Guide, "Expiring objects": at the midnight that follows the day on which they are old enough. */
  #deleteReports(): void {
    for (const key of this.store.keys(reportsPrefix)) {
      const oldEnoughAtMs = (this.store.info(key)?.modifiedAtMs ?? 0) + reportDays * day;
      if (Math.ceil(oldEnoughAtMs / day) * day > this.scheduler.nowMs) continue;
      this.#deleted.set(key, this.store.text(key) ?? '');
      this.store.remove(key);
    }
  }

  /** Time passes, also where nothing happens. */
  async #advance(untilMs: number): Promise<void> {
    this.scheduler.at(untilMs, () => undefined);
    await this.scheduler.run(untilMs);
  }

  /** What became of the run of an earlier night, the first one being 0. */
  stateOf(night: number): string | undefined {
    const dueAtMs = startMs + night * day + 2 * hour;
    const { jobId } = runOf({ name: rosterName, rules, versions: [], runs: [] }, { atMs: 0, decisions: [] }, dueAtMs);
    const key = reportKey(rosterUploadKey(rosterName), jobId, 'summary.json');
    const summary = this.store.text(key) ?? this.#deleted.get(key);
    if (summary === undefined) return undefined;
    const { state, error } = JSON.parse(summary) as Summary;
    return error === undefined ? state : `${state}: ${error.code}`;
  }
}

/** When exactly a run ended, its oracle does not know. */
export function hourOf(moment: string): string {
  return moment.slice(0, '2026-01-05T02'.length);
}

function textOf(people: readonly Person[]): string {
  const lines = people.map(({ email, role, organization, status }) => [email, role, organization, status].join(','));
  return ['Email,Role,Organization,Status', ...lines, ''].join('\n');
}

function resultOf(summary: string | undefined, results = '', drift = '', paths: readonly string[] = []): NightResult {
  const { state, hold = [], error } = JSON.parse(summary ?? '{"state":"missing"}') as Summary;
  const calls: Counted<number> = {};
  for (const path of paths) {
    const name = path.replace(/users\/[^/]+\/actions/u, 'users/…/actions');
    calls[name] = (calls[name] ?? 0) + 1;
  }
  const linesOf = (text: string) =>
    (parse(text, { bom: true, columns: true }) as Counted<string>[]).map((line) => (name: string) => line[name] ?? '');
  return {
    state,
    reasons: [...hold.map(({ code }) => code), ...(error === undefined ? [] : [error.code])],
    outcomes: linesOf(results).map((cell) => `${cell('Email')} ${cell('invite_code')}`),
    drift: linesOf(drift)
      .map((cell) =>
        [
          ...['drift', 'email', 'row', 'in_roster', 'in_doit'].map((name) => cell(name)),
          hourOf(cell('open_since')),
        ].join('|'),
      )
      .sort(),
    calls,
  };
}
