/**
 * What the use cases need of the world. Adapters give it; tests give fakes of it.
 */

import type { InviteAnswer, LookUpAnswer, ResendAnswer } from './core/answers.ts';
import type { AnswerKind, Operation } from './core/apiCalls.ts';
import type { DirectoryUser, Named } from './core/directory.ts';
import type { Encoding } from './core/encoding.ts';
import type { Invitee } from './core/invitee.ts';
import type { CountName, counts } from './core/metrics.ts';
import type { Inspection, Reading } from './core/reading.ts';
import type { TextRecord } from './core/recordReader.ts';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after the time, or as soon as the signal is aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Gives a text that nobody else has: for owners of leases and writers of objects. */
export type NewToken = () => string;

export interface ObjectInfo {
  readonly key: string;
  readonly etag: string;
  /** Present in a versioned bucket. */
  readonly versionId?: string;
  readonly bytes: number;
  /** S3 tells whole seconds. */
  readonly modifiedAtMs: number;
  /** What the writer said of it: names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoredText {
  readonly text: string;
  readonly etag: string;
}

/** `always` overwrites; the others hold only at the moment of writing, atomically. */
export type PutCondition =
  | { readonly kind: 'always' }
  | { readonly kind: 'if_absent' }
  | { readonly kind: 'if_match'; readonly etag: string };

export type PutResult =
  | { readonly kind: 'written'; readonly etag: string }
  /** The condition did not hold. It may have been our own earlier try of this very write that changed it. */
  | { readonly kind: 'condition_failed' };

/** A large object being written. Nothing is visible before `close` has resolved. */
export interface ObjectWriter {
  /** Resolves when more may be written. */
  write(content: string | Uint8Array): Promise<void>;
  close(): Promise<PutResult>;
  abort(): Promise<void>;
}

/** Reads and lists see all writes that ended before. Every method throws where the store itself fails. */
export interface ObjectStore {
  /** Undefined where there is no such object (version). */
  head(key: string, versionId?: string): Promise<ObjectInfo | undefined>;
  /** Undefined where there is no such object; throws BrokenInvariant past `bytesMax`. */
  readText(key: string, bytesMax: number): Promise<StoredText | undefined>;
  /** Undefined where there is no such object, or no longer this version of it. */
  readBytes(source: Pick<ObjectInfo, 'key' | 'etag' | 'versionId'>): Promise<AsyncIterable<Uint8Array> | undefined>;
  put(key: string, text: string, condition: PutCondition): Promise<PutResult>;
  writer(key: string, contentType: string, condition: Exclude<PutCondition, { kind: 'if_match' }>): ObjectWriter;
  /** In the order of the keys. @param after Only keys behind this text. */
  list(prefix: string, after?: string): AsyncIterable<ListedObject>;
}

export type ListedObject = Pick<ObjectInfo, 'key' | 'etag' | 'modifiedAtMs'>;

export interface OutgoingMessage {
  readonly body: string;
  /** Messages of one group share the consumers fairly with other groups. */
  readonly groupId: string;
}

export interface OutgoingQueue {
  /** Resolves when all messages are in the queue; throws otherwise, and some may be in it. */
  sendAll(messages: readonly OutgoingMessage[]): Promise<void>;
}

/** The queue that a handler is fed from. */
export interface IncomingQueue {
  /** Makes a received message visible again after so many seconds. */
  hide(receiptHandle: string, seconds: number): Promise<void>;
}

export type ReadAnswer<T> =
  | { readonly kind: 'read'; readonly value: T }
  /** 401, 403 or another 4xx: asking again is no use. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly message: string }
  /** No answer, 5xx or 429: it may work later. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/** What changes nothing in the DoiT API. No method throws for what the API answers, or for not getting an answer. */
export interface DirectoryApi {
  /** The cheapest way to tell a bad key before work starts. */
  validateKey(): Promise<ReadAnswer<{ readonly email: string; readonly domain: string }>>;
  listUsers(): Promise<ReadAnswer<readonly DirectoryUser[]>>;
  listRoles(): Promise<ReadAnswer<readonly Named[]>>;
  listOrganizations(): Promise<ReadAnswer<readonly Named[]>>;
}

/** What workers do with the DoiT API. No method throws for what the API answers, or for not getting an answer. */
export interface InviteApi {
  findUser(email: string): Promise<LookUpAnswer>;
  invite(invitee: Invitee): Promise<InviteAnswer>;
  /** @param idempotencyKey The API does what has the same one only once. */
  resend(userId: string, idempotencyKey: string): Promise<ResendAnswer>;
}

/** Told of every call to the API as it ends, and of how long it took. */
export type OnApiCall = (operation: Operation, answer: AnswerKind, tookMs: number) => void;

/** For a function that invites nobody: it has no way to. */
export type ConnectDirectoryApi = (onCall: OnApiCall) => DirectoryApi;

export type ConnectApi = (onCall: OnApiCall) => InviteApi;

export interface CsvFormat {
  /** Looks at the whole file. Throws WholeFileFault where it is not text, or its encoding cannot be made out. */
  inspect(bytes: AsyncIterable<Uint8Array>): Promise<Inspection>;
  /** Gives all records in order, blank ones and those above the header included, in batches. */
  read(bytes: AsyncIterable<Uint8Array>, reading: Reading): AsyncIterable<readonly TextRecord[]>;
  /** Gives records as text, with formula cells made harmless, a newline after each. */
  format(records: readonly (readonly string[])[], dialect: Pick<Reading, 'delimiter' | 'newline'>): string;
  encode(text: string, encoding: Encoding): Uint8Array;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Events for the engineer. Never an email address, a name or a key in them: job id, chunk and row number. */
export interface Log {
  info(event: string, fields: LogFields): void;
  warn(event: string, fields: LogFields): void;
  error(event: string, fields: LogFields, error: unknown): void;
}

export interface Metrics {
  count<Name extends CountName>(
    name: Name,
    value: number,
    by: { readonly [dimension in (typeof counts)[Name]]: string },
  ): void;
  timeApiCall(operation: Operation, answer: AnswerKind, tookMs: number): void;
  /** Sends what was gathered: at the end of every invocation, because the process may be frozen then. */
  publish(): void;
}
