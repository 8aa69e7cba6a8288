/**
 * One chunk, one invocation: claim it, invite its rows, and settle it or leave it for later.
 */

import type { HandleMessage, Invocation, Verdict } from '../consume.ts';
import {
  type Chunk,
  claim,
  giveUpRest,
  isPoison,
  isWhole,
  outcomeCount,
  pause,
  quietForMs,
  settleChunk,
} from '../core/chunk.ts';
import { BrokenInvariant } from '../core/fault.ts';
import type { JobId } from '../core/jobId.ts';
import { chunkPartKey } from '../core/keys.ts';
import { redeliveryLimits, workerLimits } from '../core/limits.ts';
import { blamesRows, isGivenUp, outageDelayMs, prolong } from '../core/outage.ts';
import { noCounts } from '../core/outcome.ts';
import { isSuspicious, showsWrongJob, wrongJobMessage } from '../core/selfStop.ts';
import { checkCompletion } from '../ledger/checkCompletion.ts';
import { readChunk, replaceChunk } from '../ledger/chunk.ts';
import { readChunkMessage } from '../ledger/messages.ts';
import { writePart } from '../ledger/part.ts';
import { type Stop, writeStop } from '../ledger/stop.ts';
import type { Clock, ConnectApi, Log, Metrics, NewToken, ObjectStore, OutgoingQueue } from '../ports.ts';
import { ApiWeather } from './apiWeather.ts';
import { Halt, type HaltReason } from './halt.ts';
import { inviteRows, type RowSettings } from './inviteRows.ts';
import { JobSigns } from './jobSigns.ts';
import { keepLease } from './keepLease.ts';
import { lastRowsOfJob } from './lastRowsOfJob.ts';
import { OtherJobs } from './otherJobs.ts';
import { OwnedChunk } from './ownedChunk.ts';
import { RowCaller } from './rowCaller.ts';
import { StopWatch } from './stopWatch.ts';

export interface WorkerSettings extends RowSettings {
  /** How long one call may take; the lease of a chunk follows from it. */
  readonly callTimeoutMs: number;
  /** How long a worker stays away from an API that is down at first; it doubles. */
  readonly outageDelayMs: number;
  /** How long an outage of the API may be waited out before what is left is settled as failed. */
  readonly giveUpMs: number;
  /** More rejected rows among the last ones than this share, from 0 to 1, stop a job. */
  readonly rejectedShareMax: number;
}

export interface WorkerPorts {
  readonly store: ObjectStore;
  readonly reportsQueue: OutgoingQueue;
  readonly connectApi: ConnectApi;
  readonly clock: Clock;
  readonly newToken: NewToken;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Worker {
  readonly settings: WorkerSettings;
  readonly ports: WorkerPorts;
  readonly weather: ApiWeather;
  readonly signs: JobSigns;
  readonly leaseMs: number;
}

/** What has to be looked at again and again while calls are made. */
interface Sights {
  readonly others: OtherJobs;
  readonly stopWatch: StopWatch;
}

export function work(settings: WorkerSettings, ports: WorkerPorts): HandleMessage {
  const leaseMs = settings.callTimeoutMs + workerLimits.leaseMarginMs;
  const worker: Worker = {
    settings,
    ports,
    weather: new ApiWeather(ports.clock.now()),
    signs: new JobSigns(),
    leaseMs,
  };
  return async (body, invocation) => {
    const { jobId, chunk } = readChunkMessage(body);
    return await workOn(jobId, chunk, invocation, worker);
  };
}

async function workOn(jobId: JobId, chunkNumber: number, invocation: Invocation, worker: Worker): Promise<Verdict> {
  const { ports, leaseMs } = worker;
  const { store, clock } = ports;
  const stopWatch = new StopWatch(store, clock);
  const [part, stored, stop] = await Promise.all([
    store.head(chunkPartKey(jobId, chunkNumber)),
    readChunk(store, jobId, chunkNumber),
    stopWatch.look(jobId),
  ]);
  if (part !== undefined) {
    await checkCompletion(store, ports.reportsQueue, jobId);
    return { kind: 'done' };
  }
  if (stored === undefined) {
    throw new BrokenInvariant(`Chunk ${chunkNumber} of job ${jobId} does not exist, though a message names it.`);
  }
  const others = new OtherJobs(store, clock);
  const found = { ...stored.value, overlaps: await others.look(jobId, stored.value) };
  const nowMs = clock.now();
  const quietMs = stop === undefined ? quietForMs(found, nowMs) : 0;
  if (quietMs > 0) return { kind: 'later', delayMs: quietMs };
  const claimed = claim(found, { owner: `${invocation.id}/${ports.newToken()}`, nowMs, leaseMs });
  switch (claimed.kind) {
    case 'already_settled':
      return await finish(stored.value, jobId, worker);
    case 'owned_by_another':
      return { kind: 'later', delayMs: claimed.leaseEndsAtMs - nowMs + 1000 };
    case 'claimed': {
      if (stop !== undefined && found.state.kind === 'waiting')
        return await settleStopped(found, stored.etag, stop, jobId, worker);
      const owned = await OwnedChunk.claim(jobId, claimed.chunk, stored.etag, leaseMs, ports);
      return owned === undefined
        ? { kind: 'later', delayMs: leaseMs }
        : await handle(owned, stop, { others, stopWatch }, invocation, worker);
    }
    default:
      return claimed satisfies never;
  }
}

async function handle(
  owned: OwnedChunk,
  stop: Stop | undefined,
  sights: Sights,
  invocation: Invocation,
  worker: Worker,
): Promise<Verdict> {
  if (stop !== undefined) return await settle(owned, notAttempted(owned.chunk, stop), worker);
  const wrong = await wrongJobStop(owned.jobId, worker);
  if (wrong !== undefined) return await leave(owned, { kind: 'stopped', stop: wrong }, worker);
  if (isPoison(owned.chunk)) {
    const message = `The worker was cut off ${owned.chunk.crashesWithoutProgress} times in a row while it handled this group of rows.`;
    return await settle(owned, giveUpRest(owned.chunk, { status: 'failed', code: 'worker_cut_off', message }), worker);
  }
  const reason = await inviteOpenRows(owned, sights, invocation, worker);
  // A job that stopped itself with this chunk's last row is stopped for its other chunks, too.
  return isWhole(owned.chunk) && reason?.kind !== 'lost' && reason?.kind !== 'stopped'
    ? await settle(owned, owned.chunk, worker)
    : await leave(owned, reason, worker);
}

/** In one write: nothing is under way, and a worker that was cut off between two of them would leave every row in doubt. */
async function settleStopped(waiting: Chunk, etag: string, stop: Stop, jobId: JobId, worker: Worker): Promise<Verdict> {
  const { store, clock, newToken } = worker.ports;
  const settled = { ...settleChunk(notAttempted(waiting, stop), clock.now()), token: newToken() };
  if ((await replaceChunk(store, jobId, settled, etag)) === undefined)
    return { kind: 'later', delayMs: worker.leaseMs };
  count(settled, worker.ports);
  return await finish(settled, jobId, worker);
}

/** Where the rows that this process has settled are too few and mostly rejected, those of the other workers decide. */
async function wrongJobStop(jobId: JobId, { settings, ports, signs }: Worker): Promise<Stop | undefined> {
  const { rejectedShareMax } = settings;
  if (!isSuspicious(signs.lastRows(jobId), rejectedShareMax)) return undefined;
  const lastRows = await lastRowsOfJob(ports.store, jobId);
  if (!showsWrongJob(lastRows, rejectedShareMax)) return undefined;
  const message = wrongJobMessage(lastRows, rejectedShareMax);
  return { code: 'too_many_rejected', message, atMs: ports.clock.now() };
}

async function inviteOpenRows(
  owned: OwnedChunk,
  sights: Sights,
  invocation: Invocation,
  worker: Worker,
): Promise<HaltReason | undefined> {
  const { settings, ports, weather, signs } = worker;
  const { store, clock, log, connectApi } = ports;
  const { callTimeoutMs, rejectedShareMax } = settings;
  const halt = new Halt();
  const isProbing = owned.chunk.outage !== undefined || weather.wasDown;
  const api = connectApi((operation, answer) => owned.countApiCall(operation, answer));
  const openRows = owned.chunk.rows.length - outcomeCount(owned.chunk);
  const suspicion = { isProbing, blamesRows: blamesRows(owned.chunk.outage, openRows) };
  const onRecovery = () => invitations.openUp();
  const parts = { chunk: owned, ...sights, api, store, clock, invocation, weather, signs, halt, callTimeoutMs };
  const caller = new RowCaller({ ...parts, rejectedShareMax, onRecovery }, suspicion);
  const invitations = inviteRows(owned, caller, halt, settings, isProbing);
  const ended = new AbortController();
  const lease = keepLease({ chunk: owned, ...sights, clock, log, invocation, halt, callTimeoutMs }, ended.signal);
  await invitations.done;
  ended.abort();
  await lease;
  // The next delivery would count the failures anew, a second later, for as long as the outage lasts.
  if (halt.reason?.kind === 'out_of_time' && caller.isUnanswered) return { kind: 'api_down' };
  return halt.reason;
}

/** The chunk is not whole: what is known is saved, and the rest is for later or for nobody. */
async function leave(owned: OwnedChunk, reason: HaltReason | undefined, worker: Worker): Promise<Verdict> {
  const { settings, ports, leaseMs } = worker;
  const { chunk } = owned;
  switch (reason?.kind) {
    case 'lost':
      ports.log.warn('chunk_lost', { jobId: owned.jobId, chunk: chunk.chunk });
      return { kind: 'later', delayMs: leaseMs };
    case 'stopped': {
      const stop = await writeStop(ports.store, owned.jobId, reason.stop);
      ports.log.warn('job_stopped', { jobId: owned.jobId, chunk: chunk.chunk, code: stop.code });
      return await settle(owned, notAttempted(chunk, stop), worker);
    }
    case 'api_down': {
      const nowMs = ports.clock.now();
      const outage = prolong(chunk.outage, nowMs, settings.outageDelayMs);
      if (!isGivenUp(outage, settings.giveUpMs)) {
        const delayMs = outageDelayMs(outage.pauses, settings.outageDelayMs);
        ports.metrics.count('MessagesPutAside', 1, { reason: 'api_down' });
        return await stepAside(owned, { ...pause(chunk), outage }, delayMs, worker);
      }
      const hours = Math.round(outage.waitedMs / 360_000) / 10;
      const message = `The API could not be used for ${hours} hours.`;
      return await settle(owned, giveUpRest(chunk, { status: 'failed', code: 'api_down', message }), worker);
    }
    case 'out_of_time':
      return await stepAside(owned, pause(chunk), redeliveryLimits.hiddenSecondsMin * 1000, worker);
    case 'broken':
      // Not given back: when the lease has ended, the next owner puts every open row in doubt, as after a crash.
      await owned.save();
      throw new BrokenInvariant('A defect ended the work on a chunk; its progress was saved.', { cause: reason.error });
    case undefined:
      throw new BrokenInvariant(
        `Chunk ${chunk.chunk} of job ${owned.jobId} ended with open rows and without a reason.`,
      );
    default:
      return reason satisfies never;
  }
}

async function stepAside(
  owned: OwnedChunk,
  next: Chunk,
  delayMs: number,
  { ports, leaseMs }: Worker,
): Promise<Verdict> {
  const isOurs = await owned.replace(next);
  const { jobId } = owned;
  ports.log.info('chunk_left', {
    jobId,
    chunk: next.chunk,
    outcomes: outcomeCount(next),
    rows: next.rows.length,
    delayMs,
  });
  return { kind: 'later', delayMs: isOurs ? delayMs : leaseMs };
}

async function settle(owned: OwnedChunk, whole: Chunk, worker: Worker): Promise<Verdict> {
  const settled = settleChunk(whole, worker.ports.clock.now());
  if (!(await owned.replace(settled))) return { kind: 'later', delayMs: worker.leaseMs };
  count(settled, worker.ports);
  return await finish(settled, owned.jobId, worker);
}

/** From a settled chunk to its part; the same for whoever does it, so it may be repeated. */
async function finish(settled: Chunk, jobId: JobId, { ports }: Worker): Promise<Verdict> {
  const { state, rows, apiCalls } = settled;
  if (state.kind !== 'settled')
    throw new BrokenInvariant(`Chunk ${settled.chunk} of job ${jobId} is ${state.kind}, not settled.`);
  const part = writePart(ports.store, chunkPartKey(jobId, settled.chunk));
  try {
    for (const { row, outcome } of rows) {
      if (outcome === undefined)
        throw new BrokenInvariant(`Row ${row} of job ${jobId} is in a settled chunk without an outcome.`);
      if (part.add(outcome)) await part.flush();
    }
    await part.close(apiCalls, state.atMs);
  } catch (error) {
    await part.abort();
    throw error;
  }
  await checkCompletion(ports.store, ports.reportsQueue, jobId);
  return { kind: 'done' };
}

function notAttempted(chunk: Chunk, stop: Stop): Chunk {
  return giveUpRest(chunk, {
    status: 'not_attempted',
    code: stop.code,
    message: `The job stopped before this row. ${stop.message}`,
  });
}

function count(settled: Chunk, { metrics, log }: WorkerPorts): void {
  const counts = noCounts();
  for (const { outcome } of settled.rows) if (outcome !== undefined) counts[outcome.status] += 1;
  for (const [status, rows] of Object.entries(counts)) if (rows > 0) metrics.count('Rows', rows, { status });
  log.info('chunk_settled', { jobId: settled.jobId, chunk: settled.chunk, rows: settled.rows.length });
}
