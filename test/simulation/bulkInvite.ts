/**
 * The three functions with their queues and their bucket, wired as the handlers wire them, in the simulated world.
 */
import { csvFormat } from '../../lambdas/adapters/csvFormat.ts';
import { functionLimits, queueLimits, selfStopLimits } from '../../lambdas/core/limits.ts';
import type { Log, Metrics } from '../../lambdas/ports.ts';
import type { DoitApiModel } from './doitApiModel.ts';
import type { Environment } from './environment.ts';
import { FunctionModel } from './functionModel.ts';
import type { ObjectStoreModel } from './objectStoreModel.ts';
import { QueueModel } from './queueModel.ts';
import type { System } from './system.ts';
import type { SimulatedWorld } from './world.ts';

export interface BulkInviteSettings {
  readonly workers: number;
  readonly concurrency: number;
  readonly workerTimeMs: number;
  readonly giveUpMs: number;
  /** More invitations than this hold an upload. */
  readonly newPeopleMax: number;
}

export const bucket = 'bucket';

const second = 1000;
const outageDelayMs = 30 * second;
const callTimeoutMs = 30 * second;

export interface BulkInvite {
  readonly queues: readonly QueueModel[];
  /** Sends the event of an upload. */
  announce(body: string): void;
}

/** @param onDisturbed Told of each environment whose work on a chunk did not end in order. */
export function startBulkInvite(
  system: System,
  settings: BulkInviteSettings,
  store: ObjectStoreModel,
  api: DoitApiModel,
  world: SimulatedWorld,
  onDisturbed: (environment: Environment) => void,
): BulkInvite {
  const uploads = new QueueModel({ name: 'uploads', ...queueLimits.uploads }, world);
  const chunks = new QueueModel({ name: 'chunks', ...queueLimits.chunks }, world);
  const reports = new QueueModel({ name: 'reports', ...queueLimits.reports }, world);
  const { workers, concurrency, workerTimeMs, giveUpMs, newPeopleMax } = settings;

  const portsOf = (environment: Environment) => ({
    store: store.seenBy(environment),
    clock: environment.clock,
    newToken: environment.newToken,
    log: logOf(environment, world),
    metrics,
    csv: csvFormat,
    connectApi: system.connectDoitApi(
      { apiUrl: 'http://api.example', callTimeoutMs },
      async () => 'key',
      api.sendFrom(environment),
    ),
    chunksQueue: chunks.outgoingFrom(environment),
    reportsQueue: reports.outgoingFrom(environment),
  });
  const ingestSettings = {
    bucket,
    workers,
    invitesGone: false,
    allowedDomains: [],
    newPeopleMax,
    giveUpMs,
    outageDelayMs,
  };
  const retries = { retryDelayMinMs: 2 * second, retryDelayMaxMs: 60 * second };
  const { rejectedShareMax } = selfStopLimits;
  const workerSettings = { concurrency, callTimeoutMs, outageDelayMs, giveUpMs, rejectedShareMax, ...retries };

  new FunctionModel(
    { name: 'ingest', concurrency: 2, ...functionLimits.ingest },
    uploads,
    (environment) => {
      const ports = portsOf(environment);
      // A newer version of the code, or other settings, from one invocation to the next.
      const settings = world.faults.strikes('new_settings') ? { ...ingestSettings, workers: 40 } : ingestSettings;
      return system.consume(system.ingest(settings, ports), uploads.incomingTo(environment), ports.log, metrics);
    },
    world,
  );
  const worker = new FunctionModel(
    { name: 'worker', concurrency: workers, timeLimitMs: workerTimeMs },
    chunks,
    (environment) => {
      const ports = portsOf(environment);
      return system.consume(system.work(workerSettings, ports), chunks.incomingTo(environment), ports.log, metrics);
    },
    world,
  );
  worker.onDisturbed = onDisturbed;
  new FunctionModel(
    { name: 'report', concurrency: 2, ...functionLimits.report },
    reports,
    (environment) => {
      const ports = portsOf(environment);
      return system.consume(system.report(ports), reports.incomingTo(environment), ports.log, metrics);
    },
    world,
  );
  return { queues: [uploads, chunks, reports], announce: (body) => uploads.send(body) };
}

const metrics: Metrics = { count: () => undefined, timeApiCall: () => undefined, publish: () => undefined };

/** A worker that loses its chunk or fails has not ended in order. */
function logOf(environment: Environment, { scheduler, record }: SimulatedWorld): Log {
  const trace = (event: string, error?: unknown) => {
    const message = error instanceof Error ? `: ${error.message}` : '';
    record.trace(scheduler.nowMs, `${environment.name} says ${event}${message}`);
  };
  const disturbed = (event: string, error?: unknown) => {
    trace(event, error);
    // A person wrote what is no approval of the job.
    if (event === 'approval_not_understood') return;
    environment.wasDisturbed = true;
    if (error === undefined) return;
    record.errors.push(`${environment.name}: ${event}: ${String(error)}`);
    // Faults of the world are no defects of the code. The class is that of a copy where a bug was planted.
    if (error instanceof Error && error.name === 'BrokenInvariant')
      record.violated('no_defect', `${environment.name} met a defect of its own: ${error.message}`);
  };
  return {
    info: (event) => trace(event),
    warn: (event) => (event === 'chunk_lost' ? disturbed(event) : trace(event)),
    error: (event, _fields, error) => disturbed(event, error),
  };
}
