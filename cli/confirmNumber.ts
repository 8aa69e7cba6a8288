/**
 * Asks whoever sits at the terminal to type a number before something is done that cannot be taken back. A key that is
 * pressed out of habit does nothing.
 */
import { createInterface } from 'node:readline';
import type { Terminal } from './terminal.ts';

/** Whether somebody can be asked: both what they type and what they read is a terminal. */
export function canAsk(input: { readonly isTTY?: boolean } = process.stdin): boolean {
  return input.isTTY === true && process.stderr.isTTY === true;
}

/** True where the very number was typed; separators of thousands and blanks do not matter. */
export async function confirmNumber(
  question: string,
  expected: number,
  terminal: Pick<Terminal, 'say'>,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<boolean> {
  terminal.say(question);
  const lines = createInterface({ input, terminal: false });
  try {
    for await (const line of lines) return line.replaceAll(/[\s,.'’]/gu, '') === String(expected);
    return false;
  } finally {
    lines.close();
  }
}
