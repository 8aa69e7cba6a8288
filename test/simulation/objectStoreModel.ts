/**
 * A model of S3: keys change atomically, reads and lists see all writes that ended before, conditions hold at the moment of
 * writing. What may go wrong goes wrong around that: before the effect, after it, or on the way back.
 */
import { createHash } from 'node:crypto';
import type { ListedObject, ObjectInfo, ObjectStore, PutCondition, PutResult } from '../../lambdas/ports.ts';
import type { Ended, Environment, Travel } from './environment.ts';
import type { SimulatedWorld } from './world.ts';

interface StoredVersion {
  readonly info: ObjectInfo;
  readonly text: string;
}

/** Small, so that even small jobs have several pages and pieces. */
const listPageKeys = 3;
const pieceBytes = 120;

export class ObjectStoreModel {
  readonly #world: SimulatedWorld;
  /** All versions of each object, the newest last. */
  readonly #objects = new Map<string, StoredVersion[]>();
  /** Told of every write, before it is there. */
  onWrite: (key: string, text: string, before: string | undefined) => void = () => undefined;
  /** Told of every write, once it is there. */
  onCreated: (version: Pick<ObjectInfo, 'key' | 'etag' | 'versionId'>) => void = () => undefined;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  text(key: string): string | undefined {
    return this.#newest(key)?.text;
  }

  /** All versions, the oldest first. */
  versions(key: string): ObjectInfo[] {
    return (this.#objects.get(key) ?? []).map(({ info }) => info);
  }

  keys(prefix: string): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** @param metadata In lower case, as S3 keeps it. */
  write(key: string, text: string, condition: PutCondition, metadata: ObjectInfo['metadata'] = {}): PutResult {
    const there = this.#newest(key);
    if (condition.kind === 'if_absent' && there !== undefined) return { kind: 'condition_failed' };
    if (condition.kind === 'if_match' && there?.info.etag !== condition.etag) return { kind: 'condition_failed' };
    this.onWrite(key, text, there?.text);
    const etag = `"${createHash('md5').update(text).digest('hex')}"`;
    const versions = this.#objects.get(key) ?? [];
    const modifiedAtMs = Math.floor(this.#world.scheduler.nowMs / 1000) * 1000;
    const versionId = `v${versions.length + 1}`;
    versions.push({ info: { key, etag, versionId, bytes: text.length, modifiedAtMs, metadata }, text });
    this.#objects.set(key, versions);
    this.onCreated({ key, etag, versionId });
    return { kind: 'written', etag };
  }

  /** As the bucket deletes what is old enough; nobody is told. */
  remove(key: string): void {
    this.#objects.delete(key);
  }

  info(key: string, versionId?: string): ObjectInfo | undefined {
    return this.#version(key, versionId)?.info;
  }

  /** The store as one environment sees it. */
  seenBy(environment: Environment): ObjectStore {
    const operate = <T>(operation: string, perform: () => T) =>
      environment.operate(operation, this.#travel(environment), () => this.#read(perform, environment));
    const put = (key: string, text: string, condition: PutCondition) =>
      environment.operate(`put ${key}`, this.#travel(environment), () => this.#put(key, text, condition, environment));
    return {
      head: (key, versionId) => operate(`head ${key}`, () => this.info(key, versionId)),
      readText: (key) =>
        operate(`get ${key}`, () => {
          const found = this.#newest(key);
          return found === undefined ? undefined : { text: found.text, etag: found.info.etag };
        }),
      readBytes: async ({ key, etag, versionId }) => {
        const found = await operate(`open ${key}`, () => this.#version(key, versionId));
        return found?.info.etag === etag ? this.#pieces(found, environment) : undefined;
      },
      put,
      writer: (key, _contentType, condition) => {
        let text = '';
        return {
          write: async (more) => {
            text += Buffer.from(more).toString('utf-8');
          },
          close: () => put(key, text, condition),
          abort: async () => undefined,
        };
      },
      list: (prefix, after) => this.#list(prefix, after, environment),
    };
  }

  async *#list(prefix: string, startAfter: string | undefined, environment: Environment): AsyncGenerator<ListedObject> {
    let after = startAfter ?? '';
    for (;;) {
      const page = await environment.operate(`list ${prefix}`, this.#travel(environment), () =>
        this.#read(
          () =>
            this.keys(prefix)
              .filter((key) => key > after)
              .slice(0, listPageKeys),
          environment,
        ),
      );
      for (const key of page) {
        const { etag = '', modifiedAtMs = 0 } = this.info(key) ?? {};
        yield { key, etag, modifiedAtMs };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < listPageKeys) return;
      after = last;
    }
  }

  async *#pieces({ text, info }: StoredVersion, environment: Environment): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      if (start > 0) {
        await environment.operate(`read ${info.key}`, this.#travel(environment), (): Ended<undefined> => {
          if (this.#world.faults.strikes('upload_breaks_off')) return failed('The connection broke off.');
          return { kind: 'value', value: undefined };
        });
      }
      yield bytes.subarray(start, start + pieceBytes);
    }
  }

  #read<T>(perform: () => T, environment: Environment): Ended<T> {
    if (this.#fails(environment)) return failed('The store failed.');
    return { kind: 'value', value: perform() };
  }

  #put(key: string, text: string, condition: PutCondition, environment: Environment): Ended<PutResult> {
    const { faults } = this.#world;
    if (this.#fails(environment)) return failed('The store failed.');
    const result = this.write(key, text, condition);
    if (faults.strikes('store_error_after_effect')) return failed('The answer of the store was lost.');
    const isConditional = condition.kind !== 'always' && result.kind === 'written';
    if (isConditional && faults.strikes('store_retries_its_own_write')) {
      return { kind: 'value', value: this.write(key, text, condition) };
    }
    return { kind: 'value', value: result };
  }

  /** Once, or for all that this environment asks for a while. */
  #fails(environment: Environment): boolean {
    const { faults, chance, scheduler } = this.#world;
    if (faults.strikes('store_unreachable'))
      environment.storeUnreachableUntilMs = scheduler.nowMs + chance.between(20_000, 150_000);
    if (scheduler.nowMs < environment.storeUnreachableUntilMs && !faults.areHealed) return true;
    return faults.strikes('store_error_before_effect');
  }

  #travel(environment: Environment): Travel {
    const { chance, faults } = this.#world;
    const isSlow = faults.strikes('store_slow');
    if (isSlow) environment.wasHeldUp = true;
    const slowMs = isSlow ? chance.between(1000, 25_000) : 0;
    return { toMs: chance.between(2, 20) + slowMs, backMs: chance.between(2, 20) };
  }

  #newest(key: string): StoredVersion | undefined {
    return this.#objects.get(key)?.at(-1);
  }

  #version(key: string, versionId: string | undefined): StoredVersion | undefined {
    if (versionId === undefined) return this.#newest(key);
    return this.#objects.get(key)?.find(({ info }) => info.versionId === versionId);
  }
}

function failed(message: string): { readonly kind: 'error'; readonly error: Error } {
  return { kind: 'error', error: new Error(message) };
}
