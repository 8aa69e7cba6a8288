/**
 * Keeps in mind whose report is with the person: until then, the same command delivers it.
 */
import type { JobId } from '../../lambdas/core/jobId.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';

const deliveredPrefix = 'delivered/';

export async function noteDelivered(store: ObjectStore, jobId: JobId): Promise<void> {
  await store.put(`${deliveredPrefix}${jobId}`, '', { kind: 'always' });
}

export async function isDelivered(store: ObjectStore, jobId: JobId): Promise<boolean> {
  return (await store.head(`${deliveredPrefix}${jobId}`)) !== undefined;
}
