/**
 * A place in the small world: its bucket is a store in memory.
 */
import type { Place } from '../../cli/place/place.ts';
import { parseJobId } from '../../lambdas/core/jobId.ts';
import { incomingPrefix, jobsPrefix, startsJob } from '../../lambdas/core/keys.ts';
import type { MemoryStore } from './memoryStore.ts';

export function placeOf(store: MemoryStore): Place {
  const unused = async (): Promise<never> => {
    throw new Error('Nobody submits, attends or makes links here.');
  };
  return {
    name: 'the small world',
    options: ' --small',
    worksByItself: true,
    neighboursOf: async () => [],
    bucket: 'bucket',
    store,
    listing: {
      jobIds: async function* (start) {
        const keys = [...store.texts().keys()].filter((key) => key.startsWith(`${jobsPrefix}${start}`)).sort();
        for (const name of new Set(keys.map((key) => key.split('/')[1] ?? ''))) {
          const jobId = parseJobId(name);
          if (jobId !== undefined) yield jobId;
        }
      },
      uploads: async function* () {
        for await (const { key } of store.list(incomingPrefix)) {
          const info = startsJob(key) ? await store.head(key) : undefined;
          if (info !== undefined) yield { key, uploadedAtMs: info.modifiedAtMs };
        }
      },
    },
    notedRuns: async function* () {},
    lookEveryMs: 1,
    showEveryMs: 1,
    submit: unused,
    now: store.now,
    whoAmI: async () => 'ann in the small world',
    attend: unused,
    createLink: unused,
    givenUp: async () => [],
    noteDelivered: async () => undefined,
    close: async () => undefined,
  };
}
