/**
 * Run as a process of its own: DoiT APIs that misbehave, each with people of its own at a port of its own, on the loopback
 * address. What happens in them is told to the process that started it, in the order in which it happens.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { randomNumbers } from '../../cli/sandbox/faults.ts';
import { type ApiEvent, type ApiFault, type Operation, openingSchema, usersFromTheStart } from './apiEvents.ts';

const host = '127.0.0.1';
const latencyMsMin = 5;
const latencyMsMax = 40;
/** So long after its arrival an invitation takes effect late; the client has given up by then. */
const lateMsMin = 600;
const lateMsMax = 1000;
/** Longer than any client waits; then the connection is given up. */
const hangMs = 60_000;

type Share = readonly [fault: ApiFault, share: number];

/** A 429 comes only where so many calls came within the last second, as from an API with a limit. */
const busyCalls = 10;

/** The shares of the calls that meet each fault; all others are answered as documented. */
const inviteFaults: readonly Share[] = [
  ['slow_down', 0.05],
  ['error_without_effect', 0.07],
  ['error_with_effect', 0.09],
  ['no_answer_without_effect', 0.03],
  ['no_answer_with_effect', 0.06],
  ['no_answer_with_late_effect', 0.04],
  ['reset_without_effect', 0.04],
  ['reset_with_effect', 0.05],
  ['unreadable_with_effect', 0.03],
];
const readFaults: readonly Share[] = [
  ['slow_down', 0.02],
  ['error_without_effect', 0.08],
  ['no_answer_without_effect', 0.03],
  ['reset_without_effect', 0.04],
];

const bodySchema = z.object({ email: z.email() });

interface Api {
  readonly seed: number;
  readonly random: () => number;
  readonly users: Map<string, { readonly id: string; readonly email: string; readonly status: string }>;
  calls: number;
  /** When the last calls arrived. */
  arrivedAtMs: readonly number[];
}

process.on('message', (message) => {
  const { seed } = openingSchema.parse(message);
  open(seed).catch((error: unknown) => tell({ seed, kind: 'broken', detail: String(error) }));
});
// Whoever started this is gone.
process.on('disconnect', () => process.exit());

async function open(seed: number): Promise<void> {
  const users = usersFromTheStart.map(
    ({ email, status }) => [email, { id: `user of ${email}`, email, status }] as const,
  );
  const api: Api = { seed, random: randomNumbers(seed), users: new Map(users), calls: 0, arrivedAtMs: [] };
  const server = createServer((request, response) => {
    handle(api, request, response).catch(() => response.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  tell({ seed, kind: 'opened', url: `http://${host}:${(server.address() as AddressInfo).port}` });
}

function tell(event: ApiEvent): void {
  process.send?.(event);
}

async function handle(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { searchParams, pathname } = new URL(request.url ?? '/', `http://${host}`);
  api.calls += 1;
  const call = api.calls;
  const operation = operationOf(request.method ?? '', pathname, searchParams);
  const body = await text(request);
  const email = operation === 'invite' ? bodySchema.parse(JSON.parse(body)).email.toLowerCase() : emailOf(searchParams);
  const fault = faultOf(faultsOf(operation), isBusy(api), api.random);
  const delayMs = between(latencyMsMin, latencyMsMax, api.random);
  const lateMs = between(lateMsMin, lateMsMax, api.random);
  tell({ seed: api.seed, kind: 'call', call, operation, email, fault });
  await wait(delayMs);
  switch (fault) {
    case 'slow_down':
      return send(response, 429, { error: 'too many requests' });
    case 'error_without_effect':
      return sendProxyError(response);
    case 'error_with_effect':
      effectOf(api, call, operation, email);
      return send(response, 500, { error: 'internal error' });
    case 'no_answer_without_effect':
      return await giveNoAnswer(response);
    case 'no_answer_with_effect':
      effectOf(api, call, operation, email);
      return await giveNoAnswer(response);
    case 'no_answer_with_late_effect':
      await wait(lateMs);
      effectOf(api, call, operation, email);
      return await giveNoAnswer(response);
    case 'reset_without_effect':
      return reset(response);
    case 'reset_with_effect':
      effectOf(api, call, operation, email);
      return reset(response);
    case 'unreadable_with_effect':
      effectOf(api, call, operation, email);
      return sendText(response, 200, '{"message": "invitation se');
    case undefined: {
      const { status, body: answer } = effectOf(api, call, operation, email);
      return send(response, status, answer);
    }
    default:
      return fault satisfies never;
  }
}

function operationOf(method: string, pathname: string, searchParams: URLSearchParams): Operation {
  switch (`${method} ${pathname}`) {
    case 'GET /auth/v1/validate':
      return 'validate';
    case 'GET /iam/v1/users':
      return searchParams.has('email') ? 'look_up' : 'list';
    case 'POST /iam/v1/users/invite':
      return 'invite';
    default:
      return 'reach';
  }
}

function emailOf(searchParams: URLSearchParams): string | undefined {
  return searchParams.get('email')?.toLowerCase();
}

/** The command asks once whether there is anything at the address, and gives up at once where there is not. */
function faultsOf(operation: Operation): readonly Share[] {
  if (operation === 'reach') return [];
  return operation === 'invite' ? inviteFaults : readFaults;
}

function isBusy(api: Api): boolean {
  const nowMs = performance.now();
  api.arrivedAtMs = [...api.arrivedAtMs.filter((atMs) => atMs > nowMs - 1000), nowMs];
  return api.arrivedAtMs.length > busyCalls;
}

function faultOf(faults: readonly Share[], isBusy: boolean, random: () => number): ApiFault | undefined {
  let point = random();
  for (const [fault, share] of faults) {
    if (point < share) return fault === 'slow_down' && !isBusy ? undefined : fault;
    point -= share;
  }
  return undefined;
}

function between(min: number, max: number, random: () => number): number {
  return min + (max - min) * random();
}

/** What the API does of itself, whatever becomes of its answer. */
function effectOf(
  api: Api,
  call: number,
  operation: Operation,
  email = '',
): { readonly status: number; readonly body: unknown } {
  const { seed, users } = api;
  const user = users.get(email);
  switch (operation) {
    case 'invite': {
      tell({ seed, kind: 'effect', call, email, isNew: user === undefined });
      if (user !== undefined) return { status: 400, body: { error: 'the user exists already' } };
      const invited = { id: `user ${call}`, email, status: 'invited' };
      users.set(email, invited);
      return { status: 201, body: { message: 'invitation sent', user: invited } };
    }
    case 'look_up': {
      tell({ seed, kind: 'told', call, email, found: user !== undefined });
      const found = user === undefined ? [] : [user];
      return { status: 200, body: { users: found, rowCount: found.length } };
    }
    case 'list':
      return { status: 200, body: { users: [...users.values()], rowCount: users.size } };
    case 'validate':
      return { status: 200, body: { domain: 'acme.example', email: 'owner@acme.example' } };
    case 'reach':
      return { status: 404, body: { error: 'not found' } };
    default:
      return operation satisfies never;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendProxyError(response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'text/html' }).end('<html><body>Service Unavailable</body></html>');
}

function sendText(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

async function giveNoAnswer(response: ServerResponse): Promise<void> {
  await wait(hangMs, undefined, { ref: false });
  response.destroy();
}

/** An end without a goodbye: the client sees ECONNRESET. */
function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
