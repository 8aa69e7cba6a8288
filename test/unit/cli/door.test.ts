import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EndAnswer } from '../../../cli/jobs/endJob.ts';
import { doorLimits } from '../../../cli/limits.ts';
import { DataFolderInUse } from '../../../cli/local/dataFolder.ts';
import { askAtDoor, attendDoor, type DoorRequest } from '../../../cli/local/door.ts';
import { UserError } from '../../../cli/userError.ts';

const request: DoorRequest = { ending: 'cancel', job: 'latest', by: 'ann' };
const answer: EndAnswer = { kind: 'ending', sentence: 'It ends.' };
const patience = { answerMs: 400, askEveryMs: 20 };
const name = `${'0f'.repeat(16)}.json`;

let folder: string;
let end: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulk-invite-door-'));
  end = new AbortController();
});

afterEach(() => {
  end.abort();
  rmSync(folder, { recursive: true });
});

async function inUse(): Promise<never> {
  throw new DataFolderInUse(folder);
}

function requests(): string[] {
  return readdirSync(join(folder, 'requests'));
}

function handlerOf(seen: DoorRequest[]) {
  return async (asked: DoorRequest) => {
    seen.push(asked);
    return answer;
  };
}

/** Leaves a request as another process would, and looks for what becomes of it. */
async function leave(text: string, change: (path: string) => void = () => undefined): Promise<DoorRequest[]> {
  mkdirSync(join(folder, 'requests'));
  const path = join(folder, 'requests', name);
  writeFileSync(path, text);
  change(path);
  const seen: DoorRequest[] = [];
  const attending = attendDoor(folder, handlerOf(seen), end.signal);
  await wait(50);
  end.abort();
  await attending;
  return seen;
}

function makeFolder(path: string): void {
  rmSync(path);
  mkdirSync(path);
}

describe('the door of a data folder', () => {
  test('hands a request to the process that works, and its answer back, and keeps nothing', async () => {
    const seen: DoorRequest[] = [];
    const asking = askAtDoor(folder, request, inUse, { ...patience, answerMs: 5000 });
    const attending = attendDoor(folder, handlerOf(seen), end.signal);
    expect(await asking).toEqual(answer);
    end.abort();
    await attending;
    expect(seen).toEqual([request]);
    expect(requests()).toEqual([]);
  });

  test('is not asked where nobody has the folder, or as soon as nobody has it any more', async () => {
    expect(await askAtDoor(folder, request, async () => 'done here', patience)).toBe('done here');
    expect(existsSync(join(folder, 'requests'))).toBe(false);
    let tries = 0;
    const doHere = async () => {
      tries += 1;
      return tries < 3 ? await inUse() : 'done here';
    };
    expect(await askAtDoor(folder, request, doHere, patience)).toBe('done here');
    expect(requests()).toEqual([]);
  });

  test('says that nothing was done where nobody comes, and takes the request back', async () => {
    const asking = askAtDoor(folder, request, inUse, patience);
    await expect(asking).rejects.toThrow(
      'has not answered within 0.4 seconds: it works on no jobs just now, or hangs.',
    );
    await expect(asking).rejects.toBeInstanceOf(UserError);
    expect(requests()).toEqual([]);
  });

  test('says that it is not known where the request was taken and not answered', async () => {
    const asking = askAtDoor(folder, request, inUse, patience);
    await expect.poll(() => existsSync(join(folder, 'requests')) && requests().length).toBe(1);
    const attending = attendDoor(folder, () => wait(800, answer), end.signal);
    await expect(asking).rejects.toThrow('though it has taken the request. Whether it was done, status tells');
    end.abort();
    await attending;
  });

  test('passes on other errors of the command', async () => {
    const refused = async () => {
      throw new UserError('There is no job “x”.');
    };
    await expect(askAtDoor(folder, request, refused, patience)).rejects.toThrow('There is no job “x”.');
  });

  test('answers what it cannot do in a sentence, and goes on', async () => {
    const failures = [new UserError('There is no job “x”.'), new Error('ENOSPC\n    at x')];
    const handle = async () => {
      throw failures.shift();
    };
    const attending = attendDoor(folder, handle, end.signal);
    const long = { ...patience, answerMs: 5000 };
    expect(await askAtDoor(folder, request, inUse, long)).toEqual({
      kind: 'refused',
      sentence: 'There is no job “x”.',
    });
    expect(await askAtDoor(folder, request, inUse, long)).toEqual({
      kind: 'refused',
      sentence: 'The process that works with the data folder could not do it (ENOSPC).',
    });
    end.abort();
    await attending;
  });

  test('heeds a whole request of this user', async () => {
    expect(await leave(JSON.stringify(request))).toEqual([request]);
  });

  test.each<[string, string, ((path: string) => void)?]>([
    [
      'is old',
      JSON.stringify(request),
      (path) => utimesSync(path, 0, (Date.now() - doorLimits.requestMs - 1000) / 1000),
    ],
    ['is large', JSON.stringify(request).padEnd(doorLimits.requestBytesMax + 1)],
    ['asks for something else', JSON.stringify({ ...request, ending: 'approve' })],
    ['is no JSON', 'cancel it'],
    [
      'is a link to another file',
      JSON.stringify(request),
      (path) => {
        rmSync(path);
        writeFileSync(join(folder, 'elsewhere'), JSON.stringify(request));
        symlinkSync(join(folder, 'elsewhere'), path);
      },
    ],
    ['is a folder', JSON.stringify(request), makeFolder],
  ])('heeds no request that %s', async (_name, text, change) => {
    expect(await leave(text, change)).toEqual([]);
  });
});
