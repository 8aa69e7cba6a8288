/**
 * A model of the DoiT API, with a ledger of what really took effect. It keeps one user per email address. The arrival of a
 * call, its effect and its answer are separate events; the client under simulation is the production one, down to the
 * exchange of a request for an answer.
 */
import type { ExchangeCall } from '../../lambdas/adapters/doitClient.ts';
import type { Named } from '../../lambdas/core/directory.ts';
import type { Environment } from './environment.ts';
import type { FaultKind } from './faults.ts';
import type { SimulatedWorld } from './world.ts';

type Request = Parameters<ExchangeCall>[1];
type Exchange = Awaited<ReturnType<ExchangeCall>>;

export interface User {
  readonly id: string;
  readonly email: string;
  readonly status: string;
  readonly createdAtMs: number;
  /** The job whose invitation created this user; undefined for those who were there before. */
  readonly createdBy?: string;
  readonly roleId?: string;
  readonly organizationId?: string;
}

/** An invitation that was sent again. */
export interface Resending {
  readonly email: string;
  readonly jobId: string;
  /** The API sends one email for each. */
  readonly idempotencyKey: string;
  readonly atMs: number;
}

/** A read of something that is no single person. */
export interface GeneralRead {
  readonly path: string;
  readonly askedAtMs: number;
  /** Undefined while nothing has come back, and where there was no answer. */
  httpStatus?: number;
  /** A success that says nothing that anybody could read. */
  wasUnreadable?: boolean;
  /** The whole directory as it was then, where it was read. */
  read?: { readonly atMs: number; readonly users: readonly User[] };
}

/** A call about one person. */
export interface PersonCall {
  readonly kind: 'invite' | 'look_up' | 'resend';
  readonly jobId: string;
  readonly email: string;
  readonly decidedAtMs: number;
  /** When the invocation began that made it. */
  readonly invocationBeganAtMs: number;
  /** What came back of it; undefined while nothing has, and where there was no answer. */
  httpStatus?: number;
  /** When a look-up read the directory, and whether the person was in it. */
  read?: { readonly atMs: number; readonly found: boolean };
}

/** How the API handles one call that has arrived. */
interface Handling {
  readonly takesEffect: boolean;
  /** After the arrival. */
  readonly effectAfterMs: number;
  /** After the arrival, before the effect or after it. Undefined where no answer ever comes. */
  readonly answerAfterMs?: number;
  /** Where it is not what the effect says. */
  readonly answer?: Exchange;
}

export interface ApiSettings {
  /** What an invitation of someone who exists is answered; not documented. */
  readonly existsStatus: 400 | 409;
  /** The share of calls that are answered with 503 while it is down; the others get no answer. */
  readonly answersWhileDown: number;
  /** Calls at once in one worker. */
  readonly concurrency: number;
  /** Calls accepted in a second, where there is a limit. */
  readonly ratePerSecond: number;
  /** How long it takes over a call, at most. */
  readonly workMs: number;
  readonly roles?: readonly Named[];
  readonly organizations?: readonly Named[];
}

interface OpenCall {
  readonly environment: Environment;
  readonly person?: PersonCall;
  readonly general?: GeneralRead;
}

/** The API's edge gives up on a call after about this time; its effect does not come later. */
const edgeMs = 115_000;

/** After so long an outage those who wait for its end come rarely. */
const longDownMs = 20 * 60_000;

const proxyStatuses = [502, 503, 504, 524] as const;
/** Also what is no sensible value. */
const retryAfterMs = [0, 1000, 7000, 3_600_000] as const;
const refusals = [400, 403, 404, 422] as const;

export class DoitApiModel {
  readonly #world: SimulatedWorld;
  readonly #settings: ApiSettings;
  readonly users = new Map<string, User>();
  readonly personCalls: PersonCall[] = [];
  readonly resendings: Resending[] = [];
  readonly generalReads: GeneralRead[] = [];
  /** Users as they were when somebody invited them. */
  readonly created: User[] = [];
  /** Every call that arrived at its network: its path, without a person's address. */
  readonly paths: string[] = [];
  /** Emails of jobs with an invitation whose answer did not tell what happened: `job email`. */
  readonly ambiguous = new Set<string>();
  calls = 0;
  callsAtOnceMost = 0;
  readonly #open = new Set<OpenCall>();
  #arrivals: number[] = [];
  /** Calls that found the API down for longer than `longDownMs`, by job. */
  readonly callsWhileLongDown = new Map<string, number>();
  #downSinceMs: number | undefined;
  isKeyRevoked = false;

  constructor(settings: ApiSettings, world: SimulatedWorld) {
    this.#settings = settings;
    this.#world = world;
  }

  get isDown(): boolean {
    return this.#downSinceMs !== undefined;
  }

  set isDown(isDown: boolean) {
    this.#downSinceMs = isDown ? (this.#downSinceMs ?? this.#world.scheduler.nowMs) : undefined;
  }

  /** The network between one environment and the API. */
  sendFrom(environment: Environment): ExchangeCall {
    return (_baseUrl, request, _headers, timeoutMs) => this.#exchange(environment, request, timeoutMs);
  }

  #exchange(environment: Environment, request: Request, timeoutMs: number): Promise<Exchange> {
    const { scheduler, chance, record } = this.#world;
    const { jobId } = environment;
    this.paths.push(`${request.method} ${request.path.split('?')[0]}`);
    const operation = `${request.method} ${request.path} ${request.body ?? ''}`;
    const person = this.#personCallOf(request, environment, scheduler.nowMs);
    const general: GeneralRead = { path: request.path, askedAtMs: scheduler.nowMs };
    const call: OpenCall = person === undefined ? { environment, general } : { environment, person };
    this.#begin(call);
    return new Promise((resolve) => {
      const end = (exchange: Exchange) => {
        if (!this.#open.delete(call)) return;
        record.trace(scheduler.nowMs, `${environment.name} is answered ${statusOf(exchange)}`);
        if (exchange.kind === 'answer') {
          (person ?? general).httpStatus = exchange.httpStatus;
          general.wasUnreadable = exchange.json === undefined;
        }
        resolve(exchange);
      };
      environment.resume(timeoutMs, () => {
        if (this.#open.has(call)) this.#isAmbiguous(request, jobId);
        end({ kind: 'no_answer', detail: `no answer within ${timeoutMs / 1000} s` });
      });
      environment.leave(operation, chance.between(5, 100), () => {
        const { takesEffect, effectAfterMs, answerAfterMs, answer } = this.#handle(request, jobId);
        let usual: Exchange = { kind: 'no_answer', detail: 'no answer (ECONNRESET)' };
        scheduler.after(effectAfterMs, () => {
          usual = this.#perform(request, jobId, takesEffect, person ?? general);
          environment.arriveBack(operation);
        });
        if (answerAfterMs !== undefined)
          environment.resume(answerAfterMs, () =>
            end(isFalseSuccess(request, answer, usual) ? usual : (answer ?? usual)),
          );
      });
    });
  }

  #begin(call: OpenCall): void {
    const { record } = this.#world;
    const { environment, person, general } = call;
    let ofEnvironment = 1;
    for (const other of this.#open) {
      if (!other.environment.isAlive) this.#open.delete(other);
      else if (isSameInvitation(person, other.person) && !other.environment.wasFrozen)
        record.violated('one_call_at_a_time', `${person?.email} is invited by two calls of ${person?.jobId} at once.`);
      if (other.environment === environment) ofEnvironment += 1;
    }
    if (ofEnvironment > this.#settings.concurrency)
      record.violated('calls_at_once', `${environment.name} makes ${ofEnvironment} calls at once.`);
    this.#open.add(call);
    if (person !== undefined) this.personCalls.push(person);
    if (general !== undefined) this.generalReads.push(general);
    this.calls += 1;
    this.callsAtOnceMost = Math.max(this.callsAtOnceMost, this.#open.size);
  }

  #countLongDown(jobId: string): void {
    if (this.#downSinceMs === undefined || this.#world.scheduler.nowMs - this.#downSinceMs < longDownMs) return;
    this.callsWhileLongDown.set(jobId, (this.callsWhileLongDown.get(jobId) ?? 0) + 1);
  }

  #isAmbiguous(request: Request, jobId: string): void {
    if (request.method === 'POST') this.ambiguous.add(`${jobId} ${this.#emailOf(request)}`);
  }

  #emailOf(request: Request): string {
    const userId = resentUserOf(request);
    if (userId === undefined) return emailOf(request);
    return [...this.users.values()].find(({ id }) => id === userId)?.email ?? userId;
  }

  #personCallOf(request: Request, environment: Environment, nowMs: number): PersonCall | undefined {
    const isPost = request.method === 'POST';
    const email = isPost
      ? this.#emailOf(request)
      : new URL(request.path, 'http://api.example').searchParams.get('email')?.toLowerCase();
    if (email === undefined) return undefined;
    const { jobId, beganAtMs: invocationBeganAtMs } = environment;
    const kindOfPost = resentUserOf(request) === undefined ? 'invite' : 'resend';
    return { kind: isPost ? kindOfPost : 'look_up', jobId, email, decidedAtMs: nowMs, invocationBeganAtMs };
  }

  #handle(request: Request, jobId: string): Handling {
    const { faults, chance, scheduler } = this.#world;
    const effectAfterMs = chance.between(5, this.#settings.workMs);
    const asUsual = { takesEffect: true, effectAfterMs, answerAfterMs: effectAfterMs + chance.between(5, 100) };
    const refuse = (httpStatus: number, more: object = {}): Handling => ({
      ...asUsual,
      takesEffect: false,
      answer: answerOf(httpStatus, { error: `Status ${httpStatus}.` }, more),
    });
    if (this.isDown) {
      faults.count('api_down');
      this.#countLongDown(jobId);
      this.#isAmbiguous(request, jobId);
      return chance.happens(this.#settings.answersWhileDown) ? refuse(503) : { takesEffect: false, effectAfterMs };
    }
    if (this.isKeyRevoked) {
      faults.count('key_revoked');
      return refuse(401);
    }
    if (this.#isTooFast(scheduler.nowMs)) {
      faults.count('api_rate_limit');
      return refuse(429);
    }
    if (faults.strikes('api_429')) return refuse(429);
    if (faults.strikes('api_429_retry_after')) return refuse(429, { retryAfterMs: chance.pick(retryAfterMs) });
    if (request.method === 'GET') return this.#handleRead(asUsual, refuse);
    if (faults.strikes('api_refuses')) return refuse(chance.pick(refusals));
    const handling = this.#handlePost(asUsual, refuse, resentUserOf(request) !== undefined);
    const isClear = handling.answer === undefined && handling.answerAfterMs !== undefined;
    if (!isClear) this.#isAmbiguous(request, jobId);
    return handling;
  }

  #handleRead(asUsual: Handling, refuse: (httpStatus: number) => Handling): Handling {
    const { faults, chance } = this.#world;
    if (faults.strikes('api_read_slow')) return slowly(asUsual, chance.between(1000, 60_000));
    if (faults.strikes('api_read_refused')) return refuse(chance.pick(refusals));
    if (!faults.strikes('api_read_fails')) return asUsual;
    if (chance.happens(0.3)) return { takesEffect: true, effectAfterMs: asUsual.effectAfterMs };
    if (chance.happens(0.3)) return { ...asUsual, answer: answerOf(200, undefined) };
    return refuse(chance.pick([500, ...proxyStatuses]));
  }

  /** At most one thing goes wrong with a call. */
  #handlePost(asUsual: Handling, refuse: (httpStatus: number) => Handling, isResend: boolean): Handling {
    const { faults, chance } = this.#world;
    const { effectAfterMs } = asUsual;
    const lateMs = chance.between(30_000, edgeMs);
    const proxyError = answerOf(chance.pick(proxyStatuses), undefined);
    const ways: Partial<Record<FaultKind, Handling>> = {
      api_500: refuse(500),
      api_500_with_effect: { ...asUsual, answer: answerOf(500, undefined) },
      api_proxy_error: { ...asUsual, takesEffect: false, answer: proxyError },
      api_proxy_error_with_effect: { ...asUsual, answer: proxyError },
      api_proxy_error_late_effect: { ...asUsual, effectAfterMs: lateMs, answer: proxyError },
      api_silent: { takesEffect: false, effectAfterMs },
      api_silent_with_effect: { takesEffect: true, effectAfterMs },
      api_silent_late_effect: { takesEffect: true, effectAfterMs: lateMs },
      api_unreadable: { ...asUsual, takesEffect: false, answer: answerOf(200, undefined) },
      api_unreadable_with_effect: { ...asUsual, answer: answerOf(200, undefined) },
      api_conflict: refuse(409),
      api_slow: slowly(asUsual, chance.between(2000, 60_000)),
    };
    // What is asked for again has no answer to be read but its status.
    if (isResend) ways.api_unreadable = ways.api_unreadable_with_effect ?? asUsual;
    for (const [kind, way] of Object.entries(ways)) if (faults.strikes(kind as FaultKind)) return way;
    return asUsual;
  }

  #perform(request: Request, jobId: string, takesEffect: boolean, call: PersonCall | GeneralRead): Exchange {
    if (request.method === 'GET') return this.#read(request.path, call);
    if (resentUserOf(request) !== undefined) return this.#resend(request, jobId, takesEffect);
    const email = emailOf(request);
    if (email.startsWith('refused')) return answerOf(400, { error: 'This person may not be invited.' });
    const there = this.users.get(email);
    const { existsStatus } = this.#settings;
    if (there !== undefined) {
      // A conflict does not say with whom.
      if (existsStatus === 409) this.#isAmbiguous(request, jobId);
      return answerOf(existsStatus, { error: 'The user exists.' });
    }
    if (!takesEffect) return answerOf(500, { error: 'Nothing happened.' });
    const { scheduler, record } = this.#world;
    const user = {
      id: `user-${this.users.size + 1}`,
      email,
      status: 'invited',
      createdAtMs: scheduler.nowMs,
      createdBy: jobId,
      ...accessOf(request),
    };
    this.users.set(email, user);
    this.created.push(user);
    record.trace(scheduler.nowMs, `the API invites ${email}`);
    return answerOf(201, { message: 'Invited.', user });
  }

  #resend(request: Request, jobId: string, takesEffect: boolean): Exchange {
    const email = this.#emailOf(request);
    const user = this.users.get(email);
    if (user === undefined) return answerOf(404, { error: 'There is no such user.' });
    if (!['invited', 'expired'].includes(user.status)) return answerOf(400, { error: 'There is no open invitation.' });
    if (!takesEffect) return answerOf(500, { error: 'Nothing happened.' });
    const { scheduler, record } = this.#world;
    const idempotencyKey = request.headers?.['idempotency-key'] ?? '';
    const isKnown = idempotencyKey !== '' && this.resendings.some((other) => other.idempotencyKey === idempotencyKey);
    if (!isKnown) {
      this.resendings.push({ email, jobId, idempotencyKey, atMs: scheduler.nowMs });
      this.users.set(email, { ...user, status: 'invited' });
      record.trace(scheduler.nowMs, `the API invites ${email} once more`);
    }
    return answerOf(200, { message: 'Sent.' });
  }

  #read(path: string, call: PersonCall | GeneralRead): Exchange {
    const atMs = this.#world.scheduler.nowMs;
    if (path === '/auth/v1/validate') return answerOf(200, { email: 'owner@acme.example', domain: 'acme.example' });
    if (path === '/iam/v1/users' && 'path' in call) {
      const users = [...this.users.values()];
      call.read = { atMs, users };
      return answerOf(200, { users, rowCount: users.length });
    }
    const { roles = [], organizations = [] } = this.#settings;
    if ('path' in call) return answerOf(200, { roles, organizations });
    const user = this.users.get(call.email);
    call.read = { atMs, found: user !== undefined };
    return answerOf(200, { users: user === undefined ? [] : [user] });
  }

  #isTooFast(nowMs: number): boolean {
    if (!this.#world.faults.isOn('api_rate_limit')) return false;
    this.#arrivals = this.#arrivals.filter((atMs) => atMs > nowMs - 1000);
    if (this.#arrivals.length >= this.#settings.ratePerSecond) return true;
    this.#arrivals.push(nowMs);
    return false;
  }
}

/** Of an invitation that is no longer open, nothing says that it was sent again: a success would have nothing but its status. */
function isFalseSuccess(request: Request, answer: Exchange | undefined, usual: Exchange): boolean {
  const isSuccess = answer?.kind === 'answer' && answer.httpStatus === 200;
  return resentUserOf(request) !== undefined && isSuccess && usual.kind === 'answer' && usual.httpStatus >= 400;
}

function slowly(handling: Handling, ms: number): Handling {
  return { ...handling, effectAfterMs: ms, answerAfterMs: ms + 50 };
}

/** Id of the user whose invitation is to be sent again. */
function resentUserOf({ method, path }: Request): string | undefined {
  const userId = /^\/iam\/v1\/users\/([^/]+)\/actions\/resend$/u.exec(path)?.[1];
  return method === 'POST' && userId !== undefined ? decodeURIComponent(userId) : undefined;
}

function isSameInvitation(call: PersonCall | undefined, other: PersonCall | undefined): boolean {
  if (call === undefined || call.kind === 'look_up' || call.kind !== other?.kind) return false;
  return call.jobId === other.jobId && call.email === other.email;
}

function emailOf({ body = '{}' }: Request): string {
  return String((JSON.parse(body) as { email?: string }).email).toLowerCase();
}

function accessOf({ body = '{}' }: Request): Pick<User, 'roleId' | 'organizationId'> {
  const { roleId, organizationId } = JSON.parse(body) as Pick<User, 'roleId' | 'organizationId'>;
  return { ...(roleId === undefined ? {} : { roleId }), ...(organizationId === undefined ? {} : { organizationId }) };
}

function answerOf(httpStatus: number, json: unknown, more: object = {}): Exchange {
  return { kind: 'answer', httpStatus, json, errorMessage: `Status ${httpStatus}.`, ...more };
}

function statusOf(exchange: Exchange): string {
  return exchange.kind === 'answer' ? String(exchange.httpStatus) : 'nothing';
}
