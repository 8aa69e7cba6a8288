/**
 * One simulation: a world drawn from a seed, uploads, faults, healing, and what was found at the end.
 */

import type { Named } from '../../lambdas/core/directory.ts';
import { approvalKey, reportKey, stopKey } from '../../lambdas/core/keys.ts';
import type { Status } from '../../lambdas/core/outcome.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import { takeOverGlobals } from './ambient.ts';
import { sendBucketEvents } from './bucketEvents.ts';
import { type BulkInvite, startBulkInvite } from './bulkInvite.ts';
import { type Chance, chanceOf } from './chance.ts';
import {
  checkJob,
  checkPatience,
  checkSecondInvitations,
  checkStopIsKept,
  checkUndisturbed,
  checkWrite,
  type Evidence,
  isHeldFirst,
  type SimulatedJob,
} from './checks.ts';
import { DoitApiModel, type User } from './doitApiModel.ts';
import { type FaultCounts, type FaultKind, Faults, inputKinds } from './faults.ts';
import { fixedJob } from './fixedJob.ts';
import { ObjectStoreModel } from './objectStoreModel.ts';
import { type Decision, drawDecisions, People } from './people.ts';
import { Record, type Violation } from './record.ts';
import { drawRoster, peopleOf, type Roster } from './roster.ts';
import { Scheduler } from './scheduler.ts';
import { drawSchedules, rosterReadBy, rosterUploadKey, runOf, type Schedule, type SimulatedRun } from './schedules.ts';
import { production, type System } from './system.ts';
import { checkEmailsApart, checkNeverMeant, checkRuns, checkUnattended } from './unattendedChecks.ts';
import { checkWeek } from './weekChecks.ts';
import { nightOf, type Run, type WeekEvidence } from './weekNight.ts';
import type { Crashes, SimulatedWorld } from './world.ts';

export interface Upload {
  readonly key: string;
  readonly atMs: number;
  readonly roster: Roster;
  /** Invitees in a chunk; undefined for what the code itself would choose. */
  readonly chunkRows?: number;
  readonly isDryRun?: boolean;
  /** Whoever uploads may ask to be held sooner. */
  readonly newPeopleMax?: number;
  readonly decisions?: readonly Decision[];
}

export interface Scenario {
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  readonly uploads: readonly Upload[];
  readonly usersBefore: readonly Pick<User, 'email' | 'status' | 'roleId' | 'organizationId'>[];
  readonly workers: number;
  readonly concurrency: number;
  readonly workerTimeMs: number;
  readonly giveUpMs: number;
  readonly existsStatus: 400 | 409;
  readonly answersWhileDown: number;
  readonly ratePerSecond: number;
  readonly workMs: number;
  /** Faults are over after so long. */
  readonly healAfterMs: number;
  /** Dead letters are redriven so long after the healing. */
  readonly redriveAfterMs: number;
  /** When the API is down, from and to, after the start. */
  readonly outages: readonly (readonly [fromMs: number, toMs: number])[];
  readonly keyRevokedAfterMs?: number;
  /** For so long; undefined: until the healing. */
  readonly keyRevokedForMs?: number;
  /** More invitations than this hold an upload. */
  readonly newPeopleMax: number;
  readonly schedules: readonly Schedule[];
  readonly roles?: readonly Named[];
  readonly organizations?: readonly Named[];
  /** What others do to the directory. */
  readonly directoryChanges?: readonly DirectoryChange[];
  /** Whether the runs of its rosters are also held against what each night must have done. */
  readonly isWeek?: boolean;
}

export interface DirectoryChange {
  readonly atMs: number;
  readonly change: (api: DoitApiModel, nowMs: number) => void;
}

export interface SimulationOptions {
  /** Kinds of faults that are switched on whatever else the seed draws. */
  readonly kinds?: readonly FaultKind[];
  readonly system?: System;
  /** Where environments are killed, instead of by chance. */
  readonly crashes?: Crashes;
  readonly keepsTrace?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly trace: readonly string[];
  readonly virtualMs: number;
  readonly rows: number;
  readonly calls: number;
  readonly inviteCalls: number;
  readonly invited: number;
  /** Rows of all reports by status. */
  readonly statuses: { readonly [status in Status]?: number };
  readonly faults: FaultCounts;
  /** Other than an outage of the API. */
  readonly hadFaults: boolean;
  /** From the healing (or the redrive after it) to the last report; 0 where it was there before. */
  readonly reportAfterHealingMs: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const startMs = Date.UTC(2026, 0, 31, 7, 5);
const deadLettersWithinMs = 5 * hour;
/** Messages that nobody acknowledged come back after at most 90 minutes, once for each of the three queues. */
const reportedWithinMs = 8 * hour;

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  return await run(drawScenario(seed, options.kinds), options);
}

function drawScenario(seed: number, more: readonly FaultKind[] = []): Scenario {
  const chance = chanceOf(seed);
  // Of its own, so that a world is the same but for that.
  const unattendedChance = chanceOf(seed ^ 0x0a11);
  const kinds = [...new Set([...Faults.draw(chance), ...more, ...Faults.drawUnattended(unattendedChance)])];
  const people = [...peopleOf(chance.pick([chance.between(3, 12), 30])), 'refused1@acme.example'];
  const usersBefore = people
    .filter((email) => !email.startsWith('refused') && chance.happens(0.15))
    .map((email) => ({ email, status: chance.pick(['active', 'invited', 'Disabled']) }));
  const on = new Set(kinds);
  const healAfterMs = chance.between(10 * minute, 8 * hour);
  const uploads = drawUploads(chance, people, on, healAfterMs);
  return {
    seed,
    kinds,
    ...drawUnattended(unattendedChance, uploads, people, usersBefore, on, healAfterMs + deadLettersWithinMs),
    workers: chance.between(2, 3),
    concurrency: chance.pick([1, 2, 4, 10]),
    // So little that a chunk often takes several invocations, or plenty.
    workerTimeMs: chance.pick([1.5 * minute, 5 * minute]),
    giveUpMs: chance.pick([hour, 6 * hour]),
    existsStatus: chance.pick([400, 409]),
    answersWhileDown: chance.pick([0, 0.5, 1]),
    ratePerSecond: chance.between(1, 10),
    workMs: chance.pick([300, 300, 3000, 20_000]),
    healAfterMs,
    redriveAfterMs: chance.pick([0, hour, 2 * day]),
    outages: on.has('api_down') ? drawOutages(chance) : [],
    ...drawRevocation(chance, on),
  };
}

/** Limits, decisions, dry runs and schedules. */
function drawUnattended(
  chance: Chance,
  uploads: readonly Upload[],
  people: readonly string[],
  usersBefore: Scenario['usersBefore'],
  on: ReadonlySet<FaultKind>,
  latestMs: number,
): Pick<Scenario, 'uploads' | 'usersBefore' | 'newPeopleMax' | 'schedules'> {
  const isLimited = on.has('limit_exceeded');
  const decided = (upload: Upload): Upload => ({
    ...upload,
    ...(isLimited && chance.happens(0.3) ? { newPeopleMax: chance.between(0, 12) } : {}),
    decisions: drawDecisions(chance, on, latestMs - upload.atMs),
  });
  const dryRun: Upload[] = on.has('dry_run')
    ? [
        {
          key: 'incoming/dry-run/people.csv',
          atMs: chance.between(0, hour),
          roster: drawRoster(chance, people, 20),
          isDryRun: true,
        },
      ]
    : [];
  return {
    uploads: [...uploads, ...dryRun].map(decided),
    usersBefore: usersBefore.map(({ email, status }) => ({
      email,
      status: on.has('roster_run') && status === 'Disabled' && chance.happens(0.7) ? 'expired' : status,
    })),
    newPeopleMax: isLimited ? chance.pick([0, 2, 5, 10]) : 10_000,
    schedules: on.has('roster_run') ? drawSchedules(chance, people, on, latestMs) : [],
  };
}

/** Until the healing, or for so short a time that most of a job does not notice. */
function drawRevocation(
  chance: Chance,
  on: ReadonlySet<FaultKind>,
): Pick<Scenario, 'keyRevokedAfterMs' | 'keyRevokedForMs'> {
  const keyRevokedAfterMs = chance.between(0, 2 * minute);
  if (on.has('key_revoked_briefly')) return { keyRevokedAfterMs, keyRevokedForMs: chance.between(100, 5000) };
  return on.has('key_revoked') && chance.happens(0.5) ? { keyRevokedAfterMs } : {};
}

function drawUploads(
  chance: Chance,
  people: readonly string[],
  on: ReadonlySet<FaultKind>,
  healAfterMs: number,
): Upload[] {
  const rowsMax = chance.pick([3, 8, 20, 40]);
  const draw = (key: string, atMs: number): Upload => ({
    key,
    atMs,
    roster: drawRoster(chance, people, rowsMax),
    ...(chance.happens(0.7) ? { chunkRows: chance.pick([1, 2, 4, 12]) } : {}),
  });
  const uploads = [draw('incoming/people.csv', 0)];
  const laterMs = () =>
    chance.pick([
      0,
      chance.between(0, 3000),
      chance.between(0, 2 * minute),
      chance.between(0, hour),
      // While what is left of the first one waits among the dead letters.
      chance.between(0, healAfterMs + deadLettersWithinMs),
    ]);
  if (on.has('overlapping_upload')) uploads.push(draw('incoming/others.csv', laterMs()));
  if (on.has('upload_replaced')) uploads.push(draw('incoming/people.csv', laterMs()));
  return uploads;
}

function drawOutages(chance: Chance): (readonly [number, number])[] {
  return Array.from({ length: chance.between(1, 3) }, () => {
    const fromMs = chance.between(0, chance.pick([5000, hour]));
    return [fromMs, fromMs + chance.between(minute, chance.pick([10 * minute, 5 * hour]))] as const;
  });
}

export async function run(scenario: Scenario, options: SimulationOptions = {}): Promise<SimulationResult> {
  takeOverGlobals();
  const scheduler = new Scheduler(startMs);
  const chance = chanceOf(scenario.seed ^ 0x5eed);
  const faults = new Faults(chance, scenario.kinds);
  const record = new Record(options.keepsTrace === true);
  const crashes = options.crashes ?? randomCrashes(faults);
  const world: SimulatedWorld = { scheduler, chance, faults, record, crashes };
  const store = new ObjectStoreModel(world);
  const api = new DoitApiModel(scenario, world);
  for (const [index, user] of scenario.usersBefore.entries())
    api.users.set(user.email, { id: `old-${index}`, createdAtMs: 0, ...user });
  const usersBefore = new Map(api.users);
  const disturbances = new Map<string, number>();
  const bulkInvite = startBulkInvite(options.system ?? production, scenario, store, api, world, ({ jobId, chunk }) => {
    disturbances.set(`${jobId} ${chunk}`, (disturbances.get(`${jobId} ${chunk}`) ?? 0) + 1);
  });
  let reportedAtMs = 0;
  const firstWrittenAtMs = new Map<string, number>();
  const troubles: WeekEvidence['troubles'][number][] = [];
  faults.onCount = (kind) => {
    if (!inputKinds.has(kind)) troubles.push({ atMs: scheduler.nowMs, kind });
  };
  const people = new People(store, world);
  const check = checkWrite(store, record);
  store.onWrite = (key, text, before) => {
    check(key, text, before);
    people.see(key);
    if (before === undefined) firstWrittenAtMs.set(key, scheduler.nowMs);
    if (key.endsWith('/summary.json')) reportedAtMs = scheduler.nowMs;
  };
  sendBucketEvents(store, world, bulkInvite.announce);

  const jobs: SimulatedJob[] = [];
  const runs: SimulatedRun[] = [];
  scheduleUploads(scenario, world, store, bulkInvite, jobs, people);
  scheduleRosters(scenario, world, store, bulkInvite, runs, people);
  scheduleOutages(scenario, world, api);
  scheduleDirectoryChanges(scenario, world, api, () => troubles.push({ atMs: scheduler.nowMs, kind: 'directory' }));

  const { ends, healedAtMs } = await runToTheEnd(scenario, world, api, bulkInvite);
  if (!ends) record.violated('ends', 'Events do not come to an end.');
  if (bulkInvite.queues.some((queue) => !queue.isEmpty))
    record.violated('liveness', 'Queues still hold messages long after everything was healed.');
  jobs.push(...jobsOfRuns(runs, scenario, store));
  const evidence: WeekEvidence = {
    troubles,
    store,
    api,
    record,
    disturbances,
    usersBefore,
    hadFaults: anyStruck(faults.counts),
    giveUpMs: scenario.giveUpMs,
    jobCount: jobs.length,
    outageMs: scenario.outages.reduce((sum, [fromMs, toMs]) => sum + toMs - fromMs, 0),
    firstWrittenAtMs,
    approvedAtMs: people.approvedAtMs,
  };
  for (const { jobId } of jobs) if (isHeldFirst(jobId, store)) faults.count('limit_exceeded');
  checkAll(jobs, scenario.isWeek === true ? (job) => evidenceOfNight(job, evidence) : () => evidence, evidence);
  if (scenario.isWeek === true) checkWeek(jobs, evidence);
  if (!evidence.hadFaults && options.crashes === undefined) checkUndisturbed(jobs, evidence);
  const callsAtOnceMax = scenario.workers * scenario.concurrency + 2;
  if (api.callsAtOnceMost > callsAtOnceMax)
    record.violated('calls_at_once', `${api.callsAtOnceMost} calls were under way at once; ${callsAtOnceMax} may be.`);
  return {
    seed: scenario.seed,
    violations: record.violations,
    traceHash: record.traceHash,
    trace: record.lines,
    virtualMs: Math.max(reportedAtMs, startMs) - startMs,
    rows: jobs.reduce((sum, { roster }) => sum + roster.rows.length, 0),
    calls: api.calls,
    inviteCalls: api.personCalls.filter(({ kind }) => kind === 'invite').length,
    invited: [...api.users.values()].filter(({ createdBy }) => createdBy !== undefined).length,
    statuses: countStatuses(jobs, store),
    faults: faults.counts,
    hadFaults: troubles.some(({ kind }) => kind !== 'api_down' && kind !== 'directory'),
    reportAfterHealingMs: Math.max(0, reportedAtMs - Math.max(healedAtMs, lastCauseMs(jobs, firstWrittenAtMs))),
  };
}

/** When somebody last wanted something: before that, a report could not be there. */
function lastCauseMs(jobs: readonly SimulatedJob[], firstWrittenAtMs: ReadonlyMap<string, number>): number {
  const timeOf = (key: string) => firstWrittenAtMs.get(key) ?? 0;
  const times = jobs.flatMap(({ jobId, uploadedAtMs }) => [
    uploadedAtMs,
    timeOf(approvalKey(jobId)),
    timeOf(stopKey(jobId)),
  ]);
  return Math.max(0, ...times);
}

/** Until everything is healed, the dead letters redriven, and the last report must be there. */
async function runToTheEnd(
  scenario: Scenario,
  { scheduler, faults }: SimulatedWorld,
  api: DoitApiModel,
  { queues }: BulkInvite,
): Promise<{ readonly ends: boolean; readonly healedAtMs: number }> {
  let healedAtMs = startMs + scenario.healAfterMs;
  let ends = await scheduler.run(healedAtMs);
  faults.heal();
  api.isDown = false;
  api.isKeyRevoked = false;
  // What was near its last delivery becomes a dead letter yet.
  ends &&= await scheduler.run(healedAtMs + deadLettersWithinMs);
  if (queues.some((queue) => queue.hasDeadLetters)) {
    healedAtMs += deadLettersWithinMs + scenario.redriveAfterMs;
    ends &&= await scheduler.run(healedAtMs);
    for (const queue of queues) queue.redrive();
  }
  ends &&= await scheduler.run(Math.max(healedAtMs, startMs + lastDueMs(scenario)) + reportedWithinMs);
  return { ends, healedAtMs };
}

/** In a week, much that comes later has a time of its own; otherwise faults end before. */
function lastDueMs({ isWeek, schedules }: Scenario): number {
  return isWeek === true ? Math.max(...schedules.flatMap(({ runs }) => runs.map(({ atMs }) => atMs))) : 0;
}

/** The directory changes from night to night: what was there before a run is what it saw. */
function evidenceOfNight(job: SimulatedJob, evidence: WeekEvidence): Evidence {
  const users = job.run === undefined ? [] : (nightOf(job as Run, evidence).snapshot?.users ?? []);
  return { ...evidence, usersBefore: new Map(users.map((user) => [user.email, user])) };
}

function checkAll(
  jobs: readonly SimulatedJob[],
  evidenceOf: (job: SimulatedJob) => Evidence,
  evidence: Evidence,
): void {
  for (const job of jobs) {
    const ofJob = evidenceOf(job);
    checkJob(job, ofJob);
    checkStopIsKept(job, ofJob);
    checkPatience(job, ofJob);
    checkUnattended(job, ofJob);
  }
  checkRuns(jobs, evidence);
  checkEmailsApart(evidence);
  checkNeverMeant(jobs, evidence);
  checkSecondInvitations(evidence);
}

function countStatuses(jobs: readonly SimulatedJob[], store: ObjectStoreModel): SimulationResult['statuses'] {
  const statuses: { [status in Status]?: number } = {};
  for (const { key, jobId } of jobs) {
    const { counts } = JSON.parse(store.text(reportKey(key, jobId, 'summary.json')) ?? '{"counts":{}}') as Summary;
    for (const [status, count] of Object.entries(counts) as [Status, number][])
      if (count > 0) statuses[status] = (statuses[status] ?? 0) + count;
  }
  return statuses;
}

function scheduleUploads(
  { uploads, newPeopleMax }: Scenario,
  world: SimulatedWorld,
  store: ObjectStoreModel,
  bulkInvite: BulkInvite,
  jobs: SimulatedJob[],
  people: People,
): void {
  const { scheduler, faults, chance } = world;
  for (const [index, upload] of uploads.entries()) {
    const { key, roster, isDryRun = false, decisions = [] } = upload;
    const limit = Math.min(newPeopleMax, upload.newPeopleMax ?? newPeopleMax);
    const metadata = upload.newPeopleMax === undefined ? {} : { 'new-people-max': String(upload.newPeopleMax) };
    scheduler.at(startMs + upload.atMs, () => {
      if (isDryRun) faults.count('dry_run');
      else if (index > 0) faults.count(key === uploads[0]?.key ? 'upload_replaced' : 'overlapping_upload');
      store.write(key, roster.text, { kind: 'always' }, metadata);
      const { jobId, event } = fixedJob(store, upload, limit, scheduler.nowMs);
      jobs.push({ jobId, key, roster, uploadedAtMs: scheduler.nowMs, dryRun: isDryRun, newPeopleMax: limit });
      people.decideLater(jobId, decisions);
      bulkInvite.announce(event);
      if (!faults.strikes('event_twice')) return;
      scheduler.after(chance.between(0, 6 * hour), () => bulkInvite.announce(event));
    });
  }
}

function scheduleRosters(
  { schedules }: Scenario,
  { scheduler, faults, chance }: SimulatedWorld,
  store: ObjectStoreModel,
  bulkInvite: BulkInvite,
  simulated: SimulatedRun[],
  people: People,
): void {
  for (const schedule of schedules) {
    for (const [index, { atMs, roster }] of schedule.versions.entries())
      scheduler.at(startMs + atMs, () => {
        if (index > 0) faults.count('roster_refreshed');
        store.write(rosterUploadKey(schedule.name), roster.text, { kind: 'always' });
      });
    for (const run of schedule.runs)
      scheduler.at(startMs + run.atMs, () => {
        faults.count('roster_run');
        const { message, ...known } = runOf(schedule, run, scheduler.nowMs);
        if (known.dryRun) faults.count('dry_run');
        simulated.push(known);
        bulkInvite.announce(message);
        people.decideLater(known.jobId, run.decisions);
        if (!faults.strikes('roster_message_twice')) return;
        scheduler.after(chance.between(0, 6 * hour), () => bulkInvite.announce(message));
      });
  }
}

function jobsOfRuns(runs: readonly SimulatedRun[], { schedules }: Scenario, store: ObjectStoreModel): SimulatedJob[] {
  return runs.flatMap((run) => {
    const schedule = schedules.find(({ name }) => name === run.name);
    return schedule === undefined ? [] : [jobOfRun(run, rosterReadBy(run, store, schedule))];
  });
}

function jobOfRun({ jobId, key, dryRun, rules, ...run }: SimulatedRun, roster: Roster): SimulatedJob {
  return { jobId, key, roster, uploadedAtMs: run.scheduledAtMs, dryRun, run: { ...run, rules } };
}

function scheduleOutages(
  { outages, keyRevokedAfterMs, keyRevokedForMs }: Scenario,
  { scheduler, faults }: SimulatedWorld,
  api: DoitApiModel,
): void {
  for (const [fromMs, toMs] of outages) {
    scheduler.at(startMs + fromMs, () => {
      api.isDown = true;
    });
    scheduler.at(startMs + toMs, () => {
      api.isDown = false;
    });
  }
  if (keyRevokedAfterMs === undefined) return;
  scheduler.at(startMs + keyRevokedAfterMs, () => {
    api.isKeyRevoked = true;
    if (keyRevokedForMs === undefined) return;
    faults.count('key_revoked_briefly');
    scheduler.after(keyRevokedForMs, () => {
      api.isKeyRevoked = false;
    });
  });
}

function scheduleDirectoryChanges(
  { directoryChanges = [] }: Scenario,
  { scheduler }: SimulatedWorld,
  api: DoitApiModel,
  onChange: () => void,
): void {
  for (const { atMs, change } of directoryChanges) {
    scheduler.at(startMs + atMs, () => {
      onChange();
      change(api, scheduler.nowMs);
    });
  }
}

function randomCrashes(faults: Faults): Crashes {
  return {
    strikes: (moment) => faults.strikes(moment === 'before' ? 'killed_before_operation' : 'killed_after_operation'),
  };
}

function anyStruck(counts: FaultCounts): boolean {
  return Object.entries(counts).some(([kind, count]) => !inputKinds.has(kind as FaultKind) && count > 0);
}
