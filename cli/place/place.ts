/**
 * Where the command works: a deployed stack, or the data folder of the local host. Everything that the two do differently
 * is behind this interface.
 */
import type { Mapping } from '../../lambdas/core/columns.ts';
import type { JobId } from '../../lambdas/core/jobId.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import type { BucketListing } from './bucketListing.ts';

export interface Place {
  /** For people, within a sentence. */
  readonly name: string;
  /** What a person adds to a command to mean this place, with a blank in front. */
  readonly options: string;
  /** Whether its jobs go on while nobody follows one. */
  readonly worksByItself: boolean;
  readonly bucket: string;
  readonly store: ObjectStore;
  readonly listing: BucketListing;
  /** Runs of rosters whose reports are still to be delivered; some have not begun yet. Of a stack there are none. */
  notedRuns(): AsyncIterable<JobRef>;
  /** How often it is looked whether a job has ended. */
  readonly lookEveryMs: number;
  /** How often its progress is read where that is shown on a terminal. */
  readonly showEveryMs: number;
  /** Stores a file under `incoming/`, which starts its job. */
  submit(file: string, request: UploadRequest): Promise<Submitted>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Who a decision about a job is recorded for. @param signal Ends the asking; it rejects then. */
  whoAmI(signal?: AbortSignal): Promise<string>;
  /** Other jobs that would go on as well, if somebody attended this one. */
  neighboursOf(job: JobRef): Promise<readonly JobId[]>;
  /**
   * Gives the job what it needs of this machine while somebody follows it: locally the functions run here.
   *
   * @param job Undefined where it is yet to be submitted.
   */
  attend(job: JobRef | undefined): Promise<Attendance>;
  /** @param expirySeconds How long the link is to last; it may end sooner. */
  createLink(key: string, expirySeconds: number): Promise<UploadLink>;
  /** What a person should know of the place beside its jobs, as sentences: which work was given up. */
  givenUp(): Promise<readonly string[]>;
  /** Told when the report is with the person. */
  noteDelivered(jobId: JobId): Promise<void>;
  close(): Promise<void>;
}

/** A job, and where its upload lies. */
export interface JobRef {
  readonly jobId: JobId;
  readonly uploadKey: string;
}

/** What one upload is to be. */
export interface UploadRequest {
  readonly mapping: Mapping;
  /** Nobody is invited. */
  readonly dryRun: boolean;
  /** More invitations than this hold the job. A place may have a lower limit of its own. */
  readonly newPeopleMax?: number;
}

export interface Submitted extends JobRef {
  /** False where the same command has submitted it before, and has not brought it to its end. */
  readonly isNew: boolean;
  /** True where it waits for somebody's approval. */
  readonly isHeld?: boolean;
  /** The same for people. */
  readonly sentence: string;
}

export interface Attendance {
  /** Runs until the signal is aborted and what was under way has ended in order. */
  run(job: JobRef, signal: AbortSignal): Promise<void>;
  /** Why the job cannot go on, as a sentence. What keeps others from going on is no obstacle. */
  obstacle(job: JobRef): string | undefined;
  /** Said when the person wants to stop; undefined where that takes no time. */
  readonly stopping?: string;
  /** Said when it has stopped: what becomes of the job now. */
  stopped(job: JobRef): string;
  close(): Promise<void>;
}

export interface UploadLink {
  readonly url: string;
  readonly endsAtMs: number;
  /** For people: what limits the link beyond its end. */
  readonly notes: readonly string[];
  /** Where the link works only while this process runs: resolves when a file has come, or the signal is aborted. */
  readonly serve?: (signal: AbortSignal) => Promise<JobRef | undefined>;
}
