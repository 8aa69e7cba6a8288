/**
 * A small world for the use cases: a store, queues, a clock and an API that a test controls.
 */

import { inspect } from 'node:util';
import type { Invocation } from '../../lambdas/consume.ts';
import type { InviteAnswer, LookUpAnswer, ResendAnswer } from '../../lambdas/core/answers.ts';
import type { DirectoryUser } from '../../lambdas/core/directory.ts';
import { emailKey } from '../../lambdas/core/email.ts';
import type { Invitee } from '../../lambdas/core/invitee.ts';
import type { Clock, Log, Metrics, OnApiCall, OutgoingQueue } from '../../lambdas/ports.ts';
import type { WholeApi } from './doitApi.ts';
import { type MemoryStore, memoryStore } from './memoryStore.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** Time passes only while all that is left to do is to wait; then those who sleep wake up in order. */
function manualClock(startMs = Date.UTC(2026, 0, 31, 7, 5)): ManualClock {
  let nowMs = startMs;
  let isWakingUp = false;
  let sleepers: { readonly wakeAtMs: number; readonly wake: () => void }[] = [];

  /** Each after a turn of the event loop, so that what the one before has set off comes first. */
  function wakeNext(): void {
    const next = sleepers.reduce((first, other) => (other.wakeAtMs < first.wakeAtMs ? other : first));
    sleepers = sleepers.filter((sleeper) => sleeper !== next);
    nowMs = Math.max(nowMs, next.wakeAtMs);
    next.wake();
    isWakingUp = sleepers.length > 0;
    if (isWakingUp) setImmediate(wakeNext);
  }

  return {
    now: () => nowMs,
    sleep: async (ms, signal) => {
      if (signal?.aborted === true) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const sleeper = { wakeAtMs: nowMs + ms, wake: resolve };
      sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        // It wakes up now, and its place in the order no longer moves the time.
        sleepers = sleepers.map((other) => (other === sleeper ? { wakeAtMs: nowMs, wake: resolve } : other));
        resolve();
      });
      if (!isWakingUp) setImmediate(wakeNext);
      isWakingUp = true;
      await promise;
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export interface FakeQueue extends OutgoingQueue {
  readonly bodies: string[];
}

function fakeQueue(): FakeQueue {
  const bodies: string[] = [];
  return {
    bodies,
    sendAll: async (messages) => {
      bodies.push(...messages.map(({ body }) => body));
    },
  };
}

export interface FakeApi extends WholeApi {
  /** Users by the key of their email; an invitation adds one. */
  readonly users: Map<string, Omit<DirectoryUser, 'email'>>;
  /** Every call, as `operation` or `operation email`. */
  readonly calls: string[];
  /** Answers to the next invitations instead of the usual one; `effect` says whether it takes effect all the same. */
  onInvite: (invitee: Invitee) => { readonly answer: InviteAnswer; readonly effect: boolean } | undefined;
  /** How long an invitation takes. */
  latencyMs: number;
  onFind: (email: string) => LookUpAnswer | undefined;
  onResend: (userId: string) => ResendAnswer | undefined;
  onRead: () =>
    | { kind: 'refused'; httpStatus: number; message: string }
    | { kind: 'unavailable'; detail: string }
    | undefined;
}

function fakeApi(clock: Clock): FakeApi {
  const users: FakeApi['users'] = new Map();
  const calls: string[] = [];
  const read = <T>(operation: string, value: () => T) => {
    calls.push(operation);
    return api.onRead() ?? ({ kind: 'read', value: value() } as const);
  };
  const api: FakeApi = {
    users,
    calls,
    latencyMs: 0,
    onInvite: () => undefined,
    onFind: () => undefined,
    onResend: () => undefined,
    onRead: () => undefined,
    validateKey: async () => read('validate', () => ({ email: 'owner@acme.example', domain: 'acme.example' })),
    listUsers: async () => read('list_users', () => [...users].map(([email, user]) => ({ email, ...user }))),
    listRoles: async () => read('list_roles', () => [{ id: 'role-1', name: 'Standard User' }]),
    listOrganizations: async () => read('list_organizations', () => [{ id: 'root', name: 'Acme' }]),
    findUser: async (email) => {
      calls.push(`find_user ${email}`);
      const user = users.get(emailKey(email));
      const usual: LookUpAnswer =
        user === undefined ? { kind: 'not_found' } : { kind: 'found', userId: user.id, userStatus: user.status };
      return api.onFind(email) ?? usual;
    },
    invite: async (invitee) => {
      calls.push(`invite_user ${invitee.email}`);
      if (api.latencyMs > 0) await clock.sleep(api.latencyMs);
      const id = `user-${users.size + 1}`;
      const { answer, effect } = api.onInvite(invitee) ?? {
        answer: { kind: 'invited', httpStatus: 201, userId: id } as const,
        effect: true,
      };
      if (effect && !users.has(emailKey(invitee.email))) users.set(emailKey(invitee.email), { id, status: 'invited' });
      return answer;
    },
    resend: async (userId, idempotencyKey) => {
      calls.push(`resend_invitation ${userId} ${idempotencyKey}`);
      return api.onResend(userId) ?? { kind: 'resent', httpStatus: 200 };
    },
  };
  return api;
}

/** Gives the API to a use case, and counts its calls as the real client does. */
export function connect(api: WholeApi): (onCall: OnApiCall) => WholeApi {
  return (onCall) => ({
    ...api,
    invite: async (invitee) => {
      const answer = await api.invite(invitee);
      onCall('invite_user', answer.kind === 'invited' ? '201' : 'no_answer', 0);
      return answer;
    },
  });
}

export interface RecordingLog extends Log {
  readonly lines: string[];
}

function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const add = (event: string, fields: object) => lines.push(`${event} ${JSON.stringify(fields)}`);
  // All of an error goes into a real log: its message, what caused it, and whatever else it carries.
  return {
    lines,
    info: add,
    warn: add,
    error: (event, fields, error) => add(event, { ...fields, error: inspect(error) }),
  };
}

export const noMetrics: Metrics = {
  count: () => undefined,
  timeApiCall: () => undefined,
  publish: () => undefined,
};

export interface RecordingMetrics extends Metrics {
  /** What was counted, as `name value dimensions`, and `published` where it was sent. */
  readonly lines: string[];
}

export function recordingMetrics(): RecordingMetrics {
  const lines: string[] = [];
  return {
    lines,
    count: (name, value, by) => lines.push(`${name} ${value} ${JSON.stringify(by)}`),
    timeApiCall: (operation, answer, tookMs) => lines.push(`call ${operation} ${answer} ${tookMs}`),
    publish: () => lines.push('published'),
  };
}

/** An invocation with plenty of time, unless a test says otherwise. */
export function invocation(id: string, remainingMs: () => number = () => 300_000, deliveries = 1): Invocation {
  return { id, remainingMs, deliveries };
}

export interface World {
  readonly store: MemoryStore;
  readonly chunksQueue: FakeQueue;
  readonly reportsQueue: FakeQueue;
  readonly clock: ManualClock;
  readonly api: FakeApi;
  readonly log: RecordingLog;
  readonly metrics: RecordingMetrics;
  readonly newToken: () => string;
}

export function newWorld({ keepsVersions = false } = {}): World {
  const clock = manualClock();
  let tokens = 0;
  return {
    store: memoryStore(clock.now, keepsVersions),
    chunksQueue: fakeQueue(),
    reportsQueue: fakeQueue(),
    clock,
    api: fakeApi(clock),
    log: recordingLog(),
    metrics: recordingMetrics(),
    newToken: () => {
      tokens += 1;
      return `token-${tokens}`;
    },
  };
}
