/**
 * What matters in the template of the stack.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outputNames } from '../../infra/outputs.ts';
import { ingestSettings, readSettings, reportSettings, workerSettings } from '../../lambdas/adapters/settings.ts';
import { selfStopLimits } from '../../lambdas/core/limits.ts';
import { apiCallTime, counts } from '../../lambdas/core/metrics.ts';
import { statuses } from '../../lambdas/core/outcome.ts';
import { allows, type Call, statementsOf } from '../support/statements.ts';
import { type Resource, type Synthesized, synthesize, textOf } from '../support/synthesized.ts';

const stack = synthesize();
const { template } = stack;
const root = join(import.meta.dirname, '..', '..');
const day = 24 * 60 * 60;

/** The one resource of the type whose id begins so. */
function only(type: string, idStart = '', { ofType }: Synthesized = stack): [id: string, resource: Resource] {
  const found = ofType(type).filter(([id]) => id.startsWith(idStart));
  expect(found.map(([id]) => id)).toHaveLength(1);
  return found[0] ?? ['', { Type: '', Properties: {}, DependsOn: [] }];
}

const propertiesOf = (type: string, idStart?: string, of?: Synthesized) => only(type, idStart, of)[1].Properties;

/** Who is refused everything when the connection is not encrypted. */
function refusesPlainHttp(document: unknown): boolean {
  return statementsOf(document).some(
    ({ Effect, Action, Condition, Principal }) =>
      Effect === 'Deny' &&
      Action.some((action) => /^(s3|sqs):\*$|^sns:Publish$/u.test(action)) &&
      textOf(Condition['Bool']?.['aws:SecureTransport']) === 'false' &&
      ['{"AWS":"*"}', '"*"'].includes(JSON.stringify(Principal)),
  );
}

describe('the bucket', () => {
  const [id, bucket] = only('AWS::S3::Bucket', 'Bucket');
  const [logsId, logs] = only('AWS::S3::Bucket', 'AccessLogs');

  test('keeps versions, logs who comes, and is kept when the stack goes', () => {
    expect(bucket.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      LoggingConfiguration: { DestinationBucketName: { Ref: logsId } },
    });
    expect([bucket.DeletionPolicy, logs.DeletionPolicy]).toEqual(['Retain', 'Retain']);
  });

  test.each([
    ['of the uploads', id],
    ['of the access logs', logsId],
  ])('%s is encrypted, private and takes encrypted connections only', (_name, bucketId) => {
    expect(template.Resources[bucketId]?.Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    const policies = stack
      .ofType('AWS::S3::BucketPolicy')
      .filter(([, { Properties }]) => textOf(Properties['Bucket']) === `<${bucketId}>`);
    expect(policies.map(([, { Properties }]) => refusesPlainHttp(Properties['PolicyDocument']))).toEqual([true]);
    // So it is still when the stack is gone and the bucket is not.
    expect(policies.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual(['Retain']);
  });

  test('lets nobody in by its own policy', () => {
    const policy = stack
      .ofType('AWS::S3::BucketPolicy')
      .find(([, { Properties }]) => textOf(Properties['Bucket']) === `<${id}>`);
    const allowed = statementsOf(policy?.[1].Properties['PolicyDocument']).filter(({ Effect }) => Effect !== 'Deny');
    expect(allowed).toEqual([]);
  });

  test('deletes what is old, also what was replaced, and what was never finished', () => {
    const rules = (of: Synthesized) => propertiesOf('AWS::S3::Bucket', 'Bucket', of)['LifecycleConfiguration'];
    const expired = (Prefix: string, ExpirationInDays: number, NoncurrentDays: number) =>
      expect.objectContaining({
        Prefix,
        ExpirationInDays,
        NoncurrentVersionExpiration: { NoncurrentDays },
        Status: 'Enabled',
      });
    expect(rules(stack)).toEqual({
      Rules: [
        expired('incoming/', 30, 14),
        expired('jobs/', 30, 1),
        expired('begun/', 30, 1),
        expired('ended/', 30, 1),
        expired('reports/', 90, 14),
        expired('rosters/', 400, 1),
        expired('resent/', 3, 1),
        expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }),
      ],
    });
    expect(rules(synthesize({ uploadDays: '40', reportDays: '7' }))).toMatchObject({
      Rules: [...[40, 40, 40, 40, 7, 400, 3].map((ExpirationInDays) => ({ ExpirationInDays })), {}],
    });
  });

  test('remembers whose invitation was sent again for longer than it may not be sent once more', () => {
    const { Rules } = bucket.Properties['LifecycleConfiguration'] as { Rules: Record<string, unknown>[] };
    const rule = Rules.find(({ Prefix }) => Prefix === 'resent/');
    expect(Number(rule?.['ExpirationInDays']) * 24).toBeGreaterThan(49);
  });

  test('tells the uploads queue of uploads, approvals and stops, after S3 was let in there', () => {
    const [queueId] = only('AWS::SQS::Queue', 'UploadsQueue');
    const told = (...Rules: { Name: string; Value: string }[]) => ({
      Event: 's3:ObjectCreated:*',
      Filter: { S3Key: { Rules } },
      Queue: { 'Fn::GetAtt': [queueId, 'Arn'] },
    });
    const ofJobs = { Name: 'prefix', Value: 'jobs/' };
    expect(bucket.Properties['NotificationConfiguration']).toEqual({
      QueueConfigurations: [
        told({ Name: 'prefix', Value: 'incoming/' }),
        told(ofJobs, { Name: 'suffix', Value: '/approval.json' }),
        told(ofJobs, { Name: 'suffix', Value: '/stop.json' }),
      ],
    });
    const [policyId, policy] = only('AWS::SQS::QueuePolicy', 'UploadsQueue');
    expect(bucket.DependsOn).toContain(policyId);
    const allowed = statementsOf(policy.Properties['PolicyDocument']).filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toEqual([
      {
        Effect: 'Allow',
        Action: ['sqs:SendMessage'],
        Resource: [`<${queueId}.Arn>`],
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        Principal: { Service: 's3.amazonaws.com' },
      },
    ]);
  });
});

describe.each([
  ['Uploads', 'Ingest'],
  ['Chunks', 'Worker'],
  ['Reports', 'Report'],
])('the queue %s', (name, functionId) => {
  const queue = propertiesOf('AWS::SQS::Queue', `${name}Queue`);
  const [deadLettersId, { Properties: deadLetters }] = only('AWS::SQS::Queue', `${name}DeadLetters`);

  test('and that of its dead letters are encrypted and take encrypted connections only', () => {
    for (const kind of ['Queue', 'DeadLetters']) {
      expect(propertiesOf('AWS::SQS::Queue', `${name}${kind}`)).toMatchObject({ SqsManagedSseEnabled: true });
      const policy = propertiesOf('AWS::SQS::QueuePolicy', `${name}${kind}`);
      expect(policy['Queues']).toEqual([{ Ref: only('AWS::SQS::Queue', `${name}${kind}`)[0] }]);
      expect(refusesPlainHttp(policy['PolicyDocument'])).toBe(true);
    }
  });

  test('hides a message for six times the time of its function', () => {
    const { Timeout } = propertiesOf('AWS::Lambda::Function', functionId);
    expect(queue['VisibilityTimeout']).toBe(6 * Number(Timeout));
  });

  test('gives up messages to the queue of its dead letters, which keeps them for longer', () => {
    expect(queue['RedrivePolicy']).toMatchObject({ deadLetterTargetArn: { 'Fn::GetAtt': [deadLettersId, 'Arn'] } });
    const days = (properties: Resource['Properties']) => Number(properties['MessageRetentionPeriod']) / day;
    expect(days(deadLetters)).toBeGreaterThanOrEqual(days(queue) + 3);
    expect(days(deadLetters)).toBeLessThanOrEqual(14);
  });

  test('may be read again and again through the longest outage that the settings allow', () => {
    const { maxReceiveCount } = queue['RedrivePolicy'] as { maxReceiveCount: number };
    const longestDelayHours = 0.25;
    if (name !== 'Reports') expect(maxReceiveCount * longestDelayHours).toBeGreaterThan(10 + 1);
  });

  test('feeds its function one message at a time, and takes back what failed', () => {
    const source = propertiesOf('AWS::Lambda::EventSourceMapping', functionId);
    expect(source).toMatchObject({
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      EventSourceArn: { 'Fn::GetAtt': [only('AWS::SQS::Queue', `${name}Queue`)[0], 'Arn'] },
      FunctionName: { Ref: only('AWS::Lambda::Function', functionId)[0] },
    });
  });
});

describe('the functions', () => {
  test.each(['Ingest', 'Worker', 'Report'])(
    '%s runs on Node 24 for ARM, traced, with its own limits and logs',
    (id) => {
      const lambda = propertiesOf('AWS::Lambda::Function', id);
      expect(lambda).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: { Ref: only('AWS::Logs::LogGroup', id)[0] } },
        MemorySize: expect.any(Number),
        Timeout: expect.any(Number),
      });
      expect(propertiesOf('AWS::Logs::LogGroup', id)).toMatchObject({ RetentionInDays: 30 });
    },
  );

  test('as many workers run at once as the settings say', () => {
    const atOnce = (of: Synthesized) => propertiesOf('AWS::Lambda::EventSourceMapping', 'Worker', of)['ScalingConfig'];
    expect(atOnce(stack)).toEqual({ MaximumConcurrency: 2 });
    expect(atOnce(synthesize({ workers: '7' }))).toEqual({ MaximumConcurrency: 7 });
  });

  test.each([
    ['Ingest', ingestSettings],
    ['Worker', workerSettings],
    ['Report', reportSettings],
  ])('%s finds all its settings, as they were given to the stack', (id, schema) => {
    const given = synthesize({
      tenantId: 'tenant-1',
      workers: 9,
      concurrency: 11,
      role: 'Basic Role',
      organization: 'Acme',
      allowedDomains: 'acme.com, acme.co.uk',
      inviteGone: 'true',
      callTimeoutSeconds: 12,
      giveUpHours: 3,
      newPeopleMax: 77,
      rejectedPercentMax: 66,
    });
    const variables = environmentOf(id, given);
    const settings = {
      BULK_INVITE_BUCKET: `<${only('AWS::S3::Bucket', 'Bucket')[0]}>`,
      BULK_INVITE_UPLOADS_QUEUE_URL: `<${only('AWS::SQS::Queue', 'UploadsQueue')[0]}>`,
      BULK_INVITE_CHUNKS_QUEUE_URL: `<${only('AWS::SQS::Queue', 'ChunksQueue')[0]}>`,
      BULK_INVITE_REPORTS_QUEUE_URL: `<${only('AWS::SQS::Queue', 'ReportsQueue')[0]}>`,
      BULK_INVITE_API_URL: 'https://api.doit.com',
      BULK_INVITE_API_KEY_SECRET_ARN: '<ApiKey>',
      BULK_INVITE_TENANT_ID: 'tenant-1',
      BULK_INVITE_WORKERS: 9,
      BULK_INVITE_CONCURRENCY: 11,
      BULK_INVITE_ROLE: 'Basic Role',
      BULK_INVITE_ORGANIZATION: 'Acme',
      BULK_INVITE_ALLOWED_DOMAINS: 'acme.com,acme.co.uk',
      BULK_INVITE_INVITE_GONE: true,
      BULK_INVITE_NEW_PEOPLE_MAX: 77,
      BULK_INVITE_REJECTED_PERCENT_MAX: 66,
      BULK_INVITE_CALL_TIMEOUT_SECONDS: 12,
      BULK_INVITE_RETRY_DELAY_SECONDS: 2,
      BULK_INVITE_OUTAGE_DELAY_SECONDS: 30,
      BULK_INVITE_GIVE_UP_SECONDS: 3 * 3600,
      BULK_INVITE_COMMAND_OPTIONS: '',
    };
    const wanted = Object.entries(settings).filter(([name]) => name in schema.shape);
    expect(readSettings<object>(schema, variables)).toEqual(Object.fromEntries(wanted));
    const ours = Object.keys(variables).filter((name) => name.startsWith('BULK_INVITE_'));
    expect(ours.filter((name) => !(name in schema.shape))).toEqual([]);
  });

  test('name a stack of another name in the commands of its reports', () => {
    expect(environmentOf('Report', synthesize({ stack: 'acme' }))).toMatchObject({
      BULK_INVITE_COMMAND_OPTIONS: ' --stack acme',
    });
  });

  test('stop a job that is mostly rejected in the worker alone, with its usual limit where none is set', () => {
    const name = 'BULK_INVITE_REJECTED_PERCENT_MAX';
    const told = ['Ingest', 'Worker', 'Report'].map((id) => environmentOf(id, stack)[name]);
    expect(told).toEqual([undefined, '50', undefined]);
    const { [name]: _none, ...without } = environmentOf('Worker', stack);
    expect(readSettings(workerSettings, without)).toMatchObject({ [name]: selfStopLimits.rejectedShareMax * 100 });
    for (const wrong of ['0', '101', '50.5', 'many'])
      expect(() => readSettings(workerSettings, { ...without, [name]: wrong }), wrong).toThrow(name);
  });

  test('name our own files in their stack traces', () => {
    for (const id of ['Ingest', 'Worker', 'Report'])
      expect(environmentOf(id, stack)['NODE_OPTIONS']).toBe('--enable-source-maps');
  });

  test('publish their metrics under the name of the stack', () => {
    for (const id of ['Ingest', 'Worker', 'Report'])
      expect(environmentOf(id, stack)['POWERTOOLS_METRICS_NAMESPACE']).toBe('BulkInvite/<AWS::StackName>');
  });
});

function environmentOf(id: string, of: Synthesized): Record<string, string> {
  const { Variables } = propertiesOf('AWS::Lambda::Function', id, of)['Environment'] as { Variables: object };
  return Object.fromEntries(Object.entries(Variables).map(([name, value]) => [name, textOf(value)]));
}

describe('the API key', () => {
  test('has a secret that is empty, and an output with the command that fills it', () => {
    expect(propertiesOf('AWS::SecretsManager::Secret')).toEqual({
      Description: {
        'Fn::Join': ['', ['The API key of DoiT for the stack ', { Ref: 'AWS::StackName' }, ', and nothing else.']],
      },
    });
    expect(textOf(template.Outputs[outputNames.fillApiKey]?.Value)).toBe(
      'aws secretsmanager put-secret-value --region <AWS::Region> --secret-id <ApiKey> --secret-string file:///dev/stdin',
    );
  });

  test('may be in a secret that exists already; then the stack makes none and gives no command', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:doit-AbCdEf';
    const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/1234';
    const existing = synthesize({ apiKeySecretArn: arn, apiKeySecretKmsKeyArn: kmsKey });
    expect(existing.ofType('AWS::SecretsManager::Secret')).toEqual([]);
    expect(existing.template.Outputs[outputNames.fillApiKey]).toBeUndefined();
    expect(textOf(existing.template.Outputs[outputNames.apiKeySecretArn]?.Value)).toBe(arn);
    expect(environmentOf('Worker', existing)['BULK_INVITE_API_KEY_SECRET_ARN']).toBe(arn);
    for (const id of ['Ingest', 'Worker']) {
      const { Policies } = propertiesOf('AWS::IAM::Role', id, existing) as { Policies: { PolicyDocument: unknown }[] };
      const statements = Policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument));
      expect(statements).toContainEqual(
        expect.objectContaining({ Action: ['secretsmanager:GetSecretValue'], Resource: [arn] }),
      );
      expect(statements).toContainEqual(
        expect.objectContaining({
          Action: ['kms:Decrypt'],
          Resource: [kmsKey],
          Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' } },
        }),
      );
    }
  });
});

describe('people and systems', () => {
  const [bucketId] = only('AWS::S3::Bucket', 'Bucket');
  const withPeople = {
    uploaderPrincipalArn: 'arn:aws:iam::123456789012:role/hr-export',
    readerPrincipalArn: 'arn:aws:iam::123456789012:role/hr',
    approverPrincipalArn: 'arn:aws:iam::123456789012:role/it-operations',
    rosters: [{ name: 'acme', schedule: 'cron(30 4 * * ? *)' }],
  };
  const policy = (idStart: string) =>
    statementsOf(propertiesOf('AWS::IAM::ManagedPolicy', idStart)['PolicyDocument']).map(
      ({ Effect, Action, Resource, Condition }) => ({ Effect, Action, Resource, Condition }),
    );

  test('who upload can put objects under incoming/ and nothing else', () => {
    expect(policy('Uploader')).toEqual([
      { Effect: 'Allow', Action: ['s3:PutObject'], Resource: [`<${bucketId}.Arn>/incoming/*`], Condition: {} },
    ]);
  });

  const stacksOfThisName =
    'arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/<AWS::StackName>/*';

  test('who read can find the stack, find and read reports, and nothing else', () => {
    expect(policy('Reader')).toEqual([
      { Effect: 'Allow', Action: ['cloudformation:DescribeStacks'], Resource: [stacksOfThisName], Condition: {} },
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`<${bucketId}.Arn>/reports/*`], Condition: {} },
      {
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: [`<${bucketId}.Arn>`],
        Condition: { StringLike: { 's3:prefix': 'reports/*' } },
      },
    ]);
  });

  const objects = (pattern: string) => `<${bucketId}.Arn>/${pattern}`;
  const allow = (Action: string[], Resource: string[], Condition = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    Condition,
  });
  const seen = ['incoming/*', 'jobs/*', 'reports/*'];
  const seeJobs = [
    allow(['cloudformation:DescribeStacks'], [stacksOfThisName]),
    allow(['s3:GetObject'], seen.map(objects)),
    allow(['s3:ListBucket'], [`<${bucketId}.Arn>`], { StringLike: { 's3:prefix': seen } }),
    allow(
      ['sqs:GetQueueAttributes'],
      ['Chunks', 'Reports', 'Uploads'].map((name) => `<${only('AWS::SQS::Queue', `${name}DeadLetters`)[0]}.Arn>`),
    ),
  ];

  test('who use the command can upload, and see uploads, jobs and reports, and change nothing else', () => {
    expect(policy('Command')).toEqual([
      ...seeJobs,
      allow(['s3:AbortMultipartUpload', 's3:GetObjectVersion', 's3:PutObject'], [objects('incoming/*')]),
    ]);
  });

  test('who approve can see uploads, jobs and reports, and write what is decided about a job, and not upload', () => {
    expect(policy('Approver')).toEqual([
      ...seeJobs,
      allow(['s3:PutObject'], ['jobs/*/approval.json', 'jobs/*/stop.json'].map(objects)),
    ]);
  });

  test('have policies that fit, however long the names in them are', () => {
    // Source: IAM User Guide, "IAM and AWS STS quotas"; blanks are not counted.
    const policyCharactersMax = 6144;
    // Region and account, the name of a stack or of a queue, and an id.
    const referenceCharactersMax = 200;
    for (const [, { Properties }] of stack.ofType('AWS::IAM::ManagedPolicy')) {
      const text = JSON.stringify(statementsOf(Properties['PolicyDocument']));
      const longest = text.replaceAll(/<[^>]+>/gu, 'x'.repeat(referenceCharactersMax));
      expect(longest.length).toBeLessThan(policyCharactersMax);
    }
  });

  test('nobody can approve without the policy for it', () => {
    const call: Call = { action: 's3:PutObject', resource: `<${bucketId}.Arn>/jobs/1/approval.json` };
    const whole = synthesize(withPeople);
    const documents = [
      ...whole
        .ofType('AWS::IAM::ManagedPolicy')
        .map(([id, { Properties }]) => [id, Properties['PolicyDocument']] as const),
      ...whole.ofType('AWS::IAM::Policy').map(([id, { Properties }]) => [id, Properties['PolicyDocument']] as const),
      ...whole.ofType('AWS::IAM::Role').flatMap(([id, { Properties }]) => {
        const policies = (Properties['Policies'] ?? []) as { PolicyDocument: unknown }[];
        return policies.map(({ PolicyDocument }) => [id, PolicyDocument] as const);
      }),
    ];
    expect(documents.length).toBeGreaterThan(7);
    const able = documents.filter(([, document]) =>
      statementsOf(document).some(
        ({ Effect, Action, Resource }) =>
          Effect === 'Allow' &&
          Action.some((action) => Resource.some((resource) => allows({ action, resource }, call))),
      ),
    );
    const [approverId] = only('AWS::IAM::ManagedPolicy', 'Approver', whole);
    expect(able.map(([id]) => id)).toEqual([approverId]);
    const bearers = whole
      .ofType('AWS::IAM::Role')
      .filter(([, { Properties }]) => JSON.stringify(Properties['ManagedPolicyArns'] ?? []).includes(approverId));
    expect(bearers.map(([id]) => id.replace(/Role.*/u, ''))).toEqual(['Approver']);
  });

  test('who may take the role of an approver has what approvers may do, and nothing else', () => {
    const whole = synthesize(withPeople);
    expect(propertiesOf('AWS::IAM::Role', 'ApproverRole', whole)).toMatchObject({
      AssumeRolePolicyDocument: { Statement: [{ Principal: { AWS: withPeople.approverPrincipalArn } }] },
      ManagedPolicyArns: [{ Ref: only('AWS::IAM::ManagedPolicy', 'Approver', whole)[0] }],
    });
    expect(textOf(whole.template.Outputs[outputNames.approverRoleArn]?.Value)).toMatch(/^<ApproverRole\w+\.Arn>$/u);
  });

  test('have a role of their own only where the settings name them', () => {
    expect(stack.ofType('AWS::IAM::Role').map(([id]) => id.replace(/Role.*/u, ''))).toEqual([
      'Ingest',
      'Worker',
      'Report',
    ]);
    const hr = 'arn:aws:iam::123456789012:role/hr-export';
    const named = synthesize({ uploaderPrincipalArn: hr });
    expect(propertiesOf('AWS::IAM::Role', 'UploaderRole', named)).toMatchObject({
      AssumeRolePolicyDocument: {
        Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { AWS: hr } }],
      },
      ManagedPolicyArns: [{ Ref: only('AWS::IAM::ManagedPolicy', 'Uploader', named)[0] }],
    });
    expect(named.ofType('AWS::IAM::Role').filter(([id]) => id.startsWith('Reader'))).toEqual([]);
    expect(textOf(named.template.Outputs[outputNames.uploaderRoleArn]?.Value)).toMatch(/^<UploaderRole\w+\.Arn>$/u);
  });
});

describe('the alarms', () => {
  const alarms = stack.ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const [topicId] = only('AWS::SNS::Topic');

  test('are about dead letters, old messages, functions, the API, the key, jobs and rows', () => {
    const titles = alarms.map(({ AlarmName }) => textOf(AlarmName));
    expect(titles).toEqual(
      [
        'dead letters of uploads',
        'oldest message in uploads',
        'dead letters of chunks',
        'oldest message in chunks',
        'dead letters of reports',
        'oldest message in reports',
        'ingest is cut off',
        'messages fail in ingest',
        'worker is cut off',
        'messages fail in worker',
        'report is cut off',
        'messages fail in report',
        'API is down',
        'key refused',
        'key may not invite',
        'job stopped itself',
        'job held',
        'job failed',
        'rows failed',
        'rows unknown',
      ].map((title) => `<AWS::StackName> - ${title}`),
    );
  });

  test('are sent, and say where it stands what to do', () => {
    const guide = readFileSync(join(root, 'docs', 'operating.md'), 'utf8');
    const entries = [...guide.matchAll(/^### (.+)$/gmu)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    );
    const withRoster = synthesize({ rosters: [{ name: 'acme', schedule: 'rate(1 day)' }] });
    const all = withRoster.ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
    expect(all.length).toBeGreaterThan(alarms.length);
    const linked = all.map(({ AlarmActions, AlarmDescription }) => {
      expect(AlarmActions).toEqual([{ Ref: topicId }]);
      return /: docs\/operating\.md#([\w-]+)$/u.exec(textOf(AlarmDescription))?.[1] ?? 'no link';
    });
    expect(new Set(linked)).toEqual(new Set(entries));
    const elsewhere = synthesize({ runbookUrl: 'https://wiki.acme.example/runbook' });
    const [, { Properties }] = elsewhere.ofType('AWS::CloudWatch::Alarm')[0] ?? only('no alarm');
    expect(Properties['AlarmDescription']).toContain('https://wiki.acme.example/runbook#dead-letters');
  });

  /** Whether they are heard when something happens: `alarms.test.ts`. */
  test('look at our own metrics under the names that they have', () => {
    const ours = alarms
      .filter(({ Namespace }) => textOf(Namespace) === 'BulkInvite/<AWS::StackName>')
      .map(({ MetricName, Dimensions, Statistic }) => {
        const dimensions = Dimensions as { Name: string; Value: unknown }[];
        const [dimension = { Name: '', Value: '' }, ...rest] = dimensions.filter(({ Name }) => Name !== 'service');
        expect([Statistic, ...rest]).toEqual(['Sum']);
        expect(dimensions).toContainEqual({ Name: 'service', Value: 'bulk-invite' });
        expect(counts).toHaveProperty(String(MetricName), dimension.Name);
        return `${MetricName} ${textOf(dimension.Value).replace(/Function\w+/u, '')}`;
      });
    expect(ours).toEqual([
      'MessagesFailed <Ingest>',
      'MessagesFailed <Worker>',
      'MessagesFailed <Report>',
      'MessagesPutAside api_down',
      'JobsFailed key_refused',
      'JobsFailed key_forbidden',
      'JobsFailed too_many_rejected',
      'Jobs held',
      'Jobs failed',
      'Rows failed',
      'Rows unknown',
    ]);
  });

  test('say nothing of what nobody uses, and something when it happens once where once is enough', () => {
    for (const alarm of alarms) {
      expect(alarm).toMatchObject({
        TreatMissingData: 'notBreaching',
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      });
    }
    const single = alarms
      .filter(({ Threshold }) => Threshold === 1)
      .map(({ AlarmName }) => textOf(AlarmName).replace('<AWS::StackName> - ', ''));
    expect(single).toEqual([
      'dead letters of uploads',
      'dead letters of chunks',
      'dead letters of reports',
      'ingest is cut off',
      'worker is cut off',
      'report is cut off',
      'API is down',
      'key refused',
      'key may not invite',
      'job stopped itself',
      'job held',
      'job failed',
      'rows failed',
      'rows unknown',
    ]);
  });

  test('may be sent by CloudWatch, over encrypted connections only', () => {
    const document = propertiesOf('AWS::SNS::TopicPolicy')['PolicyDocument'];
    expect(refusesPlainHttp(document)).toBe(true);
    const allowed = statementsOf(document).filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toMatchObject([{ Action: ['sns:Publish'], Principal: { Service: 'cloudwatch.amazonaws.com' } }]);
  });

  test('go to an email address where one is given', () => {
    expect(stack.ofType('AWS::SNS::Subscription')).toEqual([]);
    const mailed = synthesize({ alarmEmail: 'ops@acme.example' });
    expect(propertiesOf('AWS::SNS::Subscription', '', mailed)).toMatchObject({
      Protocol: 'email',
      Endpoint: 'ops@acme.example',
    });
  });
});

describe('the dashboard', () => {
  const [dashboardId, dashboard] = only('AWS::CloudWatch::Dashboard');
  const body = textOf(dashboard.Properties['DashboardBody']);
  const { widgets } = JSON.parse(body.replaceAll(/"<AWS::Region>"/gu, '"region"')) as {
    widgets: { properties: { title?: string; metrics?: unknown[] } }[];
  };

  test('shows rows by status, jobs, calls and their time, queues and functions', () => {
    expect(widgets.map(({ properties }) => properties.title ?? 'text')).toEqual([
      'text',
      'Alarms',
      'Rows settled, by status',
      'Jobs',
      'Calls to the API, by operation and answer',
      'Time of a call, 95th percentile (ms)',
      'Messages, those under way included',
      'Age of the oldest message (s)',
      'Dead letters',
      'Invocations at once',
      'Duration of an invocation (ms)',
      'Invocations that were cut off',
    ]);
  });

  test('may be there for the same stack in every region, and is found by its link', () => {
    expect(textOf(dashboard.Properties['DashboardName'])).toBe('<AWS::StackName>-<AWS::Region>');
    expect(textOf(template.Outputs[outputNames.dashboardUrl]?.Value)).toBe(
      `https://<AWS::Region>.console.aws.amazon.com/cloudwatch/home?region=<AWS::Region>#dashboards:name=<${dashboardId}>`,
    );
  });

  test('knows every status that a row can have', () => {
    const rows = widgets.find(({ properties }) => properties.title === 'Rows settled, by status');
    const shown = (rows?.properties.metrics ?? []).map((metric) => (metric as unknown[]).slice(0, 6));
    expect(shown).toEqual(
      statuses.map((status) => ['BulkInvite/<AWS::StackName>', 'Rows', 'service', 'bulk-invite', 'status', status]),
    );
  });

  test('shows what became of jobs, those that are held and that were cancelled, too', () => {
    const jobs = widgets.find(({ properties }) => properties.title === 'Jobs');
    const shown = (jobs?.properties.metrics ?? []).map((metric) => (metric as unknown[]).slice(0, 6));
    expect(shown).toEqual(
      ['started', 'held', 'completed', 'cancelled', 'failed'].map((state) => [
        'BulkInvite/<AWS::StackName>',
        'Jobs',
        'service',
        'bulk-invite',
        'state',
        state,
      ]),
    );
  });

  test('finds the calls by the dimensions that they are published with', () => {
    const schema = ['BulkInvite/<AWS::StackName>', 'service', ...apiCallTime.dimensions].map(
      (name) => `\\\\\\"${name}\\\\\\"`,
    );
    expect(body.replaceAll('\\', '')).toContain(
      `SEARCH('{${schema.join(',').replaceAll('\\', '')}} MetricName="${apiCallTime.name}"', 'SampleCount', 300)`,
    );
  });
});

describe('the stack', () => {
  test('tells nothing that neither the command nor a guide asks for', () => {
    const guides = ['README.md', 'docs/deploy.md', 'docs/operating.md'].map((path) =>
      readFileSync(join(root, path), 'utf8'),
    );
    const command = readFileSync(join(root, 'cli/place/findStack.ts'), 'utf8');
    const unused = Object.entries(outputNames).filter(
      ([key, name]) =>
        !command.includes(`outputNames.${key}]`) &&
        !guides.some((guide) => new RegExp(`\\b${name}\\b`, 'u').test(guide)),
    );
    expect(unused).toEqual([]);
  });

  test('tells what the command has to find', () => {
    const optional: string[] = [outputNames.uploaderRoleArn, outputNames.readerRoleArn, outputNames.approverRoleArn];
    const wanted = Object.values(outputNames).filter((name) => !optional.includes(name));
    expect(Object.keys(template.Outputs).sort()).toEqual([...wanted].sort());
  });

  test('tells where its dead letters are', () => {
    for (const name of ['Uploads', 'Chunks', 'Reports']) {
      const [id] = only('AWS::SQS::Queue', `${name}DeadLetters`);
      expect(textOf(template.Outputs[`${name}DeadLettersUrl`]?.Value)).toBe(`<${id}>`);
      expect(textOf(template.Outputs[`${name}DeadLettersArn`]?.Value)).toBe(`<${id}.Arn>`);
    }
  });

  test('may be there several times in one account: what has a name of its own has that of the stack in it', () => {
    const names = Object.values(template.Resources).flatMap(({ Type, Properties }) =>
      Object.entries(Properties)
        .filter(([property]) =>
          /^(Bucket|Queue|Function|Role|Topic|ManagedPolicy|Alarm|Dashboard|LogGroup)?Name$/u.test(property),
        )
        .filter(([property]) => !(Type === 'AWS::Lambda::EventSourceMapping' && property === 'FunctionName'))
        .map(([, value]) => textOf(value)),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !name.startsWith('<AWS::StackName>'))).toEqual([]);
    expect(synthesize({ stack: 'acme' }).stack.stackName).toBe('acme');
  });

  test('has no part that is not meant: no helper functions, no keys, nothing that costs by the hour', () => {
    const types = new Set(Object.values(template.Resources).map(({ Type }) => Type.replace('AWS::', '')));
    expect([...types].sort()).toEqual([
      'CloudWatch::Alarm',
      'CloudWatch::Dashboard',
      'IAM::ManagedPolicy',
      'IAM::Role',
      'Lambda::EventSourceMapping',
      'Lambda::Function',
      'Logs::LogGroup',
      'S3::Bucket',
      'S3::BucketPolicy',
      'SNS::Topic',
      'SNS::TopicPolicy',
      'SQS::Queue',
      'SQS::QueuePolicy',
      'SecretsManager::Secret',
    ]);
    expect(stack.ofType('AWS::Lambda::Function')).toHaveLength(3);
  });
});
