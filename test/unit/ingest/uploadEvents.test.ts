import { describe, expect, test } from 'vitest';
import { BrokenInvariant } from '../../../lambdas/core/fault.ts';
import { readUploadEvents } from '../../../lambdas/ingest/uploadEvents.ts';

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
