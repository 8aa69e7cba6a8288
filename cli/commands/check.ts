/**
 * `bulk-invite check FILE`: all that can be said of a file without an account and without sending anything.
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { csvFormat } from '../../lambdas/adapters/csvFormat.ts';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { inertJson } from '../../lambdas/core/quote.ts';
import { type CheckResult, checkUpload } from '../checkUpload.ts';
import { describeCheck } from '../describeCheck.ts';
import { expectFile } from '../expectFile.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { openTerminal } from '../terminal.ts';

export interface CheckOptions {
  readonly map: Mapping;
  readonly allowDomain: readonly string[];
  readonly inviteGone: boolean;
  readonly json: boolean;
}

/** For people, the first problems show what to mend; a machine gets them all, within reason. */
const listedMax = 50;
const jsonListedMax = 100_000;

/** @returns The exit code, as of `local`. */
export async function check(file: string, options: CheckOptions): Promise<number> {
  const terminal = openTerminal();
  const path = expectFile(file);
  const rules = {
    mapping: options.map,
    allowedDomains: options.allowDomain,
    invitesGone: options.inviteGone,
    listedMax: options.json ? jsonListedMax : listedMax,
  };
  const result = await checkUpload(() => createReadStream(path), csvFormat, rules);
  if (options.json) terminal.document(inertJson({ file: basename(path), ...result }));
  else for (const line of describeCheck(basename(path), result)) terminal.result(line);
  return exitCodeOf(result);
}

function exitCodeOf({ error, problems }: CheckResult): number {
  if (error !== undefined) return exitCodes.couldNotRun;
  return problems.count > 0 ? exitCodes.needsAttention : exitCodes.allWell;
}
