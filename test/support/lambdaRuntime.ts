/**
 * Run as a process of its own, in the place of Lambda's runtime: loads the module that the handler's name says, and calls the
 * handler for one event after the other.
 *
 *   node lambdaRuntime.ts <folder of the code> <handler, such as index.handler>
 *
 * Source: AWS Lambda Developer Guide, handlers in Node.js: the module is looked for as `.js`, `.mjs` and `.cjs`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';

/** Asks for one invocation. */
export interface InvocationMessage {
  readonly event: SQSEvent;
  readonly awsRequestId: string;
  readonly remainingMs: number;
}

export type RuntimeMessage =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'answered'; readonly answer: SQSBatchResponse }
  | { readonly kind: 'threw'; readonly error: string };

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

// Whoever started this is gone.
process.on('disconnect', () => process.exit());

const handler = await load(process.argv[2] ?? '', process.argv[3] ?? '');
process.on('message', (message) => void invoke(message as InvocationMessage).then(tell));
tell({ kind: 'loaded' });

async function load(folder: string, name: string): Promise<Handler> {
  const [module = '', exported = ''] = name.split('.');
  const path = ['.js', '.mjs', '.cjs'].map((end) => join(folder, `${module}${end}`)).find((file) => existsSync(file));
  if (path === undefined) throw new Error(`There is no module “${module}” in ${folder}, as the handler ${name} says.`);
  const found: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
  const handler = found[exported];
  if (typeof handler !== 'function')
    throw new Error(`${path} exports no function “${exported}”, as the handler ${name} says.`);
  return handler as Handler;
}

function tell(message: RuntimeMessage): void {
  process.send?.(message);
}

async function invoke({ event, awsRequestId, remainingMs }: InvocationMessage): Promise<RuntimeMessage> {
  const endsAtMs = Date.now() + remainingMs;
  const context = {
    awsRequestId,
    functionName: 'test',
    functionVersion: '$LATEST',
    memoryLimitInMB: '1024',
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - Date.now()),
  } as Context;
  try {
    return { kind: 'answered', answer: await handler(event, context) };
  } catch (error) {
    return { kind: 'threw', error: error instanceof Error ? `${error.stack}` : String(error) };
  }
}
