/**
 * Run as a process of its own: reads a file in one of two ways, and prints how long it took and the memory at the peak.
 *
 *   node readPeople.ts ingest <file>      the whole ingest use case; what it stores is thrown away
 *   node readPeople.ts csv-parse <file>   csv-parse reads the same bytes, and does nothing else
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { csvFormat } from '../lambdas/adapters/csvFormat.ts';
import { systemClock } from '../lambdas/adapters/systemClock.ts';
import { ingest } from '../lambdas/ingest/ingest.ts';
import type { DirectoryApi, ObjectStore } from '../lambdas/ports.ts';

const [way = '', file = ''] = process.argv.slice(2);
const key = 'incoming/people.csv';
const etag = '"0"';

const startedAtMs = performance.now();
if (way === 'ingest') await runIngest();
else await runCsvParse();
const ms = performance.now() - startedAtMs;
const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
console.log(JSON.stringify({ ms, peakBytes: kibibytes * 1024 }));

async function runCsvParse(): Promise<void> {
  let records = 0;
  const parser = parse();
  parser.on('readable', () => {
    while (parser.read() !== null) records += 1;
  });
  await pipeline(createReadStream(file), parser);
  if (records < 2) throw new Error('csv-parse found no records.');
}

async function runIngest(): Promise<void> {
  const nothing = async () => ({ kind: 'refused', httpStatus: 500, message: 'not for this' }) as const;
  const api: DirectoryApi = {
    validateKey: async () => ({ kind: 'read', value: { email: 'owner@acme.example', domain: 'acme.example' } }),
    listUsers: async () => ({ kind: 'read', value: [] }),
    listRoles: nothing,
    listOrganizations: nothing,
  };
  const noQueue = { sendAll: async () => undefined };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const run = ingest(
    {
      bucket: 'bench',
      workers: 10,
      invitesGone: false,
      allowedDomains: [],
      newPeopleMax: 2_000_000,
      outageDelayMs: 1,
      giveUpMs: 1,
    },
    {
      store: forgetfulStore(),
      chunksQueue: noQueue,
      reportsQueue: noQueue,
      connectApi: () => api,
      csv: csvFormat,
      clock: systemClock,
      newToken: () => 'token',
      log,
      metrics: { count: () => undefined, timeApiCall: () => undefined, publish: () => undefined },
    },
  );
  const object = { key, eTag: etag.replaceAll('"', '') };
  const verdict = await run(JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object } }] }), {
    id: 'bench',
    deliveries: 1,
    remainingMs: () => 900_000,
  });
  if (verdict.kind !== 'done') throw new Error('The ingest did not end.');
}

/** Keeps the small records, and forgets chunks and parts. */
function forgetfulStore(): ObjectStore {
  const kept = new Map<string, string>();
  const { size: bytes } = statSync(file);
  return {
    head: async (wanted) => (wanted === key ? { key, etag, bytes, modifiedAtMs: 0, metadata: {} } : undefined),
    readText: async (wanted) => {
      const text = kept.get(wanted);
      return text === undefined ? undefined : { text, etag };
    },
    readBytes: async () => createReadStream(file),
    put: async (wanted, text) => {
      if (!wanted.includes('/chunks/')) kept.set(wanted, text);
      return { kind: 'written', etag };
    },
    writer: () => ({
      write: async () => undefined,
      close: async () => ({ kind: 'written', etag }),
      abort: async () => undefined,
    }),
    list: async function* () {
      yield* [];
    },
  };
}
