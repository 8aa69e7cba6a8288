/**
 * A stand-in for a deployed stack, all of it on the loopback address: the embedded S3 and SQS with object versions, the
 * handlers in this process, CloudFormation, and who asks.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../../cli/local/fastify.ts';
import { startHandlers } from '../../cli/local/localHost.ts';
import { type LocalStorage, openLocalStorage } from '../../cli/local/localStorage.ts';
import { type CloudFormation, ourOutputs, stackWith, startCloudFormation } from './cloudFormation.ts';
import { type CountingSandbox, startCountingSandbox } from './command.ts';
import { startSecurityTokens } from './securityTokens.ts';
import type { Call } from './statements.ts';

export interface DeployedStack {
  readonly name: string;
  readonly storage: LocalStorage;
  readonly sandbox: CountingSandbox;
  readonly cloudFormation: CloudFormation;
  /** With it, a command finds this stack. */
  readonly environment: Readonly<Record<string, string>>;
  /** What commands have asked of the bucket and of the queues, as the permissions that AWS would look for. */
  readonly calls: readonly Call[];
  /** From now on, the functions work. */
  work(): void;
  close(): Promise<void>;
}

/** Who uses the command. */
export const callerArn = 'arn:aws:sts::123456789012:assumed-role/Admins/ann@acme.example';

/** The SDK adds it to each request of a command; the functions, in this process, do not have it. */
const commandName = 'the-command';

export async function startDeployedStack(name: string): Promise<DeployedStack> {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-stack-'));
  const sandbox = await startCountingSandbox();
  const calls: Call[] = [];
  const storage = await withVersions(
    () => openLocalStorage(folder),
    (call) => calls.push(call),
  );
  const host = await startHandlers(storage, {
    apiUrl: sandbox.url,
    apiKey: 'test',
    workers: 2,
    concurrency: 5,
    invitesGone: false,
    allowedDomains: [],
  });
  const { endpoint, credentials } = storage.services;
  const cloudFormation = await startCloudFormation({ [name]: stackWith(ourOutputs(storage.bucket, endpoint)) });
  const tokens = await startSecurityTokens(callerArn);
  const stop = new AbortController();
  let working = Promise.resolve();
  return {
    name,
    storage,
    sandbox,
    cloudFormation,
    calls,
    environment: {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
      AWS_ENDPOINT_URL_STS: tokens.url,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SDK_UA_APP_ID: commandName,
    },
    work: () => {
      working = host.run(stop.signal);
    },
    close: async () => {
      stop.abort();
      await working;
      await host.close();
      await storage.close();
      await cloudFormation.close();
      await tokens.close();
      await sandbox.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The embedded S3 keeps no versions, and the bucket of a stack does: each object gets one by its content. */
async function withVersions<T>(open: () => Promise<T>, onCall: (call: Call) => void): Promise<T> {
  const onServer = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onSend', (request, reply, _payload, done) => {
      const etag = request.url.includes('/incoming/') ? reply.getHeader('etag') : undefined;
      if (etag !== undefined)
        (reply as VersionedReply).header('x-amz-version-id', `v-${String(etag).replaceAll('"', '')}`);
      if (request.headers['user-agent']?.includes(`app/${commandName}`))
        for (const call of callsOf(request)) onCall(call);
      done();
    });
  };
  subscribe('fastify.initialization', onServer);
  try {
    return await open();
  } finally {
    unsubscribe('fastify.initialization', onServer);
  }
}

/** Source: Service Authorization Reference, Amazon S3 and Amazon SQS; a write with `If-Match` also needs to read. */
function callsOf({ method, url, headers, body }: RequestWithBody): Call[] {
  const target = String(headers['x-amz-target'] ?? '');
  if (target.startsWith('AmazonSQS.')) {
    const { QueueUrl } = z.object({ QueueUrl: z.string() }).parse(body);
    return [
      { action: `sqs:${target.slice('AmazonSQS.'.length)}`, resource: QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1) },
    ];
  }
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const [, , ...key] = decodeURIComponent(pathname).split('/');
  const resource = `bucket/${key.join('/')}`;
  if (searchParams.has('list-type'))
    return [{ action: 's3:ListBucket', resource: 'bucket', prefix: searchParams.get('prefix') ?? '' }];
  const read: Call = { action: 's3:GetObject', resource };
  if (method === 'GET' || method === 'HEAD') return [read];
  const written: Call = { action: method === 'PUT' ? 's3:PutObject' : `s3:${method}`, resource };
  return headers['if-match'] === undefined ? [written] : [written, read];
}

interface RequestWithBody extends FastifyRequest {
  readonly body?: unknown;
}

interface VersionedReply extends FastifyReply {
  header(name: string, value: string): unknown;
}
