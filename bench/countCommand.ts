/**
 * Loaded into a measured command before its own code (`node --import`): as the process ends, it writes what AWS would have been
 * asked for what the functions did in it, into the file that COUNTS_FILE names.
 */
import { writeFileSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { isInVain, observeSent, type Sent } from './observeSent.ts';

const file = process.env['COUNTS_FILE'];
const sent: Record<string, number> = {};
/** By the first folder of the key. What the command itself stores is among it: on AWS, somebody else uploads the file. */
const storedBytes: Record<string, number> = {};
/** From the receipt of a message to its acknowledgement, by queue. */
const handledMs: Record<string, number> = {};

const receivedAtMs = new Map<string, number>();
/** The one that sends first, before the functions are loaded. */
let clientOfCommand: unknown;

const storedSchema = z.object({ Key: z.string(), Body: z.union([z.string(), z.instanceof(Uint8Array)]) });
const queueSchema = z.object({ QueueUrl: z.string() });

observeSent(S3Client, (request) => {
  // The local host switches metrics off. The functions read that as they are loaded, and the command sends something before.
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'false';
  clientOfCommand ??= request.client;
  if (request.client !== clientOfCommand) countUp(sent, request.name, 1);
  noteStored(request);
});
observeSent(SQSClient, (request) => {
  if (isInVain(request)) return;
  countUp(sent, request.name, 1);
  noteHandled(request);
});
process.env['POWERTOOLS_METRICS_NAMESPACE'] = 'BulkInvite/bench';
if (file !== undefined) process.on('exit', () => writeFileSync(file, JSON.stringify({ sent, storedBytes, handledMs })));

function noteStored({ input, hasFailed }: Sent): void {
  const { success, data } = storedSchema.safeParse(input);
  if (success && !hasFailed) countUp(storedBytes, data.Key.split('/')[0] ?? '', Buffer.byteLength(data.Body));
}

function noteHandled({ name, input }: Sent): void {
  const { success, data } = queueSchema.safeParse(input);
  if (!success) return;
  const queue = data.QueueUrl.split('/').at(-1) ?? '';
  if (name === 'ReceiveMessage') receivedAtMs.set(queue, performance.now());
  if (name === 'DeleteMessage') countUp(handledMs, queue, performance.now() - (receivedAtMs.get(queue) ?? 0));
}

function countUp(counts: Record<string, number>, what: string, by: number): void {
  counts[what] = (counts[what] ?? 0) + by;
}
