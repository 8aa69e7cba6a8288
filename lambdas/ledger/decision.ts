/**
 * `end.json`: what of approval and stop the final report heeds. People decide at any moment, and two reports of one job may be
 * built at the same time: the first one fixes it, so that both are the same.
 */
import * as z from 'zod';
import type { JobId } from '../core/jobId.ts';
import { endKey } from '../core/keys.ts';
import type { Log, ObjectStore } from '../ports.ts';
import { approvalSchema, findApproval } from './approval.ts';
import type { Manifest } from './manifest.ts';
import { readRecord, writeRecordOnce } from './record.ts';
import { readStop, stopSchema } from './stop.ts';

const decisionSchema = z.strictObject({ stop: stopSchema.exactOptional(), approval: approvalSchema.exactOptional() });

/** What people have decided about a job, or it about itself. */
export type Decision = z.output<typeof decisionSchema>;

export async function readDecision(
  store: ObjectStore,
  jobId: JobId,
  manifest: Pick<Manifest, 'hold' | 'endedAtMs'>,
  log: Log,
): Promise<Decision> {
  const stop = await readStop(store, jobId);
  const approval = manifest.hold === undefined ? undefined : await findApproval(store, jobId, manifest, log);
  return { ...(stop === undefined ? {} : { stop }), ...(approval === undefined ? {} : { approval }) };
}

/** To be called when all parts are there: a stop that they know of is then there, too. */
export async function fixDecision(
  store: ObjectStore,
  jobId: JobId,
  manifest: Pick<Manifest, 'hold' | 'endedAtMs'>,
  log: Log,
): Promise<Decision> {
  const fixed = await readRecord<Decision>(store, endKey(jobId), decisionSchema);
  if (fixed !== undefined) return fixed.value;
  const decision = await readDecision(store, jobId, manifest, log);
  return (await writeRecordOnce<Decision>(store, endKey(jobId), decision, decisionSchema)).value;
}
