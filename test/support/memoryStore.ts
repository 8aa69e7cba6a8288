/**
 * An object store in memory, for tests of the use cases. It passes the same contract as S3.
 */
import { createHash } from 'node:crypto';
import type { ObjectInfo, ObjectStore, PutCondition, PutResult } from '../../lambdas/ports.ts';

interface StoredObject extends ObjectInfo {
  readonly text: string;
}

export interface MemoryStore extends ObjectStore {
  /** All objects by key, as text. */
  readonly texts: () => ReadonlyMap<string, string>;
}

/** @param now Gives the time for `modifiedAtMs`. */
export function memoryStore(now: () => number = Date.now): MemoryStore {
  const objects = new Map<string, StoredObject>();

  function put(key: string, text: string, condition: PutCondition): PutResult {
    const there = objects.get(key);
    if (condition.kind === 'if_absent' && there !== undefined) return { kind: 'condition_failed' };
    if (condition.kind === 'if_match' && there?.etag !== condition.etag) return { kind: 'condition_failed' };
    const etag = `"${createHash('md5').update(text).digest('hex')}"`;
    objects.set(key, { key, text, etag, bytes: Buffer.byteLength(text), modifiedAtMs: now() });
    return { kind: 'written', etag };
  }

  return {
    texts: () => new Map([...objects].map(([key, { text }]) => [key, text])),
    head: async (key) => {
      const found = objects.get(key);
      if (found === undefined) return undefined;
      const { text: _text, ...info } = found;
      return info;
    },
    readText: async (key, bytesMax) => {
      const found = objects.get(key);
      if (found === undefined) return undefined;
      if (found.bytes > bytesMax)
        throw new Error(`${key} has ${found.bytes} bytes; at most ${bytesMax} were expected.`);
      return { text: found.text, etag: found.etag };
    },
    readBytes: async ({ key, etag }) => {
      const found = objects.get(key);
      return found?.etag === etag ? piecesOf(found.text) : undefined;
    },
    put: async (key, text, condition) => put(key, text, condition),
    writer: (key, _contentType, condition) => {
      let text = '';
      return {
        write: async (more) => {
          text += more;
        },
        close: async () => put(key, text, condition),
        abort: async () => undefined,
      };
    },
    list: async function* (prefix) {
      for (const { key, etag } of [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
        if (key.startsWith(prefix)) yield { key, etag };
      }
    },
  };
}

/** In small pieces, so that records and characters fall across their edges. */
async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
}
