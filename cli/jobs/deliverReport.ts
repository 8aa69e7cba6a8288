/**
 * Brings the report of a job that has ended, or is held, to the person: into a folder, and in short on the terminal.
 */
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { hasEnded, type Summary } from '../../lambdas/ledger/summary.ts';
import type { JobRef, Place } from '../place/place.ts';
import type { Terminal } from '../terminal.ts';
import { describeSummary, exitCodeOf } from './describeSummary.ts';
import { fetchReport, prepareFolder } from './fetchReport.ts';

export interface DeliveryOptions {
  /** The folder; without it, one is made for the job. */
  readonly out?: string;
  /** Standard output is the summary and nothing else. */
  readonly json: boolean;
}

/** @param file What was read, where that is a file of this machine. @returns The exit code. */
export async function deliverReport(
  place: Place,
  job: JobRef,
  summary: Summary,
  { out, json }: DeliveryOptions,
  terminal: Terminal,
  file?: string,
): Promise<number> {
  const folder = resolve(out ?? join('reports', job.jobId));
  prepareFolder(folder, file);
  const paths = await fetchReport(place.store, job, summary, folder);
  // That of a held job is not the last one.
  if (hasEnded(summary)) await place.noteDelivered(job.jobId);
  const print = json ? terminal.say : terminal.result;
  for (const line of describeSummary(summary, place.options, place.now())) print(line);
  print('');
  for (const path of paths)
    print(relative(process.cwd(), path).startsWith('..') ? path : relative(process.cwd(), path));
  if (json) terminal.document(readFileSync(paths.at(-1) ?? '', 'utf8').trimEnd());
  return exitCodeOf(summary);
}
