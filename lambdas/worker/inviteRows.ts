/**
 * Works on the open rows of a chunk, several at once, until all are settled or the chunk is halted.
 */
import pLimit from 'p-limit';
import pRetry from 'p-retry';
import { workerLimits } from '../core/limits.ts';
import { giveUp, type RowProgress } from '../core/rowProgress.ts';
import type { Halt } from './halt.ts';
import { Halted } from './halt.ts';
import type { OwnedChunk } from './ownedChunk.ts';
import { type RowCaller, SlowedDown, TryAgain } from './rowCaller.ts';

export interface RowSettings {
  /** Calls at once. */
  readonly concurrency: number;
  readonly retryDelayMinMs: number;
  readonly retryDelayMaxMs: number;
}

export interface Invitations {
  /** Resolves when no call is under way any more; never rejects. */
  readonly done: Promise<void>;
  /** Ends a probe: from now on, as many calls at once as the settings allow. */
  readonly openUp: () => void;
}

/** @param isProbing After an outage one call goes first, alone. */
export function inviteRows(
  chunk: OwnedChunk,
  caller: RowCaller,
  halt: Halt,
  settings: RowSettings,
  isProbing: boolean,
): Invitations {
  const limit = pLimit(isProbing ? 1 : settings.concurrency);
  // Rows that were tried least come first: a row that always fails must not be the one that every probe meets.
  const open = chunk.chunk.rows
    .flatMap((row, index) => (row.outcome === undefined ? [{ index, attempts: row.attempts }] : []))
    .sort((left, right) => left.attempts - right.attempts)
    .map(({ index }) => index);
  const done = limit.map(open, (index) => inviteRow(index, chunk, caller, halt, settings)).then(() => undefined);
  return {
    done,
    openUp: () => {
      limit.concurrency = settings.concurrency;
    },
  };
}

/** Never rejects: what goes wrong halts the chunk, so that the other rows end in order and are saved. */
async function inviteRow(
  index: number,
  chunk: OwnedChunk,
  caller: RowCaller,
  halt: Halt,
  settings: RowSettings,
): Promise<void> {
  try {
    // Each step is recorded in the chunk as it happens: p-retry discards a result when the signal was aborted meanwhile.
    await pRetry(() => onceTaken(() => tryRow(index, caller)), {
      retries: workerLimits.rowRetriesMax,
      minTimeout: settings.retryDelayMinMs,
      maxTimeout: settings.retryDelayMaxMs,
      randomize: true,
      signal: halt.signal,
    });
  } catch (error) {
    if (error instanceof Halted) return;
    if (error instanceof TryAgain) return await endRow(index, chunk, caller, halt);
    halt.set({ kind: 'broken', error });
  }
}

/** After a 429 the pace has the delay, and the row is not to blame: it is no failed try. Ends with the chunk's halt. */
async function onceTaken(call: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SlowedDown)) throw error;
    }
  }
}

async function tryRow(index: number, caller: RowCaller): Promise<void> {
  for (let steps = 0; steps < workerLimits.stepsPerTryMax; steps += 1) {
    switch (caller.nextCall(index)) {
      case 'none':
        return;
      case 'look_up':
        await caller.lookUp(index);
        break;
      case 'invite':
        await caller.invite(index);
        break;
      case 'resend':
        await caller.resend(index);
        break;
    }
  }
  // Every look-up was too old by the time of its invitation: the pace is very slow.
  throw new SlowedDown();
}

/**
 * After the last try: a row in doubt is looked up once more, and what then is still open is given up. As long as no
 * invitation at all is answered, it is the API that is at fault, and the row waits.
 */
async function endRow(index: number, chunk: OwnedChunk, caller: RowCaller, halt: Halt): Promise<void> {
  if (halt.reason !== undefined) return;
  try {
    const { doubt, resendTo } = chunk.row(index);
    if (doubt !== undefined && resendTo === undefined) await onceTaken(() => caller.lookUp(index));
  } catch (error) {
    if (error instanceof Halted) return;
    if (error instanceof TryAgain) {
      if (!caller.mayBlameRows) return halt.set({ kind: 'api_down' });
      const message = 'Others are answered, but looking this person up failed again and again.';
      return chunk.setRow(index, giveUp(chunk.row(index), { status: 'failed', code: 'look_up_failed', message }));
    }
    return halt.set({ kind: 'broken', error });
  }
  if (!caller.mayBlameRows) return halt.set({ kind: 'api_down' });
  const row = chunk.row(index);
  chunk.setRow(index, giveUp(row, { status: 'failed', code: 'retries_exhausted', message: exhausted(row) }));
}

function exhausted({ attempts, lastHttpStatus }: RowProgress): string {
  const last =
    lastHttpStatus === undefined ? 'the last one without an answer' : `the last answer was status ${lastHttpStatus}`;
  return `Given up after ${attempts} attempts; ${last}.`;
}
