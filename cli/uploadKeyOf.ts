/**
 * Where a file of this machine lies in the bucket.
 */
import { basename } from 'node:path';
import { incomingPrefix } from '../lambdas/core/keys.ts';
import { inert } from '../lambdas/core/quote.ts';

export function uploadKeyOf(file: string): string {
  // A list of keys is XML, which changes some control characters on the way: the key would be that of nothing.
  return `${incomingPrefix}${inert(basename(file))}`;
}
