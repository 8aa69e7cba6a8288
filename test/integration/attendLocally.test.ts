/**
 * What keeps a job of a data folder from going on, and what does not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { attendLocally } from '../../cli/local/attendLocally.ts';
import { uploadEventBody } from '../../cli/local/bucketEvents.ts';
import { type LocalStorage, openLocalStorage } from '../../cli/local/localStorage.ts';
import type { Attendance, JobRef } from '../../cli/place/place.ts';
import { noFaults } from '../../cli/sandbox/faults.ts';
import { parseJobId } from '../../lambdas/core/jobId.ts';
import type { QueueName } from '../../lambdas/core/limits.ts';
import { chunkMessage, reportMessage } from '../../lambdas/ledger/messages.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-attend-'));
const followed = jobRef('20260131T070500Z-0123456789ab', 'incoming/hr/people of ours.csv');
const other = jobRef('20260131T070500Z-ba9876543210', 'incoming/hr/people.csv');
const silent = { result() {}, document() {}, say() {}, progress() {} };
let storage: LocalStorage;
let attendance: Attendance;
let sqs: SQSClient;

beforeAll(async () => {
  storage = await openLocalStorage(folder);
  sqs = new SQSClient();
  const chosen = { role: '', organization: '', invitesGone: false, allowedDomains: [] };
  const work = { workers: 2, concurrency: 5, faults: noFaults };
  const circumstances = {
    dataFolder: folder,
    options: '',
    chosen,
    forLinks: chosen,
    work,
    attendDoor: async () => undefined,
  };
  attendance = await attendLocally(followed, storage, circumstances, silent);
});

afterAll(async () => {
  sqs.destroy();
  await attendance.close();
  await storage.close();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  await storage.services.redrive();
});

function jobRef(id: string, uploadKey: string): JobRef {
  const jobId = parseJobId(id);
  if (jobId === undefined) throw new Error(`${id} is no job id.`);
  return { jobId, uploadKey };
}

async function giveUp(queue: QueueName, MessageBody: string): Promise<void> {
  const QueueUrl = storage.services.queueUrls[queue].replace(/\w+$/u, `${queue}-dead-letters`);
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
}

test.each([
  ['uploads', ({ uploadKey }: JobRef) => uploadEventBody(uploadKey, '"abc"')],
  ['chunks', ({ jobId }: JobRef) => chunkMessage(jobId, 0)],
  ['reports', ({ jobId }: JobRef) => reportMessage(jobId)],
] as const)('a message of %s that was given up is an obstacle for its job and for no other', async (queue, bodyOf) => {
  await giveUp(queue, '{"something":"else"}');
  await giveUp(queue, bodyOf(other));
  expect(attendance.obstacle(followed)).toBeUndefined();
  const sentence = `The job cannot go on: a message in the queue “${queue}” was given up. The log says why: ${join(folder, 'bulk-invite.log')}`;
  expect(attendance.obstacle(other)).toBe(sentence);
  await giveUp(queue, bodyOf(followed));
  expect(attendance.obstacle(followed)).toBe(sentence);
});
