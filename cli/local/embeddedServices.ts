/**
 * S3 and SQS in this process: fauxqs, with its state in a folder, on the loopback address only.
 */
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { queueLimits } from '../../lambdas/core/limits.ts';
import { type RosterMessage, rosterMessage } from '../../lambdas/ledger/messages.ts';
import { addBucketEvents, uploadEventBody } from './bucketEvents.ts';
import { addConditionalWrites } from './conditionalWrites.ts';
import type { FastifyInstance } from './fastify.ts';
import { type AllowedUpload, refuseStrangers } from './refuseStrangers.ts';

export const bucketName = 'bulk-invite';

const queueNames = { uploads: 'uploads', chunks: 'chunks', reports: 'reports' } as const;

export type QueueName = keyof typeof queueNames;

export interface DeadLetter {
  /** The queue that it was in. */
  readonly queue: QueueName;
  readonly body: string;
}

export interface EmbeddedServices {
  readonly endpoint: string;
  /** Without these, every request is refused: other users of the machine can reach the port, too. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly queueUrls: Readonly<Record<QueueName, string>>;
  /** Puts the event of an upload into the uploads queue. */
  announce(key: string, etag: string): void;
  /** Puts the time of a roster into the uploads queue. */
  startRoster(message: RosterMessage): void;
  /** Lets whoever has this address put an object there, until its end. */
  allowUpload(url: string, endsAtMs: number): void;
  /** Messages that were received too often. */
  deadLetters(): readonly DeadLetter[];
  /** Gives those messages another chance. */
  redrive(): Promise<void>;
  /** Messages that an earlier process had received and did not end. */
  abandoned(): readonly { readonly queue: QueueName; readonly receiptHandle: string }[];
  close(): Promise<void>;
}

const host = '127.0.0.1';
const region = 'us-east-1';

/** @param dataFolder Where the state is kept; without it, it ends with the process. */
export async function startEmbeddedServices(dataFolder: string | undefined): Promise<EmbeddedServices> {
  let server: FauxqsServer | undefined;
  const send = (body: string) => expectStarted(server).sendMessage(queueNames.uploads, body);
  const credentials = {
    accessKeyId: randomBytes(16).toString('hex'),
    secretAccessKey: randomBytes(16).toString('hex'),
  };
  const allowedUploads: AllowedUpload[] = [];
  server = await startOnLoopback(dataFolder, (app) => {
    refuseStrangers(app, credentials.accessKeyId, allowedUploads);
    addConditionalWrites(app, credentials.accessKeyId);
    addBucketEvents(app, bucketName, send);
  });
  const started = server;
  started.createBucket(bucketName);
  const queueUrls = createQueues(started);
  return {
    endpoint: `http://${host}:${started.port}`,
    credentials,
    queueUrls,
    announce: (key, etag) => send(uploadEventBody(key, etag)),
    startRoster: (message) => send(rosterMessage(message)),
    allowUpload: (url, endsAtMs) => {
      const { pathname, search } = new URL(url);
      allowedUploads.push({ address: `${pathname}${search}`, endsAtMs });
    },
    deadLetters: () =>
      names().flatMap((queue) =>
        (started.inspectQueue(deadLetterName(queue))?.messages.ready ?? []).map(({ body }) => ({ queue, body })),
      ),
    redrive: () => redrive(started, credentials),
    abandoned: () =>
      names().flatMap((queue) =>
        (started.inspectQueue(queueNames[queue])?.messages.inflight ?? []).map(({ receiptHandle }) => ({
          queue,
          receiptHandle,
        })),
      ),
    close: () => started.stop(),
  };
}

/**
 * fauxqs listens on every interface and has no setting for it, and people's names must not be there for the network to
 * read. Fastify announces each new server on a diagnostics channel: there ours is told where to listen, and gets its hooks.
 */
async function startOnLoopback(
  dataFolder: string | undefined,
  prepare: (app: FastifyInstance) => void,
): Promise<FauxqsServer> {
  let isPrepared = false;
  const onServer = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    const listen = fastify.listen.bind(fastify);
    fastify.listen = (options) => listen({ ...options, host });
    prepare(fastify);
    isPrepared = true;
  };
  subscribe('fastify.initialization', onServer);
  try {
    const options = {
      port: 0,
      logger: false,
      defaultRegion: region,
      ...(dataFolder === undefined ? {} : { dataDir: dataFolder }),
    };
    const server = await startFauxqs(options);
    if (!isPrepared || !server.address.includes(host)) {
      await server.stop();
      throw new Error(`The embedded S3 listens at ${server.address}; it must listen at ${host} only.`);
    }
    return server;
  } finally {
    unsubscribe('fastify.initialization', onServer);
  }
}

/** A queue that is there is left alone: creating it again would drop its stored messages. */
function createQueues(server: FauxqsServer): Record<QueueName, string> {
  const urls = {} as Record<QueueName, string>;
  for (const queue of names()) {
    const deadLetters = deadLetterName(queue);
    if (server.inspectQueue(deadLetters) === undefined) server.createQueue(deadLetters);
    const deadLetterTargetArn = server.inspectQueue(deadLetters)?.arn;
    const { visibilityMs, receivesMax } = queueLimits[queue];
    const attributes = {
      VisibilityTimeout: String(visibilityMs / 1000),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: receivesMax }),
    };
    if (server.inspectQueue(queueNames[queue]) === undefined) server.createQueue(queueNames[queue], { attributes });
    urls[queue] = `http://${host}:${server.port}/000000000000/${queueNames[queue]}`;
  }
  return urls;
}

function deadLetterName(queue: QueueName): string {
  return `${queueNames[queue]}-dead-letters`;
}

function names(): QueueName[] {
  return Object.keys(queueNames) as QueueName[];
}

function expectStarted(server: FauxqsServer | undefined): FauxqsServer {
  if (server === undefined) throw new Error('The embedded services have not started.');
  return server;
}

async function redrive(server: FauxqsServer, credentials: EmbeddedServices['credentials']): Promise<void> {
  const sqs = new SQSClient({ endpoint: `http://${host}:${server.port}`, region, credentials });
  try {
    for (const queue of names()) {
      const QueueUrl = server.inspectQueue(deadLetterName(queue))?.url;
      for (;;) {
        const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
        if (message === undefined) break;
        server.sendMessage(queueNames[queue], message.Body ?? '');
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      }
    }
  } finally {
    sqs.destroy();
  }
}
