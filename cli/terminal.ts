/**
 * What the command itself prints. Everything else that this process would print goes to a log file: standard output is
 * for results, and with `--json` for nothing but the summary.
 */
import { appendFileSync, existsSync, renameSync, statSync, writeSync } from 'node:fs';
import { inert } from '../lambdas/core/quote.ts';

const logBytesMax = 10 * 1024 * 1024;

/** Foreign text may be in a line; it stays one line, and the terminal shows all of it and obeys none. */
export interface Terminal {
  /** Writes a line to standard output. */
  result(line: string): void;
  /** Writes a text of several lines to standard output, as `inertJson` gives it. */
  document(text: string): void;
  /** Writes a line to standard error. */
  say(line: string): void;
  /** Shows a state that replaces the one before; on a terminal in the same line. */
  progress(line: string): void;
}

export function openTerminal(): Terminal {
  const isTty = process.stderr.isTTY === true;
  let shown = 0;
  const clear = () => {
    if (shown > 0) writeSync(2, `\r${' '.repeat(shown)}\r`);
    shown = 0;
  };
  return {
    result: (line) => {
      clear();
      writeAll(1, `${inert(line)}\n`);
    },
    document: (text) => {
      clear();
      writeAll(1, `${text}\n`);
    },
    say: (line) => {
      clear();
      writeAll(2, `${inert(line)}\n`);
    },
    progress: (line) => {
      if (!isTty) return writeAll(2, `${inert(line)}\n`);
      const fitting = inert(line).slice(0, (process.stderr.columns ?? 80) - 1);
      clear();
      writeAll(2, fitting);
      shown = fitting.length;
    },
  };
}

/** From now on, what libraries and functions print goes to the file, and also to standard error where `isVerbose`. */
export function divertOutput(logFile: string, isVerbose: boolean): void {
  if (existsSync(logFile) && statSync(logFile).size > logBytesMax) renameSync(logFile, `${logFile}.1`);
  const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    appendFileSync(logFile, chunk, { mode: 0o600 });
    if (isVerbose) writeAll(2, typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = rest.find((argument) => typeof argument === 'function');
    if (done !== undefined) process.nextTick(done as () => void);
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
}

/** A pipe may take only a part at once, or nothing for now. */
function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') continue;
      if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return;
      throw error;
    }
  }
}
