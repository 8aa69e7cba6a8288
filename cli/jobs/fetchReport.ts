/**
 * Copies a job's report out of the bucket, and makes sure that it is what the job has written.
 */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ReportFile, reportKey } from '../../lambdas/core/keys.ts';
import type { Summary } from '../../lambdas/ledger/summary.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { networkError } from '../networkErrors.ts';
import type { JobRef } from '../place/place.ts';
import { UserError } from '../userError.ts';

/** The summary comes last, here too. */
const files: readonly ReportFile[] = ['results.csv', 'retry.csv', 'drift.csv', 'report.html', 'summary.json'];

/**
 * Before anything starts: that the report will have a place.
 *
 * @param file What is to be read, where that is a file of this machine.
 * @throws UserError where it has none, or would take the place of the file that is to be read.
 */
export function prepareFolder(folder: string, file: string | undefined): void {
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw new UserError(`${folder} is a file, and the report needs a folder. Choose another one with --out.`);
  }
  // Names and addresses of people will be in it.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (files.some((name) => join(folder, name) === file)) {
    throw new UserError(`The report would take the place of ${file}. Choose another folder with --out.`);
  }
}

/**
 * @param summary Tells the checksums of the other files.
 * @returns The paths of the files, in a fixed order.
 * @throws UserError where a file is missing, or is not what the summary says.
 */
export async function fetchReport(
  store: ObjectStore,
  job: JobRef,
  summary: Summary,
  folder: string,
): Promise<string[]> {
  const paths: string[] = [];
  // Only a run of a roster tells how the directory differs from it.
  const isPart = (file: ReportFile) => file !== 'drift.csv' || summary.files.some(({ name }) => name === file);
  for (const file of files.filter(isPart)) {
    const path = join(folder, file);
    const partial = `${path}.partial`;
    const sha256 = await download(store, job, file, partial);
    const expected = summary.files.find(({ name }) => name === file)?.sha256;
    if (file !== 'summary.json' && sha256 !== expected) {
      rmSync(partial);
      throw new UserError(
        `${file} of job ${job.jobId} is not what the job has written: its SHA-256 is ${sha256}, and the summary says ${expected ?? 'nothing of it'}. ` +
          'Somebody has changed it in the bucket, or it was damaged on its way: fetch it again, and if that does not help, look for an earlier version of it in the bucket.',
      );
    }
    renameSync(partial, path);
    paths.push(path);
  }
  return paths;
}

/** @returns The SHA-256 of the content. */
async function download(store: ObjectStore, job: JobRef, file: ReportFile, path: string): Promise<string> {
  const key = reportKey(job.uploadKey, job.jobId, file);
  const info = await store.head(key);
  const bytes = info === undefined ? undefined : await store.readBytes({ key, etag: info.etag });
  if (bytes === undefined)
    throw new UserError(
      `The report of job ${job.jobId} has no ${file} any more: reports are deleted when their days are over, or by somebody. ` +
        'To have a new one, upload the file again: nobody is invited twice.',
    );
  const hash = createHash('sha256');
  const hashed = async function* (pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
  };
  try {
    await pipeline(bytes, hashed, createWriteStream(path, { mode: 0o600 }));
  } catch (cause) {
    const broken = networkError(cause);
    if (broken === undefined) throw cause;
    throw new UserError(`The download of ${file} broke off (${broken}). Fetch the report again.`, { cause });
  }
  return hash.digest('hex');
}
