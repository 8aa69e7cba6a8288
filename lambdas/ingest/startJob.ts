/**
 * Fixes what a job is about, before anything else: which version of which object, and by which settings.
 */
import { chunkRowsFor } from '../core/chunking.ts';
import { jobIdOf, rosterRunId } from '../core/jobId.ts';
import { isDryRunKey } from '../core/keys.ts';
import { rosterLimits } from '../core/limits.ts';
import { fixJob, type Job } from '../ledger/job.ts';
import type { RosterMessage } from '../ledger/messages.ts';
import type { ObjectInfo } from '../ports.ts';
import { chooseMapping } from './chooseMapping.ts';
import type { IngestPorts, IngestSettings } from './ingest.ts';

export async function startUploadJob(object: ObjectInfo, settings: IngestSettings, ports: IngestPorts): Promise<Job> {
  const { key, etag, versionId, modifiedAtMs } = object;
  const jobId = jobIdOf({ bucket: settings.bucket, key, version: versionId ?? etag, uploadedAtMs: modifiedAtMs });
  const chosen = await chooseMapping(object, ports.store);
  return await fix(
    {
      jobId,
      source: sourceOf(object),
      settings: {
        ...common(object, settings),
        ...chosen,
        dryRun: isDryRunKey(key),
        newPeopleMax: Math.min(settings.newPeopleMax, wishedMax(object) ?? settings.newPeopleMax),
      },
      startedAtMs: ports.clock.now(),
    },
    ports,
  );
}

/** The job of one time of a roster: whatever version is the newest when it first begins. */
export async function startRosterRun(
  { roster, scheduledAt, refreshedAtMs }: RosterMessage,
  settings: IngestSettings,
  ports: IngestPorts,
): Promise<Job> {
  const scheduledAtMs = Date.parse(scheduledAt);
  const { key, role, organization, mapping, dryRun = false, newPeopleMax, ...rules } = roster;
  const jobId = rosterRunId(settings.bucket, roster, scheduledAtMs);
  const found = await ports.store.head(key);
  const object = found ?? { key, etag: '', bytes: 0, modifiedAtMs: scheduledAtMs, metadata: {} };
  const chosen = await chooseMapping(object, ports.store);
  return await fix(
    {
      jobId,
      source: { ...sourceOf(object), uploadedAtMs: refreshedAtMs ?? object.modifiedAtMs },
      settings: {
        ...common(object, settings),
        ...chosen,
        ...(mapping === undefined ? {} : { mapping: { ...chosen.mapping, ...mapping } }),
        ...(role === undefined ? {} : { role }),
        ...(organization === undefined ? {} : { organization }),
        dryRun,
        ...limitOf(newPeopleMax, wishedMax(object)),
      },
      roster: {
        staleAfterMs: rosterLimits.staleAfterMs,
        openAfterMs: rosterLimits.invitationLivesMs,
        ...rules,
        scheduledAtMs,
      },
      startedAtMs: ports.clock.now(),
    },
    ports,
  );
}

async function fix(job: Job, { store, log, metrics }: IngestPorts): Promise<Job> {
  const { value, wasThere } = await fixJob(store, job);
  const { jobId, source } = value;
  log.info(wasThere ? 'job_continued' : 'job_started', { jobId, bytes: source.bytes });
  if (!wasThere) metrics.count('Jobs', 1, { state: 'started' });
  return value;
}

function sourceOf({ key, etag, versionId, bytes, modifiedAtMs }: ObjectInfo): Job['source'] {
  return { key, etag, ...(versionId === undefined ? {} : { versionId }), bytes, uploadedAtMs: modifiedAtMs };
}

function common(object: ObjectInfo, { workers, invitesGone, allowedDomains, role, organization }: IngestSettings) {
  return {
    chunkRows: chunkRowsFor(textBytesOf(object), workers),
    invitesGone,
    allowedDomains: [...allowedDomains],
    ...(role === undefined ? {} : { role }),
    ...(organization === undefined ? {} : { organization }),
  };
}

/** Where the roster names no number, only its directory tells which of the limits is the lower one. */
function limitOf(
  newPeopleMax: number | undefined,
  wished: number | undefined,
): Pick<Job['settings'], 'newPeopleMax' | 'newPeopleWish'> {
  if (wished === undefined) return newPeopleMax === undefined ? {} : { newPeopleMax };
  return newPeopleMax === undefined ? { newPeopleWish: wished } : { newPeopleMax: Math.min(newPeopleMax, wished) };
}

/** Who uploads may ask to be held sooner, as the metadata `new-people-max`; never later. A wish that cannot be read holds. */
function wishedMax({ metadata }: ObjectInfo): number | undefined {
  const wish = metadata['new-people-max'];
  if (wish === undefined) return undefined;
  return /^\d{1,9}$/u.test(wish) ? Number(wish) : 0;
}

/** What a compressed file holds is known only when it is unpacked; exports shrink to about an eighth. */
function textBytesOf({ key, bytes }: ObjectInfo): number {
  return key.endsWith('.gz') ? bytes * 8 : bytes;
}
