/**
 * Run as a process of its own, in the place of Lambda's runtime: loads a bundle, and calls its handler for one event after
 * the other.
 *
 *   node lambdaRuntime.ts <bundle>
 */
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

interface Bundle {
  handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse>;
}

// Whoever started this is gone.
process.on('disconnect', () => process.exit());

const bundle: Bundle = await import(pathToFileURL(process.argv[2] ?? '').href);
process.on('message', (message) => void invoke(message as InvocationMessage).then(tell));
tell({ kind: 'loaded' });

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
    return { kind: 'answered', answer: await bundle.handler(event, context) };
  } catch (error) {
    return { kind: 'threw', error: error instanceof Error ? `${error.stack}` : String(error) };
  }
}
