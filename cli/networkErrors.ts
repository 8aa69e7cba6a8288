/**
 * Errors that say the network broke, not that somebody refused.
 */
import { UserError } from './userError.ts';

const codes: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** The same where a sentence was made of it. */
export function brokenConnection(error: unknown): string | undefined {
  return networkError(error) ?? (error instanceof UserError ? networkError(error.cause) : undefined);
}

/** Gives what it says, in one line; undefined for an error of another kind. */
export function networkError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isOne =
    ('code' in error && codes.has(String(error.code))) || ['TimeoutError', 'AggregateError'].includes(error.name);
  return isOne ? error.message.replaceAll(/\s+/gu, ' ') || error.name : undefined;
}
