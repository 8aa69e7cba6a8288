/**
 * Which job a message is about.
 */
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import { type Request, readRequests } from '../../lambdas/ingest/messages.ts';
import { readChunkMessage, readReportMessage } from '../../lambdas/ledger/messages.ts';
import type { JobRef } from '../place/place.ts';
import type { DeadLetter } from './embeddedServices.ts';

/** What cannot be read is about no job: those of a job are written by this program. */
export function isAbout(message: DeadLetter, job: JobRef): boolean {
  try {
    return names(message, job);
  } catch (error) {
    if (!(error instanceof BrokenInvariant)) throw error;
    return false;
  }
}

function names({ queue, body }: DeadLetter, { jobId, uploadKey }: JobRef): boolean {
  switch (queue) {
    case 'uploads':
      return readRequests(body).some((request) => asksFor(request, jobId, uploadKey));
    case 'chunks':
      return readChunkMessage(body).jobId === jobId;
    case 'reports':
      return readReportMessage(body).jobId === jobId;
    default:
      return queue satisfies never;
  }
}

function asksFor(request: Request, jobId: string, uploadKey: string): boolean {
  switch (request.kind) {
    case 'upload':
      return request.event.key === uploadKey;
    case 'decision':
      return request.jobId === jobId;
    case 'roster':
      return request.message.roster.key === uploadKey;
    default:
      return request satisfies never;
  }
}
