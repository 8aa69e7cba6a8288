/**
 * Splits a stream of UTF-8 at line feeds and at nothing else: JSON may hold the other line separators of Unicode.
 */
import { BrokenInvariant } from '../core/fault.ts';
import { ledgerLimits } from '../core/limits.ts';

/**
 * @param key Of the object, for the message.
 * @throws BrokenInvariant where a line is far longer than any of ours: it would be gathered in memory.
 */
export async function* linesOf(key: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of bytes) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > ledgerLimits.lineCharactersMax)
      throw new BrokenInvariant(`A line of ${key} has more than ${ledgerLimits.lineCharactersMax} characters.`);
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
