/**
 * Calls of the DoiT API with its key, and what an answer to a reading says. It never throws for what the API answers or does
 * not answer.
 *
 * Source: https://developer.doit.com/reference, and what was observed in practice.
 */
import type * as z from 'zod';
import type { Operation } from '../core/apiCalls.ts';
import type { OnApiCall, ReadAnswer } from '../ports.ts';
import type { ReadKey } from './apiKey.ts';
import { type Exchange, exchange, type Request } from './httpExchange.ts';

/** How a call travels; see `exchange`. */
export type ExchangeCall = typeof exchange;

export interface DoitApiSettings {
  /** For example `https://api.doit.com`. */
  readonly apiUrl: string;
  /** Sent as `X-Tenant-Id`, for a key that reaches several customers. */
  readonly tenantId?: string;
  readonly callTimeoutMs: number;
}

export interface Unreadable {
  readonly kind: 'unreadable';
  readonly httpStatus: number;
}

export interface DoitClient {
  call(operation: Operation, request: Request, timeoutMs: number): Promise<Exchange>;
  /** @param limits Of the answer, and of the time that it may take. */
  read<T>(
    operation: Operation,
    path: string,
    schema: z.ZodType<T>,
    limits: { readonly bytesMax: number; readonly timeoutMs: number },
  ): Promise<ReadAnswer<T> | Unreadable>;
}

/** @param send The network; another one stands in for it where time and faults are simulated. */
export function doitClient(
  { apiUrl, tenantId }: DoitApiSettings,
  readKey: ReadKey,
  onCall: OnApiCall,
  send: ExchangeCall = exchange,
): DoitClient {
  return { call, read };

  async function read<T>(
    operation: Operation,
    path: string,
    schema: z.ZodType<T>,
    { bytesMax, timeoutMs }: { readonly bytesMax: number; readonly timeoutMs: number },
  ): Promise<ReadAnswer<T> | Unreadable> {
    const result = await call(operation, { method: 'GET', path, bytesMax }, timeoutMs);
    if (result.kind === 'no_answer') return { kind: 'unavailable', detail: result.detail };
    const { httpStatus, errorMessage: message } = result;
    if (httpStatus >= 300 && httpStatus < 500 && httpStatus !== 408 && httpStatus !== 429)
      return { kind: 'refused', httpStatus, message };
    if (httpStatus < 200 || httpStatus >= 300) return { kind: 'unavailable', detail: `status ${httpStatus}` };
    const parsed = schema.safeParse(result.json);
    return parsed.success ? { kind: 'read', value: parsed.data } : { kind: 'unreadable', httpStatus };
  }

  /** A 401 has no effect, so where there is a new key by now the call is made once more, within the time of the first. */
  async function call(operation: Operation, request: Request, timeoutMs: number): Promise<Exchange> {
    const key = await readKey();
    const endsAtMs = Date.now() + timeoutMs;
    const result = await callWith(key, operation, request, timeoutMs);
    if (result.kind === 'no_answer' || result.httpStatus !== 401) return result;
    const newKey = await readKey(key);
    const leftMs = endsAtMs - Date.now();
    return newKey === key || leftMs <= 0 ? result : await callWith(newKey, operation, request, leftMs);
  }

  async function callWith(key: string, operation: Operation, request: Request, timeoutMs: number): Promise<Exchange> {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(tenantId === undefined ? {} : { 'x-tenant-id': tenantId }),
    };
    const startedAtMs = Date.now();
    const result = await send(apiUrl, request, headers, timeoutMs);
    onCall(
      operation,
      result.kind === 'no_answer' ? 'no_answer' : `${result.httpStatus}`,
      Math.max(0, Date.now() - startedAtMs),
    );
    return result;
  }
}
