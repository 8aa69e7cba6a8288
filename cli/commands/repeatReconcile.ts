/**
 * `bulk-invite reconcile FILE --every TIME`: stays, and has one run after the other done, each by a process of its own. Between
 * two runs nobody has the data folder, so other commands can look at its jobs and decide about them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../lambdas/adapters/systemClock.ts';
import type { Clock } from '../../lambdas/ports.ts';
import { describeMoment } from '../describeMoment.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { openTerminal, type Terminal } from '../terminal.ts';

/** Long sleeps are cut, so that a machine that was asleep itself wakes up to the right time. */
const sleepMsMax = 60_000;

/** @returns The exit code, when somebody has ended it. */
export async function repeatReconcile(everyMs: number): Promise<number> {
  const terminal = openTerminal();
  const stop = new AbortController();
  let child: ChildProcess | undefined;
  // To the child alone, and once: in a process group of its own, it does not get the Ctrl-C of the terminal, too.
  const onSignal = (signal: NodeJS.Signals) => {
    stop.abort();
    child?.kill(signal);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const runOnce = async () => {
    child = startRun();
    const [code] = await once(child, 'exit');
    child = undefined;
    return typeof code === 'number' ? code : exitCodes.couldNotRun;
  };
  try {
    await repeat(everyMs, runOnce, systemClock, stop.signal, terminal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  terminal.say('Ended. The next command continues what is unfinished.');
  return exitCodes.interrupted;
}

/**
 * Runs at the beginning and at every multiple of the time after it, until the signal is aborted. A time that comes while a run
 * is still under way is left out.
 *
 * @param runOnce Gives the exit code.
 */
export async function repeat(
  everyMs: number,
  runOnce: () => Promise<number>,
  clock: Clock,
  stop: AbortSignal,
  terminal: Pick<Terminal, 'say'>,
): Promise<void> {
  const beganAtMs = clock.now();
  for (let turn = 0; ; ) {
    const code = await runOnce();
    if (stop.aborted) return;
    const next = Math.max(turn + 1, Math.ceil((clock.now() - beganAtMs) / everyMs));
    const nextAtMs = beganAtMs + next * everyMs;
    for (const sentence of betweenRuns(code, next - turn - 1, nextAtMs)) terminal.say(sentence);
    while (!stop.aborted && clock.now() < nextAtMs)
      await clock.sleep(Math.min(nextAtMs - clock.now(), sleepMsMax), stop);
    if (stop.aborted) return;
    turn = next;
  }
}

function betweenRuns(code: number, missed: number, nextAtMs: number): string[] {
  const runs = missed === 1 ? '1 run was left out' : `${missed} runs were left out`;
  return [
    ...(code === exitCodes.couldNotRun ? ['This run has failed; the next one is tried all the same.'] : []),
    ...(missed > 0 ? [`${runs}, because this one took so long.`] : []),
    `The next run is at ${describeMoment(nextAtMs)}. Ctrl-C ends it.`,
  ];
}

function startRun(): ChildProcess {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  // Through the channel, the child learns that this process is gone.
  return spawn(process.execPath, [...process.execArgv, main, ...withoutEvery(process.argv.slice(2))], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
}

/** The same command, for one run. */
function withoutEvery(args: readonly string[]): string[] {
  const isEvery = (arg: string) => /^--every(?:-seconds)?$/u.test(arg);
  return args.filter(
    (arg, index) => !isEvery(arg) && !isEvery(args[index - 1] ?? '') && !/^--every(?:-seconds)?=/u.test(arg),
  );
}
