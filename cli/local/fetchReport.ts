/**
 * Copies a job's report out of the bucket.
 */
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { type ReportFile, reportKey } from '../../lambdas/core/keys.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';

/** The summary comes last, here too. */
const files: readonly ReportFile[] = ['results.csv', 'retry.csv', 'report.html', 'summary.json'];

/** @returns The paths of the files, in a fixed order. */
export async function fetchReport(
  store: ObjectStore,
  uploadKey: string,
  jobId: JobId,
  folder: string,
): Promise<string[]> {
  // Names and addresses of people are in it.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const paths: string[] = [];
  for (const file of files) {
    const info = await store.head(reportKey(uploadKey, jobId, file));
    const bytes = info === undefined ? undefined : await store.readBytes(info);
    if (bytes === undefined) throw new Error(`The report of job ${jobId} has no ${file}.`);
    const path = join(folder, file);
    await pipeline(bytes, createWriteStream(path));
    paths.push(path);
  }
  return paths;
}
