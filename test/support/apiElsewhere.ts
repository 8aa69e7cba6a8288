/**
 * Misbehaving APIs in another process, as the test sees them: their addresses, and what happens in them.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ApiEvent, apiEventSchema } from './apiEvents.ts';

export interface ApiElsewhere {
  /** Opens one more API. Its faults follow from the seed; each seed may be used once. */
  open(seed: number): Promise<OpenedApi>;
  close(): void;
}

export interface OpenedApi {
  readonly url: string;
  /** In the order in which they happened. */
  readonly events: readonly ApiEvent[];
  /** Resolves as soon as the condition holds, which is looked at whenever something happens. */
  until(condition: () => boolean): Promise<void>;
}

const program = fileURLToPath(import.meta.resolve('./misbehavingApi.ts'));

export function startApiElsewhere(): ApiElsewhere {
  const child = fork(program, { stdio: 'inherit' });
  const listeners = new Map<number, (event: ApiEvent) => void>();
  child.on('message', (message) => {
    const event = apiEventSchema.parse(message);
    listeners.get(event.seed)?.(event);
  });
  return {
    open: async (seed) => {
      const events: ApiEvent[] = [];
      const waiting = new Set<() => void>();
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      listeners.set(seed, (event) => {
        if (event.kind === 'opened') resolve(event.url);
        if (event.kind === 'broken') reject(new Error(`The API could not be opened: ${event.detail}`));
        events.push(event);
        for (const look of waiting) look();
      });
      child.send({ seed });
      return { url: await promise, events, until: (condition) => until(condition, waiting) };
    },
    close: () => {
      child.kill('SIGKILL');
    },
  };
}

async function until(condition: () => boolean, waiting: Set<() => void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (condition()) resolve();
  };
  waiting.add(look);
  look();
  await promise;
  waiting.delete(look);
}
