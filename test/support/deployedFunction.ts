/**
 * The code of a function in a fresh Node process, as the event source sees it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Handler } from '../../cli/local/eventSource.ts';
import type { InvocationMessage, RuntimeMessage } from './lambdaRuntime.ts';
import type { DeployedCode } from './synthesized.ts';

export interface DeployedFunction {
  /** One invocation at a time, as in one environment of Lambda. */
  readonly handler: Handler;
  stop(): void;
}

const runtime = fileURLToPath(import.meta.resolve('./lambdaRuntime.ts'));

/**
 * @param code With all environment variables that the function has.
 * @throws Error with what the process printed, where the code cannot be loaded.
 */
export async function deployFunction({ folder, handler, environment }: DeployedCode): Promise<DeployedFunction> {
  const child = fork(runtime, [folder, handler], { env: { ...environment }, execArgv: [], stdio: 'pipe' });
  child.stdout?.resume();
  const errors = child.stderr === null ? '' : text(child.stderr);
  const loaded = await nextMessage(child);
  if (loaded === undefined) throw new Error(`The code could not be loaded:\n${await errors}`);
  return {
    handler: async (event, context) => {
      const { awsRequestId } = context;
      const message: InvocationMessage = { event, awsRequestId, remainingMs: context.getRemainingTimeInMillis() };
      child.send(message);
      const end = await nextMessage(child);
      if (end?.kind === 'answered') return end.answer;
      throw new Error(`The handler gave no answer: ${end?.kind === 'threw' ? end.error : await errors}`);
    },
    stop: () => {
      child.kill('SIGKILL');
    },
  };
}

/** Undefined where the process ends instead. */
async function nextMessage(child: ChildProcess): Promise<RuntimeMessage | undefined> {
  const stopWaiting = new AbortController();
  const { signal } = stopWaiting;
  const [message] = await Promise.race([
    once(child, 'message', { signal }),
    once(child, 'exit', { signal }).then(() => [undefined]),
  ]).finally(() => stopWaiting.abort());
  return message;
}
