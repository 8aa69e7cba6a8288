/**
 * The file that a person named.
 */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isUploadKey } from '../lambdas/core/keys.ts';
import { uploadLimits } from '../lambdas/core/limits.ts';
import { uploadKeyOf } from './uploadKeyOf.ts';
import { UserError } from './userError.ts';

/** @throws UserError where there is none. */
export function expectFile(file: string): string {
  const path = resolve(file);
  if (!existsSync(path)) throw new UserError(`There is no file ${path}. Name the CSV file with the people to invite.`);
  if (!statSync(path).isFile())
    throw new UserError(`${path} is not a file. Name the CSV file with the people to invite.`);
  if (!isUploadKey(uploadKeyOf(path)))
    throw new UserError(`${path} has the name of a mapping, which is no file of people. Rename it if it is one.`);
  const { size } = statSync(path);
  if (size > uploadLimits.uploadBytesMax) {
    const limit = `${uploadLimits.uploadBytesMax / 1024 / 1024} MiB`;
    throw new UserError(`${path} has ${size} bytes, and at most ${limit} are read. Split it and run the pieces.`);
  }
  return path;
}
