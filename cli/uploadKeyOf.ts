/**
 * Where a file of this machine lies in the bucket.
 */
import { basename } from 'node:path';
import { dryRunPrefix, incomingPrefix } from '../lambdas/core/keys.ts';
import { inert } from '../lambdas/core/quote.ts';

/** @param dryRun Whether nobody is to be invited: such uploads have a folder of their own. */
export function uploadKeyOf(file: string, dryRun = false): string {
  // A list of keys is XML, which changes some control characters on the way: the key would be that of nothing.
  return `${dryRun ? dryRunPrefix : incomingPrefix}${inert(basename(file))}`;
}
