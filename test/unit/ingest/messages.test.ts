import { describe, expect, test } from 'vitest';
import { BrokenInvariant } from '../../../lambdas/core/fault.ts';
import { readRequests } from '../../../lambdas/ingest/messages.ts';

interface EventObject {
  readonly key: string;
  readonly eTag?: string;
  readonly versionId?: string | null;
}

/** One record as S3 sends it; only what is read, and a little of the rest. */
const record = (object: Partial<EventObject> = {}, eventName = 'ObjectCreated:Put') => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-west-1',
  eventName,
  s3: {
    s3SchemaVersion: '1.0',
    bucket: { name: 'people' },
    object: { key: 'incoming/acme.csv', size: 1024, eTag: 'abc123', sequencer: '0055AED6DCD90281E5', ...object },
  },
});

const body = (...records: readonly object[]): string => JSON.stringify({ Records: records });

const readUploadEvents = (text: string) =>
  readRequests(text).flatMap((request) => (request.kind === 'upload' ? [request.event] : []));

const keysOf = (text: string): readonly string[] => readUploadEvents(text).map(({ key }) => key);

describe('a message about uploads', () => {
  test('tells the key and the entity tag, in the quotes that S3 itself puts around it', () => {
    expect(readUploadEvents(body(record()))).toEqual([{ key: 'incoming/acme.csv', etag: '"abc123"' }]);
  });

  test('tells the version where the bucket keeps versions', () => {
    expect(readUploadEvents(body(record({ versionId: 'v1' })))).toEqual([
      { key: 'incoming/acme.csv', etag: '"abc123"', versionId: 'v1' },
    ]);
  });

  test.each([
    ['incoming/new+people.csv', 'incoming/new people.csv'],
    ['incoming/a%2Bb.csv', 'incoming/a+b.csv'],
    ['incoming/M%C3%BCnchen+%28neu%29.csv', 'incoming/München (neu).csv'],
    ['incoming/100%25.csv', 'incoming/100%.csv'],
    ['incoming%2Fhr%2Facme.csv', 'incoming/hr/acme.csv'],
  ])('with the key %s is about %s', (encoded, key) => {
    expect(keysOf(body(record({ key: encoded })))).toEqual([key]);
  });

  test('may hold several records', () => {
    expect(keysOf(body(record({ key: 'incoming/a.csv' }), record({ key: 'incoming/b.csv' })))).toEqual([
      'incoming/a.csv',
      'incoming/b.csv',
    ]);
  });

  test.each(['ObjectCreated:Put', 'ObjectCreated:Post', 'ObjectCreated:Copy', 'ObjectCreated:CompleteMultipartUpload'])(
    'is about an upload after %s',
    (eventName) => {
      expect(keysOf(body(record({}, eventName)))).toHaveLength(1);
    },
  );
});

describe('a message that is about no upload', () => {
  test('is the one that S3 sends when notifications are set up', () => {
    const text = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'people', RequestId: 'r1' });
    expect(readUploadEvents(text)).toEqual([]);
  });

  test.each([
    ['a folder that was created in the console', record({ key: 'incoming/hr/', eTag: 'd41d8cd9' })],
    ['what a job writes itself', record({ key: 'reports/acme.csv/1/results.csv' })],
    ['a key that only resembles the folder', record({ key: 'incoming-old/acme.csv' })],
    ['tags that were changed', record({}, 'ObjectTagging:Put')],
    ['an object that was restored', record({}, 'ObjectRestore:Completed')],
  ])('is one about %s', (_, other) => {
    expect(readUploadEvents(body(other, record({ key: 'incoming/b.csv' })))).toMatchObject([{ key: 'incoming/b.csv' }]);
  });
});

describe('a message that is something else', () => {
  test.each([
    ...['', 'incoming/acme.csv', '{}', 'null', '[]', '"text"'],
    ...['{"Records":{}}', '{"Records":[{}]}', '{"Event":"other"}'],
  ])('“%s” is refused', (text) => {
    expect(() => readUploadEvents(text)).toThrow(BrokenInvariant);
  });
});

describe('in the corners', () => {
  const { eTag: _eTag, ...removed } = record({}, 'ObjectRemoved:Delete').s3.object;

  // S3 leaves out the entity tag of what was deleted, and the schema asks for it before the event's name is looked at.
  test('a message about an object that was deleted is ignored', () => {
    expect(readUploadEvents(body({ eventName: 'ObjectRemoved:Delete', s3: { object: removed } }))).toEqual([]);
  });

  // The S3 User Guide: “object version if bucket is versioning-enabled, otherwise null”.
  test('an upload without a version may say so', () => {
    expect(keysOf(body(record({ versionId: null })))).toEqual(['incoming/acme.csv']);
  });
});

describe('a message about something else', () => {
  const jobId = '20260131T070500Z-0f3a9c51b2de';
  const requestsOf = (key: string) => readRequests(body(record({ key })));

  test.each(['approval.json', 'stop.json'])('tells that somebody has decided about a job: %s', (name) => {
    expect(requestsOf(`jobs/${jobId}/${name}`)).toEqual([{ kind: 'decision', jobId }]);
  });

  test.each([
    `jobs/${jobId}/manifest.json`,
    `jobs/${jobId}/chunks/approval.json`,
    'jobs/latest/approval.json',
    `incoming/${jobId}/approval.json/`,
    'incoming/rosters/acme.csv',
    'incoming/rosters/hr/acme.csv',
  ])('is nothing to do: %s', (key) => {
    expect(requestsOf(key)).toEqual([]);
  });

  test('of the folder of rosters is nothing to do, and of one that is called alike an upload', () => {
    expect(requestsOf('incoming/rosters.csv')).toHaveLength(1);
    expect(requestsOf('incoming/hr/rosters/acme.csv')).toHaveLength(1);
  });

  test('is the time of a roster', () => {
    const message = { roster: { name: 'acme', key: 'incoming/rosters/acme.csv' }, scheduledAt: '2026-02-01T02:00:00Z' };
    expect(readRequests(JSON.stringify(message))).toEqual([{ kind: 'roster', message }]);
  });

  test.each([
    [{ name: 'Acme' }],
    [{ key: 'incoming/acme.csv' }],
    [{ key: 'incoming/rosters/' }],
    [{ resendAfterMs: -1 }],
    [{ newPeopleShare: 1.01 }],
    [{ rowsShareMin: 50 }],
    [{ invalidShareMax: -0.1 }],
    [{ nothing: 'known' }],
  ])('is no roster with %j', (changes) => {
    const roster = { name: 'acme', key: 'incoming/rosters/acme.csv', ...changes };
    const text = JSON.stringify({ roster, scheduledAt: '2026-02-01T02:00:00Z' });
    expect(() => readRequests(text)).toThrow(BrokenInvariant);
  });
});
