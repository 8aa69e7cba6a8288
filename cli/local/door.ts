/**
 * The door of a data folder: one process at a time uses the folder, and a command that wants a job of it to end leaves a
 * request there. The process that works looks for requests every second, does what they ask, and leaves an answer.
 *
 * A request is a file, `<name>.json`. Whoever renames it owns it: the process that works, to `<name>.taken`; or the command,
 * to take it back when nobody came for it. The answer is `<name>.answer`. The folder and its files are for their owner alone,
 * and a file of anybody else is not looked at.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { EndAnswer } from '../jobs/endJob.ts';
import { decisionLimits, doorLimits } from '../limits.ts';
import { UserError } from '../userError.ts';
import { DataFolderInUse } from './dataFolder.ts';

const requestSchema = z.strictObject({
  ending: z.enum(['cancel', 'reject']),
  /** Which job, as a person names it. */
  job: z.string().min(1).max(100),
  by: z.string().min(1).max(decisionLimits.nameCharactersMax),
});

const answerSchema = z.strictObject({ kind: z.enum(['ending', 'ended', 'refused']), sentence: z.string() });

export type DoorRequest = z.output<typeof requestSchema>;

/** How long and how often the answer is looked for. */
interface Patience {
  readonly answerMs: number;
  readonly askEveryMs: number;
}

const requestName = /^[0-9a-f]{32}\.json$/u;

/**
 * Does it here where the folder is free, and asks the process that works with it where it is not.
 *
 * @param doHere Throws DataFolderInUse where another process has the folder.
 * @returns What `doHere` gave, or the answer of the other process.
 * @throws UserError where that process has not done it in time; then it will not do it later either.
 */
export async function askAtDoor<T>(
  dataFolder: string,
  request: DoorRequest,
  doHere: () => Promise<T>,
  { answerMs, askEveryMs }: Patience = doorLimits,
): Promise<T | EndAnswer> {
  const file = join(doorOf(dataFolder), randomBytes(16).toString('hex'));
  const beganAtMs = Date.now();
  let isAsked = false;
  try {
    for (;;) {
      // It is free as soon as the other one has ended, however it has: then nobody else will take the request.
      const done = await unlessInUse(doHere);
      if (done.kind === 'done') return done.value;
      if (!isAsked) leaveRequest(file, request);
      isAsked = true;
      const answer = readAnswer(file);
      if (answer !== undefined) return answer;
      if (Date.now() - beganAtMs > answerMs) throw notDone(dataFolder, answerMs, takeBack(file));
      await wait(askEveryMs);
    }
  } finally {
    for (const end of ['.json', '.taken', '.answer']) rmSync(`${file}${end}`, { force: true });
  }
}

/** Does what requests ask, until the signal is aborted. */
export async function attendDoor(
  dataFolder: string,
  handle: (request: DoorRequest) => Promise<EndAnswer>,
  signal: AbortSignal,
): Promise<void> {
  const door = doorOf(dataFolder);
  sweep(door);
  while (!signal.aborted) {
    for (const name of requestsAt(door)) await answerRequest(join(door, name.replace(/\.json$/u, '')), handle);
    await wait(doorLimits.lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** In an existing folder of any mode, this one is for its owner. */
function doorOf(dataFolder: string): string {
  return join(dataFolder, 'requests');
}

async function unlessInUse<T>(doHere: () => Promise<T>): Promise<{ kind: 'done'; value: T } | { kind: 'in_use' }> {
  try {
    return { kind: 'done', value: await doHere() };
  } catch (error) {
    if (error instanceof DataFolderInUse) return { kind: 'in_use' };
    throw error;
  }
}

function leaveRequest(file: string, request: DoorRequest): void {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  // Whoever looks finds the whole of it or nothing.
  writeFileSync(`${file}.writing`, JSON.stringify(request), { mode: 0o600, flag: 'wx' });
  renameSync(`${file}.writing`, `${file}.json`);
}

function readAnswer(file: string): EndAnswer | undefined {
  const text = readOwn(`${file}.answer`);
  return text === undefined ? undefined : answerSchema.parse(JSON.parse(text));
}

/** False where the other process was faster. */
function takeBack(file: string): boolean {
  return rename(`${file}.json`, `${file}.taken`);
}

function notDone(dataFolder: string, answerMs: number, isTakenBack: boolean): UserError {
  const found = `Another bulk-invite uses the data folder ${dataFolder}, and has not answered within ${answerMs / 1000} seconds`;
  return new UserError(
    isTakenBack
      ? `${found}: it works on no jobs just now, or hangs. Nothing was changed. End it (Ctrl-C there), and try again.`
      : `${found}, though it has taken the request. Whether it was done, status tells when that one has ended; repeating the command is harmless.`,
  );
}

function requestsAt(door: string): string[] {
  try {
    return readdirSync(door).filter((name) => requestName.test(name));
  } catch {
    // Nobody has ever asked.
    return [];
  }
}

/** What commands left behind that were killed, and answers that came too late. */
function sweep(door: string): void {
  try {
    for (const name of readdirSync(door)) {
      const path = join(door, name);
      if (Date.now() - lstatSync(path).mtimeMs > doorLimits.requestMs) rmSync(path, { force: true });
    }
  } catch {
    // What cannot be removed is not heeded either.
  }
}

async function answerRequest(file: string, handle: (request: DoorRequest) => Promise<EndAnswer>): Promise<void> {
  const text = readOwn(`${file}.json`);
  if (text === undefined || !rename(`${file}.json`, `${file}.taken`)) return;
  const answer = await answerTo(text, handle);
  try {
    writeFileSync(`${file}.writing`, JSON.stringify(answer), { mode: 0o600 });
    renameSync(`${file}.writing`, `${file}.answer`);
  } catch (error) {
    // Whoever asked will see that there is no answer; the jobs go on.
    console.error(JSON.stringify({ level: 'ERROR', message: 'door_not_answered', error: String(error) }));
  }
}

/** A request that cannot be done is refused in a sentence; the work of this process goes on. */
async function answerTo(text: string, handle: (request: DoorRequest) => Promise<EndAnswer>): Promise<EndAnswer> {
  try {
    return await handle(requestSchema.parse(JSON.parse(text)));
  } catch (error) {
    if (error instanceof UserError) return { kind: 'refused', sentence: error.message };
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { kind: 'refused', sentence: `The process that works with the data folder could not do it (${why}).` };
  }
}

/** No link is followed, and nothing is waited for. Windows knows neither. */
const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Undefined where it is not there, not of this user, not a small plain file, or was left behind long ago. */
function readOwn(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, openFlags);
    const found = fstatSync(file);
    const isOwn = process.getuid === undefined || found.uid === process.getuid();
    const isFresh = Date.now() - found.mtimeMs < doorLimits.requestMs;
    if (!found.isFile() || !isOwn || !isFresh || found.size > doorLimits.requestBytesMax) return undefined;
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
