/**
 * Copies a job's report out of the bucket, and keeps in mind that it was delivered: until then, the same command delivers it.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { type ReportFile, reportKey } from '../../lambdas/core/keys.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { UserError } from '../userError.ts';

/** The summary comes last, here too. */
const files: readonly ReportFile[] = ['results.csv', 'retry.csv', 'report.html', 'summary.json'];

const deliveredPrefix = 'delivered/';

/**
 * Before anything starts: that the report will have a place.
 *
 * @throws UserError where it has none, or would take the place of the file that is to be read.
 */
export function prepareFolder(folder: string, file: string): void {
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw new UserError(`${folder} is a file, and the report needs a folder. Choose another one with --out.`);
  }
  // Names and addresses of people will be in it.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (files.some((name) => join(folder, name) === file)) {
    throw new UserError(`The report would take the place of ${file}. Choose another folder with --out.`);
  }
}

/** @returns The paths of the files, in a fixed order. */
export async function fetchReport(
  store: ObjectStore,
  uploadKey: string,
  jobId: JobId,
  folder: string,
): Promise<string[]> {
  const paths: string[] = [];
  for (const file of files) {
    const info = await store.head(reportKey(uploadKey, jobId, file));
    const bytes = info === undefined ? undefined : await store.readBytes(info);
    if (bytes === undefined) throw new Error(`The report of job ${jobId} has no ${file}.`);
    const path = join(folder, file);
    await pipeline(bytes, createWriteStream(`${path}.partial`, { mode: 0o600 }));
    renameSync(`${path}.partial`, path);
    paths.push(path);
  }
  await store.put(`${deliveredPrefix}${jobId}`, '', { kind: 'always' });
  return paths;
}

export async function isDelivered(store: ObjectStore, jobId: JobId): Promise<boolean> {
  return (await store.head(`${deliveredPrefix}${jobId}`)) !== undefined;
}
