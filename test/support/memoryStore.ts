/**
 * An object store in memory, for tests of the use cases. It passes the same contract as S3.
 */
import { createHash } from 'node:crypto';
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import { ledgerLimits } from '../../lambdas/core/limits.ts';
import type { ObjectInfo, ObjectStore, PutCondition, PutResult } from '../../lambdas/ports.ts';

interface StoredObject extends ObjectInfo {
  readonly content: Buffer;
}

export interface MemoryStore extends ObjectStore {
  readonly now: () => number;
  /** All objects by key, as text. */
  readonly texts: () => ReadonlyMap<string, string>;
  readonly bytesOf: (key: string) => Buffer;
  readonly remove: (key: string) => void;
  /** Stores what an upload is, with its metadata. */
  readonly upload: (key: string, content: string | Buffer, metadata?: Readonly<Record<string, string>>) => PutResult;
}

/**
 * @param now Gives the time for `modifiedAtMs`.
 * @param keepsVersions As a bucket with versioning: what was replaced or removed can still be read by its version.
 */
export function memoryStore(now: () => number = Date.now, keepsVersions = false): MemoryStore {
  const objects = new Map<string, StoredObject>();
  const versions = new Map<string, StoredObject>();
  const metadata = new Map<string, Readonly<Record<string, string>>>();

  function put(key: string, text: string | Buffer, condition: PutCondition): PutResult {
    if (Buffer.byteLength(key) > ledgerLimits.keyBytesMax) throw new Error('Your key is too long.');
    const content = Buffer.from(text);
    const there = objects.get(key);
    if (condition.kind === 'if_absent' && there !== undefined) return { kind: 'condition_failed' };
    if (condition.kind === 'if_match' && there?.etag !== condition.etag) return { kind: 'condition_failed' };
    const etag = `"${createHash('md5').update(content).digest('hex')}"`;
    const object: StoredObject = {
      key,
      content,
      etag,
      bytes: content.length,
      modifiedAtMs: now(),
      metadata: metadata.get(key) ?? {},
      ...(keepsVersions ? { versionId: `version-${versions.size + 1}` } : {}),
    };
    objects.set(key, object);
    if (object.versionId !== undefined) versions.set(object.versionId, object);
    return { kind: 'written', etag };
  }

  function find(key: string, versionId: string | undefined): StoredObject | undefined {
    if (Buffer.byteLength(key) > ledgerLimits.keyBytesMax) throw new Error('Your key is too long.');
    if (versionId === undefined) return objects.get(key);
    const found = versions.get(versionId);
    return found?.key === key ? found : undefined;
  }

  return {
    now,
    bytesOf: (key) => objects.get(key)?.content ?? Buffer.alloc(0),
    remove: (key) => {
      objects.delete(key);
    },
    upload: (key, content, given = {}) => {
      metadata.set(key, given);
      return put(key, content, { kind: 'always' });
    },
    texts: () => new Map([...objects].map(([key, { content }]) => [key, content.toString()])),
    head: async (key, versionId) => {
      const found = find(key, versionId);
      if (found === undefined) return undefined;
      const { content: _content, ...info } = found;
      return info;
    },
    readText: async (key, bytesMax) => {
      const found = find(key, undefined);
      if (found === undefined) return undefined;
      if (found.bytes > bytesMax)
        throw new BrokenInvariant(`${key} has ${found.bytes} bytes; at most ${bytesMax} were expected.`);
      return { text: found.content.toString(), etag: found.etag };
    },
    readBytes: async ({ key, etag, versionId }) => {
      const found = find(key, versionId);
      return found?.etag === etag ? piecesOf(found.content) : undefined;
    },
    put: async (key, text, condition) => put(key, text, condition),
    writer: (key, _contentType, condition) => {
      const pieces: Buffer[] = [];
      return {
        write: async (more) => {
          pieces.push(Buffer.from(more));
        },
        close: async () => put(key, Buffer.concat(pieces), condition),
        abort: async () => undefined,
      };
    },
    list: async function* (prefix, after = '') {
      for (const { key, etag, modifiedAtMs } of [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
        if (key.startsWith(prefix) && key > after) yield { key, etag, modifiedAtMs };
      }
    },
  };
}

/** In small pieces, so that records and characters fall across their edges. */
async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
}
