/**
 * What every object store must do for the ledger to hold.
 */
import { describe, expect, test } from 'vitest';
import type { ObjectStore, PutResult } from '../../lambdas/ports.ts';

const bytesMax = 1024 * 1024;

export function testObjectStore(name: string, connect: () => ObjectStore): void {
  // A run of its own below this prefix: the bucket may be somebody's.
  const prefix = `contract/${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}/`;
  const key = (suffix: string) => `${prefix}${suffix}`;

  describe(`${name} as an object store`, () => {
    test('gives back what was put, with its entity tag', async () => {
      const store = connect();
      const etag = etagOf(await store.put(key('text'), 'Åse says “hi”\n', { kind: 'always' }));
      expect(await store.readText(key('text'), bytesMax)).toEqual({ text: 'Åse says “hi”\n', etag });
      expect(await store.head(key('text'))).toMatchObject({ key: key('text'), etag, bytes: 19 });
    });

    test('says nothing is there where nothing is', async () => {
      const store = connect();
      expect(await store.head(key('absent'))).toBeUndefined();
      expect(await store.readText(key('absent'), bytesMax)).toBeUndefined();
      expect(await store.readBytes({ key: key('absent'), etag: '"0"' })).toBeUndefined();
    });

    test('refuses to read more than was allowed, and reads on afterwards', async () => {
      const store = connect();
      await store.put(key('large'), 'x'.repeat(1000), { kind: 'always' });
      await expect(store.readText(key('large'), 999)).rejects.toThrow('1000 bytes; at most 999');
      expect((await store.readText(key('large'), 1000))?.text).toHaveLength(1000);
    });

    test('takes a write that must be the first only once', async () => {
      const store = connect();
      expect(await store.put(key('first'), 'mine', { kind: 'if_absent' })).toMatchObject({ kind: 'written' });
      expect(await store.put(key('first'), 'yours', { kind: 'if_absent' })).toEqual({ kind: 'condition_failed' });
      expect((await store.readText(key('first'), bytesMax))?.text).toBe('mine');
    });

    test('takes a replacement only of the version it names', async () => {
      const store = connect();
      const first = etagOf(await store.put(key('replaced'), 'one', { kind: 'always' }));
      const second = etagOf(await store.put(key('replaced'), 'two', { kind: 'if_match', etag: first }));
      expect(await store.put(key('replaced'), 'three', { kind: 'if_match', etag: first })).toEqual({
        kind: 'condition_failed',
      });
      expect(await store.readText(key('replaced'), bytesMax)).toEqual({ text: 'two', etag: second });
    });

    test('takes no replacement of what is not there', async () => {
      const store = connect();
      const result = await store.put(key('never'), 'x', {
        kind: 'if_match',
        etag: '"d41d8cd98f00b204e9800998ecf8427e"',
      });
      expect(result).toEqual({ kind: 'condition_failed' });
      expect(await store.head(key('never'))).toBeUndefined();
    });

    test('lets exactly one of many first writers win', async () => {
      const store = connect();
      const texts = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
      const results = await Promise.all(texts.map((text) => store.put(key('race-first'), text, { kind: 'if_absent' })));
      expect(results.filter(({ kind }) => kind === 'written')).toHaveLength(1);
      const winner = texts[results.findIndex(({ kind }) => kind === 'written')];
      expect((await store.readText(key('race-first'), bytesMax))?.text).toBe(winner);
    });

    test('lets exactly one of many replacements of the same version win', async () => {
      const store = connect();
      const etag = etagOf(await store.put(key('race'), 'start', { kind: 'always' }));
      const texts = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
      const results = await Promise.all(texts.map((text) => store.put(key('race'), text, { kind: 'if_match', etag })));
      expect(results.filter(({ kind }) => kind === 'written')).toHaveLength(1);
      const winner = texts[results.findIndex(({ kind }) => kind === 'written')];
      expect((await store.readText(key('race'), bytesMax))?.text).toBe(winner);
    });

    test('reads the bytes of the very version that was asked for, or none', async () => {
      const store = connect();
      const etag = etagOf(await store.put(key('versions'), 'old', { kind: 'always' }));
      expect(await textOf(await store.readBytes({ key: key('versions'), etag }))).toBe('old');
      await store.put(key('versions'), 'new', { kind: 'always' });
      expect(await store.readBytes({ key: key('versions'), etag })).toBeUndefined();
    });

    test('lists what lies below a prefix, in order, also past one page', async () => {
      const store = connect();
      const names = Array.from({ length: 1005 }, (_, index) => key(`list/${String(index).padStart(5, '0')}`));
      await Promise.all(names.map((name) => store.put(name, 'x', { kind: 'always' })));
      await store.put(key('lisu'), 'x', { kind: 'always' });
      const found: string[] = [];
      for await (const entry of store.list(key('list/'))) found.push(entry.key);
      expect(found).toEqual(names);
    });

    test('lists what a look at each object tells, too', async () => {
      const store = connect();
      await store.put(key('listed'), 'x', { kind: 'always' });
      const info = await store.head(key('listed'));
      expect(await Array.fromAsync(store.list(key('listed')))).toEqual([
        { key: key('listed'), etag: info?.etag, modifiedAtMs: info?.modifiedAtMs },
      ]);
    });

    test('lists only what lies behind a text, where one is given', async () => {
      const store = connect();
      for (const name of ['after/1', 'after/2', 'after/2/x', 'after/3'])
        await store.put(key(name), '', { kind: 'always' });
      const found: string[] = [];
      for await (const entry of store.list(key('after/'), key('after/2'))) found.push(entry.key);
      expect(found).toEqual([key('after/2/x'), key('after/3')]);
    });

    test('shows a streamed object only when it is closed, and whole', async () => {
      const store = connect();
      const writer = store.writer(key('streamed'), 'text/plain', { kind: 'if_absent' });
      // More than two parts of a multipart upload.
      const piece = 'é'.repeat(512 * 1024);
      for (let written = 0; written < 12; written += 1) await writer.write(piece);
      expect(await store.head(key('streamed'))).toBeUndefined();
      expect(await writer.close()).toMatchObject({ kind: 'written' });
      const info = await store.head(key('streamed'));
      expect(info?.bytes).toBe(12 * 1024 * 1024);
      expect(await textOf(info && (await store.readBytes(info)))).toBe(piece.repeat(12));
    });

    test.each([
      ['small', 1],
      ['large', 12],
    ])('takes a %s streamed object that must be the first only once', async (size, pieces) => {
      const store = connect();
      const stream = async (letter: string) => {
        const writer = store.writer(key(`streamed-once-${size}`), 'text/plain', { kind: 'if_absent' });
        for (let written = 0; written < pieces; written += 1) await writer.write(letter.repeat(1024 * 1024));
        return await writer.close();
      };
      expect(await stream('a')).toMatchObject({ kind: 'written' });
      expect(await stream('b')).toEqual({ kind: 'condition_failed' });
      const info = await store.head(key(`streamed-once-${size}`));
      expect((await textOf(info && (await store.readBytes(info)))).startsWith('a')).toBe(true);
    });

    test('leaves nothing of a streamed object that was given up', async () => {
      const store = connect();
      const writer = store.writer(key('aborted'), 'text/plain', { kind: 'always' });
      await writer.write('half');
      await writer.abort();
      expect(await store.head(key('aborted'))).toBeUndefined();
    });
  });
}

function etagOf(result: PutResult): string {
  if (result.kind !== 'written') throw new Error('The write was refused.');
  return result.etag;
}

async function textOf(bytes: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  if (bytes === undefined) throw new Error('There are no bytes.');
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
