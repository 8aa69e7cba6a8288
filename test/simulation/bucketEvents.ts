/**
 * What S3 says of a new version of an object, and to whom: the bucket tells the uploads queue of decisions, too, at least
 * once, in any order, and sometimes late.
 */

import type { JobId } from '../../lambdas/core/jobId.ts';
import { approvalKey, jobsPrefix, rosterUploadsPrefix, stopKey } from '../../lambdas/core/keys.ts';
import type { ObjectInfo } from '../../lambdas/ports.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import type { SimulatedWorld } from './world.ts';

type Version = Pick<ObjectInfo, 'key' | 'etag' | 'versionId'>;

const second = 1000;
const hour = 3600 * second;

export function createdEvent({ key, etag, versionId }: Version): string {
  const object = { key: encodeURIComponent(key), eTag: etag.replaceAll('"', ''), versionId };
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object } }] });
}

/** Of everything but the uploads that a scenario announces itself. */
export function sendBucketEvents(
  store: ObjectStoreModel,
  world: SimulatedWorld,
  announce: (body: string) => void,
): void {
  const { scheduler, faults, chance } = world;
  store.onCreated = (version) => {
    if (!isTold(version.key)) return;
    const times = faults.strikes('event_twice') ? 2 : 1;
    for (let copy = 0; copy < times; copy += 1) {
      const isLate = copy > 0 || faults.strikes('event_late');
      const afterMs = isLate ? chance.between(second, 2 * hour) : chance.between(1, 2 * second);
      scheduler.after(afterMs, () => announce(createdEvent(version)));
    }
  };
}

function isTold(key: string): boolean {
  if (key.startsWith(rosterUploadsPrefix)) return true;
  const jobId = key.slice(jobsPrefix.length).split('/')[0] as JobId;
  return key === approvalKey(jobId) || key === stopKey(jobId);
}
