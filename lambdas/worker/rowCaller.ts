/**
 * Makes the calls of a chunk's rows: sees that a call may start, times it, and tells everyone what the answer means.
 */

import type { Invocation } from '../consume.ts';
import type { InviteAnswer, LookUpAnswer, ResendAnswer } from '../core/answers.ts';
import { BrokenInvariant } from '../core/fault.ts';
import { idempotencyKeyOf } from '../core/idempotencyKey.ts';
import { workerLimits } from '../core/limits.ts';
import { type Health, healthy, isDown, observe, type Sign, type Suspicion } from '../core/outage.ts';
import {
  afterInvite,
  afterLookUp,
  afterResend,
  beforeInvite,
  type NextCall,
  nextCall,
  type RowProgress,
  resentElsewhere,
} from '../core/rowProgress.ts';
import { showsWrongJob, wrongJobMessage } from '../core/selfStop.ts';
import { claimResend, withdrawResend } from '../ledger/resent.ts';
import type { Stop } from '../ledger/stop.ts';
import type { Clock, InviteApi, ObjectStore } from '../ports.ts';
import type { ApiWeather } from './apiWeather.ts';
import { type Halt, Halted } from './halt.ts';
import type { JobSigns } from './jobSigns.ts';
import type { OtherJobs } from './otherJobs.ts';
import type { OwnedChunk } from './ownedChunk.ts';
import type { StopWatch } from './stopWatch.ts';

/** Thrown when a row is to be tried again after a delay. */
export class TryAgain extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'TryAgain';
  }
}

/** Thrown when a row is to be tried again as soon as the pace allows it. */
export class SlowedDown extends Error {
  constructor() {
    super('The API said 429.');
    this.name = 'SlowedDown';
  }
}

export interface RowCallerParts {
  readonly chunk: OwnedChunk;
  readonly others: OtherJobs;
  readonly stopWatch: Pick<StopWatch, 'isSeen'>;
  readonly api: InviteApi;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly invocation: Invocation;
  readonly weather: ApiWeather;
  readonly signs: JobSigns;
  readonly halt: Halt;
  readonly callTimeoutMs: number;
  /** More rejected rows among the last ones than this share stop the job. */
  readonly rejectedShareMax: number;
  /** Told when the API has answered an invitation, after it was down. */
  readonly onRecovery: () => void;
}

export class RowCaller {
  readonly #parts: RowCallerParts;
  readonly #blamesRows: boolean;
  #health: Health = healthy;
  #isProbing: boolean;
  #hasInviteAnswer = false;

  constructor(parts: RowCallerParts, { isProbing, blamesRows }: Suspicion) {
    this.#parts = parts;
    this.#isProbing = isProbing;
    this.#blamesRows = blamesRows;
  }

  /** Whether a row that keeps failing is itself to blame: others are answered, or it has gone on for too long. */
  get mayBlameRows(): boolean {
    return this.#hasInviteAnswer || this.#blamesRows;
  }

  /** Whether invitations were tried, and nothing at all was answered since: only time was too short to call it an outage. */
  get isUnanswered(): boolean {
    return !this.#hasInviteAnswer && (this.#health.failuresInARow > 0 || this.#health.failingRows.size > 0);
  }

  /**
   * Makes no call where a look-up has become due while this one waited for its turn.
   *
   * @throws TryAgain, SlowedDown or Halted; otherwise the row has moved on.
   */
  async invite(index: number): Promise<void> {
    const { chunk, api, clock } = this.#parts;
    const startedAtMs = await this.#start();
    if (this.nextCall(index) !== 'invite') return;
    chunk.setRow(index, beforeInvite(chunk.row(index)));
    const answer = await api.invite(chunk.row(index).invitee);
    const row = afterInvite(chunk.row(index), answer, clock.now());
    this.#setRow(index, row);
    this.#heedInviteAnswer(answer, row.row, startedAtMs);
  }

  /** @throws TryAgain, SlowedDown or Halted; otherwise the row has moved on. */
  async resend(index: number): Promise<void> {
    const { chunk, api, store, clock } = this.#parts;
    const { resendTo } = chunk.row(index);
    if (resendTo === undefined) throw new BrokenInvariant('A row without a user is to be sent again.');
    const startedAtMs = await this.#start();
    if (this.nextCall(index) !== 'resend') return;
    const claim = await claimResend(store, resendTo, chunk.jobId, clock.now());
    if (claim.kind === 'too_soon')
      return this.#setRow(index, resentElsewhere(chunk.row(index), new Date(claim.lastAtMs).toISOString()));
    const withdraw = async () => {
      if (chunk.row(index).doubt === undefined) await withdrawResend(store, resendTo, chunk.jobId, claim);
    };
    // The note may have taken its time.
    await this.#expectStillTime(withdraw);
    chunk.setRow(index, beforeInvite(chunk.row(index)));
    const answer = await api.resend(resendTo, idempotencyKeyOf(chunk.jobId, resendTo));
    if (answer.kind === 'refused' || answer.kind === 'key_refused') await withdraw();
    const row = afterResend(chunk.row(index), answer);
    this.#setRow(index, row);
    this.#heedInviteAnswer(answer, row.row, startedAtMs);
  }

  /** @throws TryAgain, SlowedDown or Halted; otherwise the row has moved on. */
  async lookUp(index: number): Promise<void> {
    const { chunk, api, clock, weather } = this.#parts;
    const startedAtMs = await this.#start();
    const answer = await api.findUser(chunk.row(index).invitee.email);
    if (isTaken(answer)) weather.accepted(clock.now());
    // Whose invitation it was is for those to say who have seen the other jobs.
    if (answer.kind === 'found') this.#expectSightOfOthers();
    const { overlaps } = chunk;
    this.#setRow(index, afterLookUp(chunk.row(index), answer, { nowMs: startedAtMs, overlaps }));
    if (this.nextCall(index) !== 'none') this.#heedLookUpAnswer(answer, startedAtMs);
    else this.#heedSign({ kind: 'look_up_answered' });
  }

  nextCall(index: number): NextCall {
    const { chunk, clock } = this.#parts;
    return nextCall(chunk.row(index), { nowMs: clock.now(), overlaps: chunk.overlaps });
  }

  #setRow(index: number, row: RowProgress): void {
    const { chunk, signs, rejectedShareMax } = this.#parts;
    chunk.setRow(index, row);
    // An invitation that cannot be sent again says nothing of new people.
    if (row.outcome === undefined || row.resendTo !== undefined) return;
    const last = signs.see(chunk.jobId, row.outcome.status === 'rejected');
    if (showsWrongJob(last, rejectedShareMax)) this.#stop('too_many_rejected', wrongJobMessage(last, rejectedShareMax));
  }

  /** Waits for the call's place in the pace, and starts none that the time or the lease would cut off. */
  async #start(): Promise<number> {
    const { clock, weather, halt } = this.#parts;
    for (;;) {
      const nowMs = clock.now();
      const place = weather.reserveStart(nowMs);
      this.#expectTimeFor(place.startAtMs - nowMs);
      if (place.startAtMs > nowMs) await clock.sleep(place.startAtMs - nowMs, halt.signal);
      this.#expectTimeFor(0);
      // Another call was told to wait while this one slept: then it waits, too, as long as there is time.
      if (!weather.isPlaceValid(place)) continue;
      this.#expectLease();
      return clock.now();
    }
  }

  async #expectStillTime(otherwise: () => Promise<void>): Promise<void> {
    try {
      this.#expectTimeFor(0);
      this.#expectLease();
    } catch (error) {
      await otherwise();
      throw error;
    }
  }

  #expectTimeFor(waitMs: number): void {
    const { halt, invocation, callTimeoutMs } = this.#parts;
    if (invocation.remainingMs() < waitMs + callTimeoutMs + workerLimits.closingMs) halt.set({ kind: 'out_of_time' });
    if (halt.reason !== undefined) throw new Halted();
  }

  #expectLease(): void {
    const { chunk, clock, stopWatch, halt, callTimeoutMs } = this.#parts;
    this.#expectSightOfOthers();
    if (stopWatch.isSeen && clock.now() + callTimeoutMs <= chunk.leaseEndsAtMs) return;
    halt.set({ kind: 'out_of_time' });
    throw new Halted();
  }

  #expectSightOfOthers(): void {
    const { chunk, others, halt } = this.#parts;
    if (others.isSeen(chunk)) return;
    halt.set({ kind: 'out_of_time' });
    throw new Halted();
  }

  #heedInviteAnswer(answer: InviteAnswer | ResendAnswer, row: number, startedAtMs: number): void {
    switch (answer.kind) {
      case 'invited':
      case 'resent':
        this.#parts.signs.noteForbidden(this.#parts.chunk.jobId, false);
        return this.#heedDefiniteAnswer();
      case 'refused':
        this.#countForbidden(answer);
        return this.#heedDefiniteAnswer();
      case 'key_refused':
        return this.#stopForKey(answer.message);
      case 'slow_down':
        return this.#slowDown(startedAtMs, answer.retryAfterMs);
      case 'in_doubt':
        this.#heedSign({ kind: 'invite_failed', row });
        throw new TryAgain(answer.doubt.detail);
      default:
        return answer satisfies never;
    }
  }

  #heedLookUpAnswer(answer: LookUpAnswer, startedAtMs: number): void {
    switch (answer.kind) {
      case 'found':
      case 'not_found':
        return this.#heedSign({ kind: 'look_up_answered' });
      case 'refused':
        return;
      case 'key_refused':
        return this.#stopForKey(answer.message);
      case 'slow_down':
        return this.#slowDown(startedAtMs, answer.retryAfterMs);
      case 'unavailable':
        this.#heedSign({ kind: 'look_up_failed' });
        throw new TryAgain(answer.detail);
      default:
        return answer satisfies never;
    }
  }

  #heedDefiniteAnswer(): void {
    const { weather, clock, chunk, onRecovery } = this.#parts;
    weather.accepted(clock.now());
    this.#hasInviteAnswer = true;
    this.#heedSign({ kind: 'invite_answered' });
    if (!this.#isProbing) return;
    this.#isProbing = false;
    weather.wasDown = false;
    chunk.forgetOutage();
    onRecovery();
  }

  #heedSign(sign: Sign): void {
    const { halt, weather } = this.#parts;
    this.#health = observe(this.#health, sign);
    if (!isDown(this.#health, { isProbing: this.#isProbing, blamesRows: this.#blamesRows })) return;
    weather.wasDown = true;
    halt.set({ kind: 'api_down' });
  }

  #slowDown(startedAtMs: number, retryAfterMs: number | undefined): never {
    const { weather, clock } = this.#parts;
    if (weather.slowedDown(startedAtMs, clock.now(), retryAfterMs)) this.#heedSign({ kind: 'slowed_down' });
    throw new SlowedDown();
  }

  #countForbidden({ httpStatus, message }: { readonly httpStatus: number; readonly message: string }): void {
    const { signs, chunk } = this.#parts;
    const inARow = signs.noteForbidden(chunk.jobId, httpStatus === 403);
    if (inARow < workerLimits.forbiddenInARowMax) return;
    const found = `The API answered 403 to ${inARow} invitations in a row: ${message}`;
    this.#stop('key_forbidden', `${found} The owner of the API key needs a role that may invite users.`);
  }

  #stopForKey(message: string): never {
    this.#stop(
      'key_refused',
      `The API no longer accepts the key (status 401): ${message} Put a valid key in its place.`,
    );
    throw new Halted();
  }

  #stop(code: Stop['code'], message: string): void {
    const { halt, clock } = this.#parts;
    halt.set({ kind: 'stopped', stop: { code, message, atMs: clock.now() } });
  }
}

/** The pace is that of all calls, so an answered look-up counts towards it. */
function isTaken({ kind }: LookUpAnswer): boolean {
  return kind === 'found' || kind === 'not_found' || kind === 'refused';
}
