/**
 * The objects of the ledger at every place of their JSON: what this version does not write, it does not read. A field more is
 * the mark of a later version; an older one that passed over it would not heed it, and would drop it when it writes the
 * object again.
 */
import { describe, expect, test } from 'vitest';
import type { Chunk } from '../../lambdas/core/chunk.ts';
import type { Drift } from '../../lambdas/core/drift.ts';
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import { type JobId, parseJobId } from '../../lambdas/core/jobId.ts';
import {
  approvalKey,
  chunkKey,
  chunkPartKey,
  directoryKey,
  driftKey,
  endKey,
  jobKey,
  manifestKey,
  openInvitationsKey,
  resentKey,
  rosterKey,
  stopKey,
} from '../../lambdas/core/keys.ts';
import type { Outcome } from '../../lambdas/core/outcome.ts';
import type { RowProgress } from '../../lambdas/core/rowProgress.ts';
import { type Approval, readApproval } from '../../lambdas/ledger/approval.ts';
import { readChunk } from '../../lambdas/ledger/chunk.ts';
import { fixDecision } from '../../lambdas/ledger/decision.ts';
import { readDirectory } from '../../lambdas/ledger/directory.ts';
import { readDrift } from '../../lambdas/ledger/drift.ts';
import { type Job, readJob } from '../../lambdas/ledger/job.ts';
import { type Manifest, readManifest } from '../../lambdas/ledger/manifest.ts';
import { readOpenInvitations } from '../../lambdas/ledger/openInvitations.ts';
import { readPart } from '../../lambdas/ledger/part.ts';
import { claimResend } from '../../lambdas/ledger/resent.ts';
import { type RosterRun, readRosterRun } from '../../lambdas/ledger/rosterRun.ts';
import { seal } from '../../lambdas/ledger/seal.ts';
import { readStop, type Stop } from '../../lambdas/ledger/stop.ts';
import type { Log, ObjectStore } from '../../lambdas/ports.ts';
import { memoryStore } from '../support/memoryStore.ts';

const jobId = parseJobId('20260131T070500Z-0f3a9c51b2de') as JobId;
const apiCalls = { invite_user: { '201': 3, no_answer: 1 } };

const job: Job = {
  jobId,
  source: { key: 'incoming/people.csv', etag: '"1"', versionId: 'v1', bytes: 10, uploadedAtMs: 1 },
  settings: {
    chunkRows: 5,
    role: 'Admin',
    organization: 'root',
    mapping: { email: 'Mail', firstName: 'F', lastName: 'L', jobTitle: 'J', role: 'R', organization: 'O' },
    mappingFault: 'It is wrong.',
    invitesGone: false,
    allowedDomains: ['acme.example'],
    dryRun: false,
    newPeopleMax: 10_000,
    newPeopleWish: 10_000,
  },
  roster: {
    name: 'acme',
    staleAfterMs: 1,
    openAfterMs: 1,
    resendAfterMs: 1,
    newPeopleShare: 0.5,
    rowsShareMin: 0.5,
    invalidShareMax: 0.5,
    scheduledAtMs: 1,
  },
  startedAtMs: 1,
};

const outcome: Outcome = {
  row: 2,
  status: 'rejected',
  code: 'refused_by_api',
  column: 'email',
  message: 'No.',
  userId: 'user-1',
  httpStatus: 400,
  attempts: 1,
};

/** More than a row has at one time. */
const row: RowProgress = {
  row: 2,
  invitee: {
    email: 'a@acme.example',
    firstName: 'A',
    lastName: 'B',
    jobTitle: 'Founder',
    roleId: '1',
    organizationId: '2',
  },
  warning: 'Left out.',
  attempts: 1,
  doubt: { reason: 'crash', httpStatus: 500, detail: 'none', mayBeOurs: true, mayStillHappen: true },
  wasInDoubt: true,
  lateEffectUntilMs: 5,
  lookedUpAtMs: 5,
  resendTo: 'user-1',
  refusal: { httpStatus: 400, message: 'No.' },
  mustLookUp: true,
  lastHttpStatus: 400,
  outcome,
};

const chunk: Chunk = {
  jobId,
  chunk: 0,
  token: 'token',
  state: { kind: 'running', owner: 'me', leaseEndsAtMs: 1, outcomesAtClaim: 0 },
  rows: [row],
  snapshotAtMs: 1,
  overlaps: false,
  crashesWithoutProgress: 0,
  outage: { sinceMs: 1, pauses: 1, waitedMs: 1 },
  apiCalls,
};

const manifest: Manifest = {
  rows: 1,
  chunks: 1,
  invitees: 1,
  columns: { used: { email: 'Mail' }, ignored: ['Note'] },
  reading: {
    encoding: 'utf-8',
    hasByteOrderMark: false,
    delimiter: ',',
    newline: '\n',
    headerRow: 1,
    firstRow: 2,
    width: 2,
  },
  warnings: ['Mind this.'],
  fault: { code: 'header_only', message: 'No rows.' },
  hold: [{ code: 'too_many_new', message: 'Too many.' }],
  resends: 1,
  apiCalls,
  endedAtMs: 1,
};

const directory = {
  takenAtMs: 1,
  overlaps: false,
  roles: [{ id: '1', name: 'Admin' }],
  organizations: [{ id: '2', name: 'Acme' }],
  users: [['user-1', 'a@acme.example', 'active']],
};

const stop: Stop = { code: 'key_refused', message: 'No.', atMs: 1, by: 'Ann' };

const approval: Approval = { jobId, by: 'Ann', atMs: 1 };

const run: RosterRun = {
  jobId,
  uploadKey: 'incoming/rosters/acme.csv',
  startedAtMs: 1,
  lastCompleted: { jobId, rows: 1 },
  ended: { state: 'completed', rows: 1 },
};

const drift: Drift = {
  kind: 'role_differs',
  email: 'a@acme.example',
  userId: 'user-1',
  userStatus: 'active',
  row: 2,
  inRoster: 'Admin',
  inDirectory: 'User',
  sinceMs: 1,
};

const noLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Json = unknown;

interface Kind {
  readonly name: string;
  readonly key: string;
  readonly json: Json;
  readonly write: (json: Json) => string;
  readonly read: (store: ObjectStore) => Promise<unknown>;
  /** Members that may be missing: an object of an earlier version may be without the newer ones. */
  readonly mayLack: readonly string[];
}

const sealed = (json: Json) => seal(JSON.stringify(json));
const plain = (json: Json) => JSON.stringify(json);
const outcomeMayLack = ['column', 'message', 'userId', 'httpStatus'];
const end = { end: { outcomes: 1, apiCalls, endedAtMs: 1 } };

const kinds: readonly Kind[] = [
  {
    name: 'job.json',
    key: jobKey(jobId),
    json: job,
    write: sealed,
    read: (store) => readJob(store, jobId),
    mayLack: [
      'source.versionId',
      ...['role', 'organization', 'mappingFault', 'newPeopleMax', 'newPeopleWish'].map((name) => `settings.${name}`),
      ...['roster', 'settings.dryRun'],
      ...['resendAfterMs', 'newPeopleShare', 'rowsShareMin', 'invalidShareMax'].map((name) => `roster.${name}`),
      ...Object.keys(job.settings.mapping).map((name) => `settings.mapping.${name}`),
    ],
  },
  {
    name: 'directory.json',
    key: directoryKey(jobId),
    json: directory,
    write: sealed,
    read: (store) => readDirectory(store, jobId),
    mayLack: ['roles', 'organizations'],
  },
  {
    name: 'a chunk',
    key: chunkKey(jobId, 0),
    json: chunk,
    write: sealed,
    read: async (store) => (await readChunk(store, jobId, 0))?.value,
    mayLack: [
      'outage',
      ...['invite_user', 'invite_user.201', 'invite_user.no_answer'].map((name) => `apiCalls.${name}`),
      ...['warning', 'doubt', 'doubt.httpStatus', 'wasInDoubt', 'lateEffectUntilMs', 'lookedUpAtMs', 'resendTo'].map(
        (name) => `rows.0.${name}`,
      ),
      ...['refusal', 'mustLookUp', 'lastHttpStatus', 'outcome'].map((name) => `rows.0.${name}`),
      ...Object.keys(row.invitee).flatMap((name) => (name === 'email' ? [] : [`rows.0.invitee.${name}`])),
      ...outcomeMayLack.map((name) => `rows.0.outcome.${name}`),
    ],
  },
  {
    name: 'manifest.json',
    key: manifestKey(jobId),
    json: manifest,
    write: plain,
    read: (store) => readManifest(store, jobId),
    mayLack: [
      ...['rows', 'columns', 'columns.used.email', 'reading', 'fault', 'hold', 'resends'],
      ...['invite_user', 'invite_user.201', 'invite_user.no_answer'].map((name) => `apiCalls.${name}`),
    ],
  },
  {
    name: 'stop.json',
    key: stopKey(jobId),
    json: stop,
    write: plain,
    read: (store) => readStop(store, jobId),
    mayLack: ['by'],
  },
  {
    name: 'approval.json',
    key: approvalKey(jobId),
    json: approval,
    write: plain,
    read: (store) => readApproval(store, jobId),
    mayLack: [],
  },
  {
    name: 'end.json',
    key: endKey(jobId),
    json: { stop, approval },
    write: plain,
    read: (store) => fixDecision(store, jobId, { endedAtMs: 0 }, noLog),
    mayLack: ['stop', 'stop.by', 'approval'],
  },
  {
    name: 'the run of a roster',
    key: rosterKey('acme'),
    json: run,
    write: sealed,
    read: (store) => readRosterRun(store, 'acme'),
    mayLack: ['lastCompleted', 'ended'],
  },
  {
    name: 'a note of what was sent again',
    key: resentKey('user-1'),
    json: { jobId, atMs: 1 },
    write: sealed,
    read: (store) => claimResend(store, 'user-1', jobId, 1),
    mayLack: [],
  },
  {
    name: 'open invitations',
    key: openInvitationsKey('acme'),
    json: { jobId, open: [['user-1', 1, 'open']] },
    write: sealed,
    read: (store) => readOpenInvitations(store, 'acme'),
    mayLack: [],
  },
  {
    name: 'an entry of drift',
    key: driftKey(jobId),
    json: drift,
    write: (json) => `${plain(json)}\n${plain({ end: { entries: 1 } })}\n`,
    read: (store) => Array.fromAsync(readDrift(store, jobId)),
    mayLack: ['row', 'inRoster', 'inDirectory', 'sinceMs'],
  },
  {
    name: 'an outcome of a part',
    key: chunkPartKey(jobId, 0),
    json: outcome,
    write: (json) => `${plain(json)}\n${plain(end)}\n`,
    read: (store) => Array.fromAsync(readPart(store, chunkPartKey(jobId, 0), () => undefined)),
    mayLack: outcomeMayLack,
  },
  {
    name: 'the end of a part',
    key: chunkPartKey(jobId, 0),
    json: end,
    write: (json) => `${plain(outcome)}\n${plain(json)}\n`,
    read: (store) => Array.fromAsync(readPart(store, chunkPartKey(jobId, 0), () => undefined)),
    mayLack: ['invite_user', 'invite_user.201', 'invite_user.no_answer'].map((name) => `end.apiCalls.${name}`),
  },
];

type Path = readonly (string | number)[];

/** Every place below the root, the root left out. */
function placesOf(json: Json, path: Path = []): Path[] {
  if (typeof json !== 'object' || json === null) return [];
  const entries = Array.isArray(json) ? [...json.entries()] : Object.entries(json);
  return entries.flatMap(([step, value]) => [[...path, step], ...placesOf(value, [...path, step])]);
}

function at(json: Json, path: Path): Json {
  return path.reduce<Json>((value, step) => (value as Record<string, Json>)[step], json);
}

/** A copy in which something else stands at the place; with nothing to put there, the member is left out. */
function changed(json: Json, path: Path, ...put: readonly Json[]): Json {
  const copy = structuredClone(json);
  const parent = at(copy, path.slice(0, -1)) as Record<string, Json>;
  const step = path.at(-1) ?? '';
  if (put.length > 0) Object.defineProperty(parent, step, { value: put[0], enumerable: true });
  else delete parent[step];
  return copy;
}

async function read({ key, write, read }: Kind, json: Json): Promise<unknown> {
  const store = memoryStore();
  await store.put(key, write(json), { kind: 'always' });
  return await read(store);
}

describe.each(kinds)('$name', (kind) => {
  const { json } = kind;
  const places = placesOf(json);
  const objects: Path[] = [[], ...places].filter((path) => !Array.isArray(at(json, path)) && isObject(at(json, path)));

  test('is read as it is written', async () => {
    expect(await read(kind, json)).toBeDefined();
  });

  test.each(['future', 'version', 'sha256', '', 'constructor'])(
    'with a field more, “%s”, is refused at every place',
    async (name) => {
      for (const path of objects) {
        const more = changed(json, [...path, name], 1);
        await expect(read(kind, more), path.join('.')).rejects.toThrow(BrokenInvariant);
      }
    },
  );

  test('with a prototype of its own is refused, or read without it', async () => {
    const sound = await read(kind, json);
    for (const path of objects) {
      const more = changed(json, [...path, '__proto__'], { attempts: 0, polluted: true });
      expect(await read(kind, more).catch(expectBroken), path.join('.')).toBeOneOf([false, sound]);
    }
    expect('polluted' in {}).toBe(false);
  });

  test('with a field less is refused, but for those that may be missing', async () => {
    const accepted: string[] = [];
    for (const path of places.filter((place) => isObject(at(json, place.slice(0, -1))))) {
      const result = await read(kind, changed(json, path)).then(() => true, expectBroken);
      if (result) accepted.push(path.join('.'));
    }
    expect(accepted.sort()).toEqual([...kind.mayLack].sort());
  });

  test('with a value of another type, or none that is known, is refused at every place', async () => {
    for (const path of places) {
      for (const other of othersThan(json, path)) {
        const place = `${path.join('.')} ${JSON.stringify(other)}`;
        await expect(read(kind, changed(json, path, other)), place).rejects.toThrow(BrokenInvariant);
      }
    }
  });

  test('that is a list, a text, a number or nothing is refused', async () => {
    for (const other of [[], [json], 'x', 1, null]) await expect(read(kind, other)).rejects.toThrow(BrokenInvariant);
  });
});

/** Values that cannot stand there. */
function othersThan(json: Json, path: Path): Json[] {
  const there = at(json, path);
  const place = path.join('.');
  const others: Json[] = [null, [[]], -0.5, Number.MAX_VALUE];
  // The code of an outcome is only handed on, so it may be any text.
  if (/(?:^|\.)(?:status|kind|reason|encoding|delimiter|newline|jobId|fault\.code)$/u.test(place)) others.push('new');
  if (!/(?:used|apiCalls|invite_user|mapping)$/u.test(place)) others.push({});
  if (typeof there !== 'string') others.push('x');
  return others;
}

/** Sums are made of these: the name of something that every object has would be written over for the whole process. */
test.each(['constructor', 'hasOwnProperty', 'delete_user'])(
  'calls of an operation “%s” are refused',
  async (operation) => {
    const named = (wanted: string) => kinds.find(({ name }) => name === wanted);
    for (const [kind, path] of [
      [named('a chunk'), ['apiCalls']],
      [named('manifest.json'), ['apiCalls']],
      [named('the end of a part'), ['end', 'apiCalls']],
    ] as const) {
      if (kind === undefined) throw new Error('There is no such kind.');
      for (const calls of [
        { [operation]: { keys: 1 } },
        { [operation]: { '201': 1 } },
        { invite_user: { [operation]: 1 } },
      ])
        await expect(read(kind, changed(kind.json, path, calls))).rejects.toThrow(BrokenInvariant);
    }
  },
);

function isObject(json: Json): boolean {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function expectBroken(error: unknown): false {
  expect(error).toBeInstanceOf(BrokenInvariant);
  return false;
}
