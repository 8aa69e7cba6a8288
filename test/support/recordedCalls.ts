/**
 * Records what the handlers ask of S3, SQS and Secrets Manager, as the permissions that IAM would look for, while the SDK
 * sends it to the embedded services.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { incomingPrefix } from '../../lambdas/core/keys.ts';
import type { FunctionName } from '../../lambdas/core/limits.ts';
import type { Call } from './statements.ts';

interface Input {
  Key?: string;
  VersionId?: string | undefined;
  IfMatch?: string;
  Prefix?: string;
  QueueUrl?: string;
  SecretId?: string;
}

interface Command {
  readonly input: Input;
}

export interface Recorder {
  /** Runs a handler; what it asks for is recorded as the function's. */
  as<T>(name: FunctionName, run: () => Promise<T>): Promise<T>;
  readonly calls: Readonly<Record<FunctionName, Call[]>>;
  stop(): void;
}

/** The embedded S3 keeps no versions, and the bucket does: uploads are given one, which is taken away again before a call leaves. */
export const versionId = 'version-1';

export function recordCalls(): Recorder {
  const who = new AsyncLocalStorage<FunctionName>();
  const calls: Recorder['calls'] = { ingest: [], worker: [], report: [] };
  const recordFor: Listener = () => {
    const name = who.getStore();
    return name === undefined ? undefined : (call) => calls[name].push(call);
  };
  const restore = [
    intercept(recordFor, S3Client, async (record, command, send) => {
      const { name } = command.constructor;
      const { Key = '', VersionId } = command.input;
      for (const call of s3Calls(name, command.input)) record(call);
      const isVersioned = Key.startsWith(incomingPrefix);
      try {
        const { VersionId: _VersionId, ...input } = command.input;
        const answer = await send(Object.assign(Object.create(Object.getPrototypeOf(command)), command, { input }));
        return isVersioned && name === 'HeadObjectCommand' ? { ...answer, VersionId: versionId } : answer;
      } catch (error) {
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)
          for (const call of callsToSeeMissing(Key, VersionId)) record(call);
        throw error;
      }
    }),
    intercept(recordFor, SQSClient, async (record, command, send) => {
      record({ action: sqsAction(command.constructor.name), resource: command.input.QueueUrl ?? '' });
      return await send(command);
    }),
    intercept(recordFor, SecretsManagerClient, async (record, command, send) => {
      expectKnown(command.constructor.name, 'GetSecretValueCommand');
      record({ action: 'secretsmanager:GetSecretValue', resource: command.input.SecretId ?? '' });
      return await send(command);
    }),
  ];
  return {
    as: (name, run) => who.run(name, run),
    calls,
    stop: () => {
      for (const undo of restore) undo();
    },
  };
}

type Send = (command: Command) => Promise<object>;
type RecordCall = (call: Call) => void;
/** Gives nothing where it is no handler that sends. */
type Listener = () => RecordCall | undefined;

/** Stands between all clients of a class and what they send for a handler; what a test sends goes past it. */
function intercept(
  recordFor: Listener,
  client: { readonly prototype: { send: unknown } },
  handle: (record: RecordCall, command: Command, send: Send) => Promise<object>,
): () => void {
  const { prototype } = client;
  const original = prototype.send as (this: unknown, command: Command, ...rest: unknown[]) => Promise<object>;
  prototype.send = function (this: unknown, command: Command, ...rest: unknown[]) {
    const record = recordFor();
    if (record === undefined) return original.call(this, command, ...rest);
    return handle(record, command, (changed) => original.call(this, changed, ...rest));
  };
  return () => {
    prototype.send = original;
  };
}

/** Source: Service Authorization Reference, Amazon S3; a write with `If-Match` also needs to read. */
function s3Calls(name: string, { Key = '', VersionId, IfMatch, Prefix }: Input): Call[] {
  const resource = `bucket/${Key}`;
  switch (name) {
    case 'HeadObjectCommand':
    case 'GetObjectCommand':
      return [{ action: VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', resource }];
    case 'PutObjectCommand': {
      const put = { action: 's3:PutObject', resource };
      return IfMatch === undefined ? [put] : [put, { action: 's3:GetObject', resource }];
    }
    case 'CreateMultipartUploadCommand':
    case 'UploadPartCommand':
    case 'CompleteMultipartUploadCommand':
      return [{ action: 's3:PutObject', resource }];
    case 'AbortMultipartUploadCommand':
      return [{ action: 's3:AbortMultipartUpload', resource }];
    case 'ListObjectsV2Command':
      return [{ action: 's3:ListBucket', resource: 'bucket', prefix: Prefix ?? '' }];
    default:
      throw new Error(`${name} is sent, and nobody has said yet which permission it needs.`);
  }
}

/** Who may not list the bucket is told 403 instead. Which permission S3 looks for where a version is missing is said nowhere. */
function callsToSeeMissing(prefix: string, versionId: string | undefined): Call[] {
  const list: Call = { action: 's3:ListBucket', resource: 'bucket', prefix };
  return versionId === undefined ? [list] : [list, { ...list, action: 's3:ListBucketVersions' }];
}

function sqsAction(name: string): string {
  if (name === 'SendMessageBatchCommand') return 'sqs:SendMessage';
  return `sqs:${name.replace(/Command$/u, '')}`;
}

function expectKnown(found: string, expected: string): void {
  if (found !== expected) throw new Error(`${found} is sent, and nobody has said yet which permission it needs.`);
}
