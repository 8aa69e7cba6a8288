/**
 * Objects in the bucket that are not ours, damaged, or of a version that is yet to come, in the midst of a job: whoever reads
 * one refuses it before it has done anything, its message comes again, and nobody is invited whom the upload does not name.
 */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import type { Invitee } from '../../lambdas/core/invitee.ts';
import {
  chunkKey,
  chunkPartKey,
  directoryKey,
  endKey,
  ingestPartKey,
  jobKey,
  manifestKey,
  reportKey,
  stopKey,
} from '../../lambdas/core/keys.ts';
import { ledgerLimits } from '../../lambdas/core/limits.ts';
import { seal, unseal } from '../../lambdas/ledger/seal.ts';
import { jobIdsOf, reportFiles, runIngest, runReports, runWorkers, upload, useCasesOf } from '../support/wholeJob.ts';
import { invocation, newWorld, type World } from '../support/world.ts';

type Queue = 'uploads' | 'chunks' | 'reports';

const uploadKey = 'incoming/people.csv';

const people = [
  'email,first name,role,status',
  ...Array.from({ length: 11 }, (_, index) => `p${index}@acme.example,Person ${index},Standard User,active`),
  'nobody,Nobody,,active',
  'P3@acme.example,Twice,,active',
  'old@acme.example,Old,,active',
  'gone@acme.example,Gone,,terminated',
  '',
].join('\n');

interface Job {
  readonly world: World;
  readonly key: Readonly<Record<Name, string>>;
  readonly messages: Readonly<Record<Queue, string>>;
  /** All that was asked of the API to invite. */
  readonly invited: Invitee[];
}

const names = [
  'job',
  'directory',
  'chunk',
  'manifest',
  'stop',
  'ingestPart',
  'chunkPart',
  'summary',
  'mapping',
] as const;

type Name = (typeof names)[number];

/**
 * - `cut off`: ingest ended before its manifest.
 * - `ingested`: no chunk was worked on yet.
 * - `half`: a worker has left the first chunk with outcomes and open rows.
 * - `worked`: all parts are there, and the report is asked for.
 */
type Stage = 'cut off' | 'ingested' | 'half' | 'worked';

async function jobAt(stage: Stage): Promise<Job> {
  const world = newWorld();
  const invited: Invitee[] = [];
  world.api.users.set('old@acme.example', { id: 'user-0', status: 'active' });
  world.api.onInvite = (invitee) => {
    invited.push(invitee);
    return undefined;
  };
  const event = await upload(world, people);
  await runIngest(world, event);
  const [jobId] = jobIdsOf(world);
  if (jobId === undefined) throw new Error('There is no job.');
  const key: Job['key'] = {
    job: jobKey(jobId),
    directory: directoryKey(jobId),
    chunk: chunkKey(jobId, 0),
    manifest: manifestKey(jobId),
    stop: stopKey(jobId),
    ingestPart: ingestPartKey(jobId),
    chunkPart: chunkPartKey(jobId, 0),
    summary: reportKey(uploadKey, jobId, 'summary.json'),
    mapping: 'incoming/mapping.json',
  };
  if (stage === 'cut off') world.store.remove(key.manifest);
  if (stage === 'half') {
    const isTime = () => (invited.length < 2 ? 300_000 : 0);
    await useCasesOf(world).chunks(world.chunksQueue.bodies[0] ?? '', invocation('a', isTime));
  }
  const messages = { uploads: event, chunks: world.chunksQueue.bodies[0] ?? '', reports: JSON.stringify({ jobId }) };
  if (stage === 'worked') await runWorkers(world);
  return { world, key, messages, invited };
}

function stateOf({ world: { store, chunksQueue, reportsQueue, api } }: Job) {
  return structuredClone([store.texts(), chunksQueue.bodies, reportsQueue.bodies, api.calls, [...api.users]]);
}

/** What reads the object, and when. */
const readers: readonly (readonly [name: Name, stage: Stage, queue: Queue])[] = [
  ['job', 'cut off', 'uploads'],
  ['job', 'ingested', 'uploads'],
  ['job', 'worked', 'reports'],
  ['directory', 'cut off', 'uploads'],
  ['chunk', 'cut off', 'uploads'],
  ['chunk', 'ingested', 'chunks'],
  ['chunk', 'half', 'chunks'],
  ['manifest', 'ingested', 'uploads'],
  ['manifest', 'worked', 'chunks'],
  ['manifest', 'worked', 'reports'],
  ['stop', 'ingested', 'chunks'],
  ['stop', 'half', 'chunks'],
  ['stop', 'worked', 'reports'],
  ['ingestPart', 'worked', 'reports'],
  ['chunkPart', 'worked', 'reports'],
  ['summary', 'worked', 'reports'],
];

/** @param text What lies there; an object that is not there is put there. */
type Change = (text: string) => string;

const changes: readonly (readonly [what: string, change: Change])[] = [
  ['is empty', () => ''],
  ['is a file of people', () => people],
  ['is something else’s JSON', () => '{"Records":[]}'],
  ['is a list', () => '[]'],
  ['is cut off in the middle', (text) => (text === '' ? '{"code":' : text.slice(0, text.length / 2))],
  ['lacks its last character', (text) => (text === '' ? '{' : text.trimEnd().slice(0, -1))],
  ['begins with another’s', (text) => `{"more":1}${text}`],
  ['is of a later version', (text) => resealed(text, (json) => `{"version":2,${json.slice(1)}`)],
];

describe.each(readers)('%s of a job that is %s, read for a message in %s', (name, stage, queue) => {
  test.each(changes)('is refused where it %s, and nothing is done', async (_what, change) => {
    const job = await jobAt(stage);
    const { world, key, messages } = job;
    await world.store.put(key[name], change(world.store.texts().get(key[name]) ?? ''), { kind: 'always' });
    const before = stateOf(job);
    const refused = useCasesOf(world)[queue](messages[queue], invocation('b'));
    await expect(refused).rejects.toThrow(BrokenInvariant);
    await expect(refused).rejects.toThrow(key[name].replace('reports/people.csv/', ''));
    // What the report heeds of people's decisions may be fixed by then.
    for (const jobId of jobIdsOf(world)) world.store.remove(endKey(jobId));
    expect(stateOf(job)).toEqual(before);
  });
});

test('a chunk that is too large is refused before it is read', async () => {
  const { world, key, messages, invited } = await jobAt('half');
  await world.store.put(key.chunk, ' '.repeat(ledgerLimits.recordBytesMax + 1), { kind: 'always' });
  const before = [...invited];
  await expect(useCasesOf(world).chunks(messages.chunks, invocation('b'))).rejects.toThrow(
    'has 67108865 bytes; at most 67108864 were expected',
  );
  expect(invited).toEqual(before);
});

describe('an object that belongs elsewhere', () => {
  test('is refused: a chunk of another number', async () => {
    const job = await jobAt('ingested');
    const { world, key, messages } = job;
    const other = world.store.texts().get(key.chunk.replace('00000', '00001')) ?? '';
    await world.store.put(key.chunk, other, { kind: 'always' });
    await expectRefused(job, 'chunks', messages.chunks, 'holds chunk 1');
  });

  test('is refused: a chunk and the record of another job', async () => {
    const job = await jobAt('ingested');
    const { world, key, messages } = job;
    await runIngest(world, await upload(world, people, 'incoming/other.csv'));
    const other = jobIdsOf(world).find((jobId) => !key.job.includes(jobId));
    for (const name of ['chunk', 'job'] as const) {
      const [, , rest = ''] = /^jobs\/([^/]+)\/(.+)$/u.exec(key[name]) ?? [];
      await world.store.put(key[name], world.store.texts().get(`jobs/${other}/${rest}`) ?? '', { kind: 'always' });
    }
    await expectRefused(job, 'chunks', messages.chunks, `of a job ${other}`);
    await expectRefused(job, 'uploads', messages.uploads, `is of another job, ${other}`);
  });

  test('is no part of the job, and does not make it complete', async () => {
    const job = await jobAt('ingested');
    const { world, key } = job;
    for (const name of ['00009.jsonl', '0.jsonl', 'ingest.jsonl.bak', 'x', '../x'])
      await world.store.put(key.ingestPart.replace('ingest.jsonl', name), 'x', { kind: 'always' });
    await runIngest(world, job.messages.uploads);
    expect(world.reportsQueue.bodies).toEqual([]);
    await runWorkers(world);
    await runReports(world);
    expect(reportFiles(world).summary).toMatchObject({ rows: 15, counts: { invited: 11 } });
  });

  async function expectRefused(job: Job, queue: Queue, message: string, words: string): Promise<void> {
    const before = stateOf(job);
    await expect(useCasesOf(job.world)[queue](message, invocation('b'))).rejects.toThrow(words);
    expect(stateOf(job)).toEqual(before);
  }
});

describe('a part', () => {
  test('that goes on after its last line is refused', async () => {
    const { world, key } = await jobAt('worked');
    const lines = (world.store.texts().get(key.chunkPart) ?? '').trimEnd().split('\n');
    const [last = '', end = ''] = lines.slice(-2);
    await world.store.put(key.chunkPart, [...lines.slice(0, -2), end, last].join('\n'), { kind: 'always' });
    await expect(runReports(world)).rejects.toThrow('goes on after its last line');
    expect([...world.store.texts().keys()].filter((name) => name.startsWith('reports/'))).toEqual([]);
  });

  test('with a line that does not end is refused before it has filled the memory', async () => {
    const { world, key } = await jobAt('worked');
    const endless = {
      ...world.store,
      readBytes: async (source: { key: string; etag: string }) => {
        return source.key === key.chunkPart ? spaces() : await world.store.readBytes(source);
      },
    };
    await expect(runReports({ ...world, store: endless })).rejects.toThrow(`A line of ${key.chunkPart} has more than`);
  });

  test('with one outcome too many leaves no report that could be taken for a whole one', async () => {
    const { world, key } = await jobAt('worked');
    const lines = (world.store.texts().get(key.ingestPart) ?? '').trimEnd().split('\n');
    const last = (lines.at(-2) ?? '').replace(/"row":\d+/u, '"row":99');
    const end = (lines.at(-1) ?? '').replace(/"outcomes":(\d+)/u, (_, count) => `"outcomes":${Number(count) + 1}`);
    await world.store.put(key.ingestPart, [...lines.slice(0, -1), last, end, ''].join('\n'), { kind: 'always' });
    await expect(runReports(world)).rejects.toThrow('row 99, which is not in the upload');
    expect([...world.store.texts().keys()].filter((name) => name.startsWith('reports/'))).toEqual([]);
  });
});

describe('a stop that cannot be understood, and a chunk that was overwritten, in mid-work', () => {
  const many = `email\n${Array.from({ length: 600 }, (_, index) => `person${index}.of.the.northern.office@acme.example\n`).join('')}`;

  test.each(['stop', 'chunk'] as const)('end the work within seconds: %s', async (name) => {
    const world = newWorld();
    await runIngest(world, await upload(world, many));
    const [jobId] = jobIdsOf(world);
    if (jobId === undefined) throw new Error('There is no job.');
    const key = { stop: stopKey(jobId), chunk: chunkKey(jobId, 0) }[name];
    const message = world.chunksQueue.bodies[0] ?? '';
    const { rows } = JSON.parse(world.store.texts().get(chunkKey(jobId, 0)) ?? '');
    world.api.latencyMs = 3000;
    world.api.onInvite = () => {
      void world.store.put(key, '{"code":"held_by_a_person"}', { kind: 'always' });
      return undefined;
    };
    const worker = useCasesOf(world).chunks;
    await expect(worker(message, invocation('b'))).rejects.toThrow(BrokenInvariant);
    // Five at once take three seconds, and after five seconds it is seen.
    expect(world.api.calls.filter((call) => call.startsWith('invite_user'))).toHaveLength(10);
    expect(rows.length).toBeGreaterThan(20);
    await expect(worker(message, invocation('c'))).rejects.toThrow(BrokenInvariant);
    expect(world.api.calls.filter((call) => call.startsWith('invite_user'))).toHaveLength(10);
  });
});

describe('a mapping beside the uploads', () => {
  test.each([
    ['is cut off', '{"email":', 'is not JSON'],
    ['is a list', '["email"]', 'is not what was expected'],
    ['has another type', '{"email":{"name":"email"}}', 'email (invalid_type)'],
    ['has a field of a later version', '{"email":"email","language":"role"}', 'unrecognized_keys'],
    ['has a prototype', '{"__proto__":{"email":"email"}}', 'unrecognized_keys'],
    ['is nested deeply', '['.repeat(30_000) + ']'.repeat(30_000), 'is not what was expected'],
    ['is far too large', `{"email":"${'x'.repeat(ledgerLimits.mappingBytesMax)}"}`, 'at most 65536 were expected'],
  ])('that %s fails the job with a report, and nobody is invited', async (_what, text, words) => {
    const world = newWorld();
    await world.store.put('incoming/mapping.json', text, { kind: 'always' });
    await runIngest(world, await upload(world, people));
    await runWorkers(world);
    await runReports(world);
    expect(reportFiles(world).summary).toMatchObject({
      state: 'failed',
      error: { code: 'bad_mapping', message: expect.stringContaining(words) },
    });
    expect(world.api.calls).toEqual([]);
  });
});

const truth = await undamaged();

describe('whatever happens to any object of a job', () => {
  const stages = ['cut off', 'ingested', 'half', 'worked'] as const;
  // Those that say whom to invite more often than the others.
  const target = fc.constantFrom(...names, 'upload', 'chunk', 'chunk', 'job', 'directory');

  test('nobody is invited but those whom the upload names, as it names them, and once', async () => {
    const property = fc.asyncProperty(fc.constantFrom(...stages), target, damage(), async (stage, name, harm) => {
      const job = await jobAt(stage);
      const { world } = job;
      const key = name === 'upload' ? uploadKey : job.key[name];
      const text = world.store.bytesOf(key);
      // A mapping, or an upload, is the word of a person: another one asks for something else.
      const isOurs = name !== 'mapping' && name !== 'upload';
      const damaged = harm(text);
      if (isOurs || !text.equals(damaged)) await world.store.put(key, damaged.toString(), { kind: 'always' });
      await finish(job);
      expectTruth(job);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});

/** Delivers every message three times, whatever comes of it. */
async function finish(job: Job): Promise<void> {
  const { world, messages } = job;
  const { uploads, chunks, reports } = useCasesOf(world);
  for (let delivery = 0; delivery < 3; delivery += 1) {
    await tolerate(uploads(messages.uploads, invocation('b')));
    for (const body of new Set([messages.chunks, ...world.chunksQueue.bodies])) {
      await tolerate(chunks(body, invocation('b')));
    }
    for (const body of new Set(world.reportsQueue.bodies)) await tolerate(reports(body, invocation('b')));
    world.clock.advance(3_600_000);
  }
}

async function tolerate(handling: Promise<unknown>): Promise<void> {
  await handling.catch((error: unknown) => {
    expect(error).toBeInstanceOf(BrokenInvariant);
    expect(String(error)).not.toMatch(/acme\.example|Person/u);
  });
}

function expectTruth({ world, invited, key }: Job): void {
  const emails = invited.map(({ email }) => email);
  expect(new Set(emails).size).toBe(emails.length);
  for (const invitee of invited) expect(truth.invited).toContainEqual(invitee);
  const results = world.store.texts().get(key.summary.replace('summary.json', 'results.csv'));
  const isReported = world.store.texts().get(key.summary)?.includes('"finishedAt"') === true;
  if (!isReported || results === undefined) return;
  expect(statusesOf(results)).toEqual(truth.statuses);
}

async function undamaged() {
  const job = await jobAt('ingested');
  await finish(job);
  const { results } = reportFiles(job.world);
  return { invited: job.invited, statuses: statusesOf(results) };
}

function statusesOf(results: string): { row: string | undefined; status: string | undefined }[] {
  const records = z.array(z.record(z.string(), z.string())).parse(parse(results, { columns: true, bom: true }));
  return records.map(({ invite_row: row, invite_status: status }) => ({ row, status }));
}

/** Something that can happen to bytes. */
function damage(): fc.Arbitrary<(bytes: Buffer) => Buffer> {
  // As a share of the length; a double would nearly always be close to zero.
  const place = fc.nat(999_999).map((share) => share / 1_000_000);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(place, fc.nat(7)).map(
        ([at, bit]) =>
          (bytes: Buffer) =>
            flipped(bytes, at, bit),
      ),
    },
    { weight: 2, arbitrary: place.map((at) => (bytes: Buffer) => bytes.subarray(0, at * bytes.length)) },
    {
      weight: 2,
      arbitrary: fc.tuple(place, place).map(([from, to]) => (bytes: Buffer) => {
        return Buffer.concat([bytes.subarray(0, from * bytes.length), bytes.subarray(to * bytes.length)]);
      }),
    },
    { weight: 1, arbitrary: fc.json().map((json) => () => Buffer.from(json)) },
    {
      weight: 1,
      arbitrary: fc
        .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
        .map((json) => () => Buffer.from(seal(JSON.stringify(json)))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }).map((bytes) => () => Buffer.from(bytes)) },
  );
}

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = Math.floor(at * copy.length);
  if (place < copy.length) copy[place] = (copy[place] ?? 0) ^ (1 << bit);
  return copy;
}

/** Where the object is sealed, so is its later version. */
function resealed(text: string, change: Change): string {
  try {
    return seal(change(unseal('it', text)));
  } catch {
    return change(text === '' ? '{"code":"key_refused","message":"No.","atMs":1}' : text);
  }
}

/** Long enough to show that it is not gathered, and not so long that nothing else is shown where it is. */
async function* spaces(): AsyncGenerator<Uint8Array> {
  for (let pieces = 0; pieces < 200; pieces += 1) yield Buffer.alloc(64 * 1024, ' ');
}
