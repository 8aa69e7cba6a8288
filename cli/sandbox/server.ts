/**
 * The sandbox: a server that behaves as the DoiT API is documented, on the loopback address only. Nobody is really
 * invited.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { jobTitles } from '../../lambdas/core/jobTitle.ts';
import { type Faults, type Misbehaviour, misbehaviourOf, randomNumbers, rateLimiter } from './faults.ts';
import { organizations, roles } from './northlight.ts';
import type { NewUser, Organization } from './organization.ts';

export interface SandboxOptions {
  /** 0 for any free port. */
  readonly port: number;
  readonly organization: Organization;
  readonly faults: Faults;
  /** The one key that is accepted; without it, any key is. */
  readonly key?: string;
  /** Where it is set, every call must name it as its tenant. */
  readonly tenantId?: string;
  /** Told of every call, as it arrives. */
  readonly onCall?: (method: string, path: string) => void;
}

export interface Sandbox {
  readonly url: string;
  close(): Promise<void>;
}

type Reply =
  /** A string is HTML; everything else is sent as JSON. */
  | { readonly status: number; readonly body: unknown }
  /** JSON text in pieces, of which the next one is asked for when the one before has been sent. */
  | { readonly status: number; readonly pieces: Iterable<string> };

const host = '127.0.0.1';
const requestBytesMax = 64 * 1024;
/** Longer than any client waits; then the connection is given up. */
const hangMs = 10 * 60_000;

const inviteSchema = z.object({
  email: z.email(),
  firstName: z.string().exactOptional(),
  lastName: z.string().exactOptional(),
  jobTitle: z.enum(jobTitles).exactOptional(),
  roleId: z.string().exactOptional(),
  organizationId: z.string().exactOptional(),
});

/** Addresses whose invitation always ends badly, to show what a report then says. */
const specialReplies: readonly (readonly [prefix: string, reply: Reply])[] = [
  ['sandbox-400', { status: 400, body: { error: 'this address is on the suppression list' } }],
  ['sandbox-403', { status: 403, body: { error: 'you may not grant this role' } }],
  ['sandbox-500', { status: 500, body: { error: 'internal error' } }],
  ['sandbox-504', { status: 504, body: '<html><body>Gateway Timeout</body></html>' }],
];

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const random = randomNumbers(options.faults.seed);
  const isWithinRate = rateLimiter(options.faults.rateLimitPerSecond);
  const stopping = new AbortController();
  const server = createServer((request, response) => {
    const misbehaviour = misbehaviourOf(options.faults, isWithinRate(performance.now()), random);
    answer(request, response, misbehaviour, options, stopping.signal).catch(() => response.destroy());
  });
  server.listen(options.port, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    close: async () => {
      stopping.abort();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  misbehaviour: Misbehaviour,
  options: SandboxOptions,
  signal: AbortSignal,
): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  options.onCall?.(method, new URL(url, 'http://sandbox').pathname);
  const body = await readBody(request);
  if (options.faults.latencyMs > 0) await wait(options.faults.latencyMs, undefined, { signal });
  switch (misbehaviour) {
    case 'too_many':
      return await send(response, { status: 429, body: { error: 'too many requests' } });
    case 'error_before':
      return await send(response, { status: 503, body: '<html><body>Service Unavailable</body></html>' });
    case 'hang':
      handle(request, method, url, body, options);
      await wait(hangMs, undefined, { signal, ref: false });
      response.destroy();
      return;
    case 'error_after': {
      const reply = handle(request, method, url, body, options);
      const hasEffect = method === 'POST' && reply.status < 300;
      return await send(response, hasEffect ? { status: 500, body: { error: 'internal error' } } : reply);
    }
    case 'none':
      return await send(response, handle(request, method, url, body, options));
    default:
      return misbehaviour satisfies never;
  }
}

function handle(request: IncomingMessage, method: string, url: string, body: string, options: SandboxOptions): Reply {
  const refusal = refuse(request, options);
  if (refusal !== undefined) return refusal;
  const { pathname, searchParams } = new URL(url, 'http://sandbox');
  switch (`${method} ${pathname}`) {
    case 'GET /auth/v1/validate':
      return { status: 200, body: { domain: 'northlight.example', email: 'ingrid.solheim@northlight.example' } };
    case 'GET /iam/v1/users':
      return users(searchParams.get('email'), options.organization);
    case 'GET /iam/v1/roles':
      return { status: 200, body: { roles } };
    case 'GET /iam/v1/organizations':
      return { status: 200, body: { organizations, rowCount: organizations.length } };
    case 'POST /iam/v1/users/invite':
      return invite(body, options.organization);
    default: {
      const [, userId] = method === 'POST' ? (resendPath.exec(pathname) ?? []) : [];
      if (userId !== undefined) return resend(decodeURIComponent(userId), request, options.organization);
      return { status: 404, body: { error: `the sandbox does not know ${method} ${pathname}` } };
    }
  }
}

const resendPath = /^\/iam\/v1\/users\/([^/]+)\/actions\/resend$/u;

function refuse(request: IncomingMessage, { key, tenantId }: SandboxOptions): Reply | undefined {
  const sent = /^Bearer (.+)$/u.exec(request.headers.authorization ?? '')?.[1];
  if (sent === undefined || (key !== undefined && sent !== key))
    return { status: 401, body: { error: 'invalid API key' } };
  const tenant = request.headers['x-tenant-id'];
  if (tenantId === undefined || tenant === tenantId) return undefined;
  const code = tenant === undefined ? 'tenant_id_required' : 'tenant_id_mismatch';
  return { status: 400, body: { error: `the key reaches several customers (${code})`, code } };
}

function users(email: string | null, organization: Organization): Reply {
  if (email === null) return { status: 200, pieces: listUsers(organization) };
  const found = [organization.find(email)].filter((user) => user !== undefined);
  return { status: 200, body: { users: found, rowCount: found.length } };
}

/** The list is sent while it is read, and the users as they are stored: there may be hundreds of thousands of them. */
function* listUsers(organization: Organization): Generator<string, undefined> {
  let rowCount = 0;
  yield '{"users":[';
  for (const users of organization.userTexts()) {
    yield `${rowCount === 0 ? '' : ','}${users.join(',')}`;
    rowCount += users.length;
  }
  yield `],"rowCount":${rowCount}}`;
  return undefined;
}

function invite(body: string, organization: Organization): Reply {
  const parsed = inviteSchema.safeParse(parseJson(body));
  if (!parsed.success)
    return { status: 400, body: { error: `bad request: ${parsed.error.issues[0]?.path.join('.') ?? 'body'}` } };
  const newUser: NewUser = parsed.data;
  const special = specialReplies.find(([prefix]) => newUser.email.startsWith(prefix));
  if (special !== undefined) return special[1];
  if (newUser.roleId !== undefined && !organization.hasRole(newUser.roleId))
    return { status: 400, body: { error: 'unknown role' } };
  if (newUser.organizationId !== undefined && !organization.hasOrganization(newUser.organizationId)) {
    return { status: 400, body: { error: 'unknown organization' } };
  }
  const user = organization.invite(newUser);
  if (user === undefined) return { status: 400, body: { error: 'the user exists already' } };
  const { id, email, roleId, organizationId, status } = user;
  return { status: 201, body: { message: 'invitation sent', user: { id, email, roleId, organizationId, status } } };
}

function resend(userId: string, { headers }: IncomingMessage, organization: Organization): Reply {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string' || key === '')
    return { status: 400, body: { error: 'the header Idempotency-Key is required' } };
  const result = organization.resend(userId, key);
  switch (result) {
    case 'resent':
      return { status: 200, body: { message: 'invitation sent again' } };
    case 'unknown_user':
      return { status: 404, body: { error: 'there is no such user' } };
    case 'not_invited':
      return { status: 400, body: { error: 'the user has no open invitation' } };
    default:
      return result satisfies never;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    const buffer = Buffer.from(piece);
    bytes += buffer.length;
    if (bytes > requestBytesMax) throw new Error(`A request body over ${requestBytesMax} bytes.`);
    pieces.push(buffer);
  }
  return Buffer.concat(pieces).toString('utf-8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  const isHtml = 'body' in reply && typeof reply.body === 'string';
  response.writeHead(reply.status, { 'content-type': isHtml ? 'text/html' : 'application/json' });
  if ('pieces' in reply) await pipeline(reply.pieces, response);
  else response.end(isHtml ? reply.body : JSON.stringify(reply.body));
}
