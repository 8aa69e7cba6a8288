import { describe, expect, test } from 'vitest';
import { BrokenInvariant } from '../../../lambdas/core/fault.ts';
import { chunkPartKey } from '../../../lambdas/core/keys.ts';
import { writeLimits } from '../../../lambdas/core/limits.ts';
import type { Outcome } from '../../../lambdas/core/outcome.ts';
import { type PartEnd, readPart, writePart } from '../../../lambdas/ledger/part.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import { memoryStore } from '../../support/memoryStore.ts';
import { jobId } from '../../support/ownedChunk.ts';

const key = chunkPartKey(jobId, 0);
const apiCalls = { invite_user: { 201: 2 } };

function outcome(row: number, message = 'x'): Outcome {
  return { row, status: 'failed', code: 'api_down', message, attempts: 0 };
}

/** Whose line, with its line feed, has so many characters. */
function outcomeOf(characters: number): Outcome {
  return outcome(2, 'x'.repeat(characters - JSON.stringify(outcome(2, '')).length - 1));
}

/** Keeps what each write held. */
function watched(store: ObjectStore) {
  const writes: string[] = [];
  let aborts = 0;
  const watching: ObjectStore = {
    ...store,
    writer: (...given) => {
      const writer = store.writer(...given);
      return {
        ...writer,
        write: async (content) => {
          writes.push(String(content));
          await writer.write(content);
        },
        abort: async () => {
          aborts += 1;
          await writer.abort();
        },
      };
    },
  };
  return { store: watching, writes, aborts: () => aborts };
}

async function read(store: ObjectStore) {
  const ends: PartEnd[] = [];
  const outcomes = await Array.fromAsync(readPart(store, key, (end) => ends.push(end)));
  return { outcomes, ends };
}

describe('a part that is written', () => {
  test('is written in pieces: it is time for one when 64 Ki characters wait, and not before', () => {
    const enough = writeLimits.gatheredCharacters;
    expect(writePart(memoryStore(), key).add(outcomeOf(enough - 1))).toBe(false);
    expect(writePart(memoryStore(), key).add(outcomeOf(enough))).toBe(true);
    const part = writePart(memoryStore(), key);
    expect(part.add(outcomeOf(enough / 2))).toBe(false);
    expect(part.add(outcomeOf(enough / 2))).toBe(true);
  });

  test('gives each piece once, and reads as if it had been one', async () => {
    const { store, writes } = watched(memoryStore());
    const part = writePart(store, key);
    part.add(outcome(2));
    part.add(outcome(3));
    await part.flush();
    expect(part.add(outcome(4))).toBe(false);
    await part.close(apiCalls, 1000);
    expect(writes.map((text) => text.split('\n').length - 1)).toEqual([2, 2]);
    const { outcomes, ends } = await read(store);
    expect(outcomes).toEqual([outcome(2), outcome(3), outcome(4)]);
    expect(ends).toEqual([{ outcomes: 3, apiCalls, endedAtMs: 1000 }]);
  });

  test('counts anew what waits after a piece', async () => {
    const part = writePart(memoryStore(), key);
    part.add(outcomeOf(writeLimits.gatheredCharacters));
    await part.flush();
    expect(part.add(outcomeOf(writeLimits.gatheredCharacters - 1))).toBe(false);
  });

  test('stays as it is when it is written a second time', async () => {
    const store = memoryStore();
    await writePart(store, key).close(apiCalls, 1000);
    await writePart(store, key).close({}, 2000);
    expect((await read(store)).ends).toEqual([{ outcomes: 0, apiCalls, endedAtMs: 1000 }]);
  });

  test('leaves nothing in the store when it is aborted', async () => {
    const { store, aborts } = watched(memoryStore());
    const part = writePart(store, key);
    part.add(outcome(2));
    await part.flush();
    await part.abort();
    expect(aborts()).toBe(1);
    expect(await store.head(key)).toBeUndefined();
  });
});

describe('a part that is read', () => {
  const lines = [outcome(2), outcome(3), { end: { outcomes: 2, apiCalls, endedAtMs: 1000 } }].map((line) =>
    JSON.stringify(line),
  );

  async function readLines(kept: readonly string[]) {
    const store = memoryStore();
    await store.put(key, kept.map((line) => `${line}\n`).join(''), { kind: 'always' });
    return await read(store);
  }

  test('tells of its end after its last outcome, and only then', async () => {
    const store = memoryStore();
    await store.put(key, lines.join('\n'), { kind: 'always' });
    const seen: unknown[] = [];
    for await (const { row } of readPart(store, key, ({ endedAtMs }) => seen.push({ endedAtMs }))) seen.push(row);
    expect(seen).toEqual([2, 3, { endedAtMs: 1000 }]);
  });

  test('is refused where it is missing', async () => {
    await expect(read(memoryStore())).rejects.toThrow(new BrokenInvariant(`${key} is missing, though it was counted.`));
  });

  test('is refused where its end was cut off', async () => {
    await expect(readLines(lines.slice(0, 2))).rejects.toThrow(
      new BrokenInvariant(`${key} holds 2 outcomes, and its last line says nothing.`),
    );
    await expect(readLines([])).rejects.toThrow(`${key} holds 0 outcomes, and its last line says nothing.`);
  });

  test('is refused where a line is gone from its middle', async () => {
    await expect(readLines([lines[0] ?? '', lines[2] ?? ''])).rejects.toThrow(
      new BrokenInvariant(`${key} holds 1 outcomes, and its last line says 2.`),
    );
  });

  test('is refused where it goes on after its end', async () => {
    await expect(readLines([...lines, lines[1] ?? ''])).rejects.toThrow(
      new BrokenInvariant(`${key} goes on after its last line.`),
    );
    await expect(readLines([...lines, lines[2] ?? ''])).rejects.toThrow(`${key} goes on after its last line.`);
  });
});
