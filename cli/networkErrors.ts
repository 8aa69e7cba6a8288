/**
 * Errors that say the network broke, not that somebody refused.
 */
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

/** Gives what it says, in one line; undefined for an error of another kind. */
export function networkError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isOne =
    ('code' in error && codes.has(String(error.code))) || ['TimeoutError', 'AggregateError'].includes(error.name);
  return isOne ? error.message.replaceAll(/\s+/gu, ' ') || error.name : undefined;
}
