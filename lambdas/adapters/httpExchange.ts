/**
 * One HTTP call: bounded in time and in what it reads of the answer.
 */
import { apiLimits } from '../core/limits.ts';
import { plain } from '../core/quote.ts';

export interface Request {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytesMax: number;
}

export type Exchange =
  | {
      readonly kind: 'answer';
      readonly httpStatus: number;
      /** Undefined where the answer is not JSON, is too large or broke off. */
      readonly json: unknown;
      readonly errorMessage: string;
      readonly retryAfterMs?: number;
    }
  | { readonly kind: 'no_answer'; readonly detail: string };

/** Never throws. A redirect is not followed: the key would travel with it. */
export async function exchange(
  baseUrl: string,
  { method, path, body, headers: own = {}, bytesMax }: Request,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Exchange> {
  const url = `${baseUrl.replace(/\/+$/u, '')}${path}`;
  const contentType: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...own, ...contentType, accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body }),
    });
    const text = await readBounded(response, bytesMax);
    const json = text === undefined ? undefined : parseJson(text);
    const retryAfterMs = readRetryAfter(response.headers.get('retry-after'), Date.now());
    return {
      kind: 'answer',
      httpStatus: response.status,
      json,
      errorMessage: errorMessage(json, text),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  } catch (error) {
    return { kind: 'no_answer', detail: describe(error, timeoutMs) };
  }
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3); may be zero, negative or in the past. */
export function readRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Gives undefined where the answer is too large or breaks off: its status is known, so it is an answer all the same. */
async function readBounded(response: Response, bytesMax: number): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > bytesMax) return undefined;
      pieces.push(piece);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(pieces).toString('utf-8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const noMessage = 'no message was given.';

/** Errors are `{"error": "<sentence>"}`; from a proxy they may be HTML or nothing at all. */
function errorMessage(json: unknown, text: string | undefined): string {
  if (typeof json === 'object' && json !== null && 'error' in json && typeof json.error === 'string') {
    const message = plain(json.error, apiLimits.quotedMessageMax);
    return message === '' ? noMessage : message;
  }
  if (text === undefined || text.trim() === '') return noMessage;
  if (text.trimStart().startsWith('<')) return 'an HTML page instead of a message.';
  return plain(text, apiLimits.quotedMessageMax);
}

function describe(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  // Only the code: the text of an error may quote what was to be sent, and the key is part of that.
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return code === undefined ? 'no answer: the request could not be sent' : `no answer (${plain(code, 100)})`;
}
