/**
 * Runs the handlers until the report of one job is whole, or until it is told to stop.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { reportKey } from '../../lambdas/core/keys.ts';
import { readSummary, type Summary } from '../../lambdas/ledger/summary.ts';
import { describeProgress, jobProgressReader } from '../jobProgress.ts';
import type { Terminal } from '../terminal.ts';
import type { LocalHost } from './localHost.ts';
import type { LocalUpload } from './uploads.ts';

export type Run =
  | { readonly kind: 'reported'; readonly summary: Summary }
  | { readonly kind: 'stopped' }
  /** A message was given up: the log says why. */
  | { readonly kind: 'dead_letter'; readonly queue: string };

const lookEveryMs = 250;
/** Without a terminal, a line is printed when something has changed, and not more often than this. */
const sayEveryMs = 5000;

export async function runJob(
  host: LocalHost,
  upload: LocalUpload,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<Run> {
  const ended = new AbortController();
  const running = host.run(AbortSignal.any([stop, ended.signal]));
  // Awaited below; until then a failure must not go unhandled.
  running.catch(() => ended.abort());
  try {
    return await watch(host, upload, terminal, AbortSignal.any([stop, ended.signal]));
  } finally {
    ended.abort();
    await running;
  }
}

async function watch(host: LocalHost, upload: LocalUpload, terminal: Terminal, signal: AbortSignal): Promise<Run> {
  const { jobId, key } = upload;
  const readProgress = jobProgressReader(host.store, jobId);
  const beganAtMs = Date.now();
  let said = '';
  let saidAtMs = 0;
  while (!signal.aborted) {
    await wait(lookEveryMs);
    if ((await host.store.head(reportKey(key, jobId, 'summary.json'))) !== undefined) break;
    const deadLetters = host.deadLetters()[0];
    if (deadLetters !== undefined) return { kind: 'dead_letter', queue: deadLetters };
    const everyMs = process.stderr.isTTY === true ? 1000 : sayEveryMs;
    if (Date.now() - saidAtMs < everyMs) continue;
    saidAtMs = Date.now();
    const line = describeProgress(await readProgress(), Date.now() - beganAtMs);
    if (line !== said) terminal.progress(line);
    said = line;
  }
  const summary = await readSummary(host.store, {
    jobId,
    source: { key, etag: upload.etag, bytes: 0, uploadedAtMs: 0 },
  });
  return summary === undefined ? { kind: 'stopped' } : { kind: 'reported', summary };
}
