/**
 * The three functions, each with its role, its log group and the queue that feeds it.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, EventSourceMapping, Function as Lambda, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type FunctionName, functionLimits, type QueueName } from '../lambdas/core/limits.ts';
import { acknowledge } from './acknowledge.ts';
import type { ApiKeySecret } from './apiKeySecret.ts';
import { environmentOf } from './environment.ts';
import { acknowledgePatterns, permissionsOf } from './permissions.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';

export interface FunctionWithSource {
  readonly lambda: Lambda;
  /** What feeds it from its queue; while it is switched off, nothing is begun. */
  readonly source: EventSourceMapping;
}

export type Functions = Readonly<Record<FunctionName, FunctionWithSource>>;

export const functionNames: readonly FunctionName[] = ['ingest', 'worker', 'report'];

export interface FunctionParts {
  readonly settings: Settings;
  readonly bucket: Bucket;
  readonly queues: Queues;
  readonly secret: ApiKeySecret;
  /** The folder with the bundle of each function. */
  readonly bundleFolder: (name: FunctionName) => string;
}

interface FunctionKind {
  readonly id: string;
  readonly description: string;
  readonly queue: QueueName;
  readonly memoryMegabytes: number;
  /** Invocations at once. Lambda takes no less than 2. */
  readonly atOnce: (settings: Settings) => number;
}

const kinds: Readonly<Record<FunctionName, FunctionKind>> = {
  ingest: {
    id: 'Ingest',
    description: 'Reads an upload, judges every row, cuts the rest into chunks.',
    queue: 'uploads',
    // It holds the directory and one small entry for each address; with this much it also has a whole processor.
    memoryMegabytes: 1769,
    atOnce: () => 2,
  },
  worker: {
    id: 'Worker',
    description: 'Invites the people of one chunk.',
    queue: 'chunks',
    // It mostly waits for the API, and holds one chunk.
    memoryMegabytes: 512,
    atOnce: ({ workers }) => workers,
  },
  report: {
    id: 'Report',
    description: 'Writes the report of a finished job.',
    queue: 'reports',
    memoryMegabytes: 1024,
    atOnce: () => 2,
  },
};

export function addFunctions(scope: Construct, parts: FunctionParts): Functions {
  return {
    ingest: addFunction(scope, 'ingest', parts),
    worker: addFunction(scope, 'worker', parts),
    report: addFunction(scope, 'report', parts),
  };
}

function addFunction(stack: Construct, name: FunctionName, parts: FunctionParts): FunctionWithSource {
  const { settings, queues } = parts;
  const { id, description, queue, memoryMegabytes, atOnce } = kinds[name];
  const scope = new Construct(stack, id);
  const logGroup = new LogGroup(scope, 'Logs', {
    retention: settings.logDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = addRole(scope, name, logGroup, parts);
  const lambda = new Lambda(scope, 'Function', {
    description,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    code: Code.fromAsset(parts.bundleFolder(name)),
    handler: 'index.handler',
    memorySize: memoryMegabytes,
    timeout: Duration.millis(functionLimits[name].timeLimitMs),
    environment: environmentOf(name, parts),
    // The role has all that it needs; the CDK would add more.
    role: role.withoutPolicyUpdates(),
    tracing: Tracing.ACTIVE,
    logGroup,
  });
  acknowledge(lambda, 'Serverless-LambdaDLQ', 'Nothing calls it but its queue, which has a queue for dead letters.');
  const source = new EventSourceMapping(scope, 'Source', {
    target: lambda,
    eventSourceArn: queues[queue].queue.queueArn,
    batchSize: 1,
    maxConcurrency: atOnce(settings),
    reportBatchItemFailures: true,
  });
  acknowledge(
    source,
    'Serverless-LambdaEventSourceMappingDestination',
    'An SQS source has no such destination: what fails goes to the dead-letter queue of the queue.',
  );
  return { lambda, source };
}

function addRole(scope: Construct, name: FunctionName, logGroup: LogGroup, parts: FunctionParts): Role {
  const { bucket, queues, secret } = parts;
  const statements = permissionsOf(name, bucket, queues, secret);
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      work: new PolicyDocument({ statements: [...statements] }),
      observe: new PolicyDocument({ statements: observe(logGroup) }),
    },
  });
  acknowledgePatterns(role, bucket, statements);
  const traces = 'X-Ray knows no resources to be named; these two actions only add traces.';
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', traces);
  acknowledge(role, 'Serverless-LambdaStarPermissions', traces);
  return role;
}

/** Logs, metrics in them, and traces. */
function observe(logGroup: LogGroup): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
    new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] }),
  ];
}
