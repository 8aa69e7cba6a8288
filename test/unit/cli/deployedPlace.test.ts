/**
 * What the command says where AWS refuses, with the real SDK against servers on the loopback address.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDeployedPlace } from '../../../cli/place/deployedPlace.ts';
import { withPlace } from '../../../cli/place/openPlace.ts';
import { UserError } from '../../../cli/userError.ts';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { writeApproval } from '../../../lambdas/ledger/approval.ts';
import { writeStop } from '../../../lambdas/ledger/stop.ts';
import type { ObjectStore } from '../../../lambdas/ports.ts';
import {
  type CloudFormation,
  failure,
  ourOutputs,
  stackWith,
  startCloudFormation,
} from '../../support/cloudFormation.ts';
import { startSecurityTokens } from '../../support/securityTokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-aws-'));
let cloudFormation: CloudFormation;
let s3: Server;
/** Decides what S3 says. */
let answerS3: (
  method: string,
  path: string,
) => {
  readonly status: number;
  readonly code?: string;
  /** The connection breaks in the middle of the body. */
  readonly isBroken?: boolean;
};
let sqs: Server;
/** Decides what SQS says of a queue. */
let answerSqs: (queueUrl: string) => { readonly status: number; readonly body: object };

beforeAll(async () => {
  sqs = createServer(async (request, response) => {
    const { QueueUrl } = (await json(request)) as { QueueUrl: string };
    const { status, body } = answerSqs(QueueUrl);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
  sqs.listen(0, '127.0.0.1');
  await once(sqs, 'listening');
  // The SDK reads them once.
  writeFileSync(join(folder, 'config'), '[profile ann]\nregion = ap-south-1\n');
  writeFileSync(join(folder, 'credentials'), '[ann]\naws_access_key_id = AKIDANN\naws_secret_access_key = example\n');
  cloudFormation = await startCloudFormation({
    ours: stackWith(ourOutputs('ours-bucket', urlOf(sqs))),
    older: stackWith(withoutApprover(ourOutputs('ours-bucket', urlOf(sqs)))),
    theirs: stackWith({ BucketName: 'their-bucket', Url: 'https://acme.example' }),
    young: stackWith({}, 'CREATE_IN_PROGRESS'),
    secret: failure(403, 'AccessDenied', 'User: arn:aws:iam::123456789012:user/ann is not authorized'),
    old: failure(403, 'ExpiredToken', 'The security token included in the request is expired'),
    stranger: failure(403, 'InvalidClientTokenId', 'The security token included in the request is invalid'),
    late: failure(403, 'RequestTimeTooSkewed', 'Signature not yet current'),
    odd: failure(400, 'OddFailure', 'Nobody knows.'),
  });
  s3 = createServer((request, response) => {
    request.resume();
    const { status, code, isBroken = false } = answerS3(request.method ?? '', request.url ?? '');
    const body =
      code === undefined ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.</Message></Error>`;
    response.writeHead(status, {
      'content-type': 'application/xml',
      etag: '"abc"',
      'last-modified': new Date(0).toUTCString(),
      ...(isBroken ? { 'content-length': '100' } : {}),
    });
    if (isBroken) {
      response.write('{');
      setTimeout(() => request.socket.destroy(), 50);
      return;
    }
    response.end(request.method === 'HEAD' ? '' : body);
  });
  s3.listen(0, '127.0.0.1');
  await once(s3, 'listening');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await cloudFormation.close();
  for (const server of [s3, sqs]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  vi.unstubAllEnvs();
  const environment: Record<string, string | undefined> = {
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: undefined,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
    AWS_ENDPOINT_URL_S3: urlOf(s3),
    AWS_ENDPOINT_URL_SQS: urlOf(sqs),
    BULK_INVITE_STACK: undefined,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  answerS3 = () => ({ status: 403, code: 'AccessDenied' });
});

function withoutApprover({ ApproverPolicyArn: _approver, ...outputs }: Record<string, string>): Record<string, string> {
  return outputs;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error instanceof UserError ? error.message : '';
}

describe('finding the stack', () => {
  test('by the option, the environment, or its usual name', async () => {
    const place = await openDeployedPlace({ stack: 'ours', region: 'eu-north-1' });
    expect(place).toMatchObject({
      name: 'the stack “ours” in eu-north-1',
      options: ' --stack ours --region eu-north-1',
      bucket: 'ours-bucket',
    });
    expect(cloudFormation.requests.at(-1)?.authorization).toContain('/eu-north-1/cloudformation/');
    vi.stubEnv('BULK_INVITE_STACK', 'ours');
    expect(await openDeployedPlace({})).toMatchObject({ name: 'the stack “ours” in eu-west-1', options: '' });
    vi.stubEnv('BULK_INVITE_STACK', '');
    expect(await refusalOf(openDeployedPlace({}))).toContain('There is no stack “bulk-invite” in eu-west-1');
  });

  test('in the account and the region of a profile', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    expect((await openDeployedPlace({ stack: 'ours', profile: 'ann' })).options).toBe(' --stack ours --profile ann');
    expect(cloudFormation.requests.at(-1)?.authorization).toMatch(/Credential=AKIDANN\/\d+\/ap-south-1\//u);
  });

  test('takes the region variable of the AWS command line, too', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_DEFAULT_REGION', 'eu-south-2');
    expect((await openDeployedPlace({ stack: 'ours' })).name).toContain('eu-south-2');
  });

  test.each([
    ['none', 'There is no stack “none” in eu-west-1 in this account. Name the right one with --stack'],
    [
      'theirs',
      'is not one of bulk-invite: it lacks the outputs UploaderPolicyArn, ReaderPolicyArn, CommandPolicyArn, UploadsDeadLettersUrl, ChunksDeadLettersUrl, ReportsDeadLettersUrl (it has: BucketName, Url)',
    ],
    ['young', 'is not there yet, or no longer: its status is CREATE_IN_PROGRESS'],
    ['secret', 'You lack the permission cloudformation:DescribeStacks on the stack “secret”. Ask whoever administers'],
    ['old', 'Your AWS sign-in has expired (The security token included in the request is expired). Sign in again'],
    ['stranger', 'AWS does not accept your credentials (InvalidClientTokenId)'],
    ['late', 'Set the clock of this machine'],
    ['odd', 'AWS answered DescribeStacks with 400 OddFailure: Nobody knows.'],
  ])('says what is wrong with %s', async (stack, sentence) => {
    expect(await refusalOf(openDeployedPlace({ stack }))).toContain(sentence);
  });

  test('says that there is no region, no credentials, no such profile, no network', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFORMATION', 'http://127.0.0.1:9');
    expect(await refusalOf(openDeployedPlace({}))).toContain('AWS cannot be reached in the region eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    expect(await refusalOf(openDeployedPlace({}))).toMatch(
      /^There are no AWS credentials.+`aws sso login`.+--profile/u,
    );
    expect(await refusalOf(openDeployedPlace({ profile: 'bob' }))).toMatch(
      /^The AWS profile “bob” gives no credentials.+`aws sso login --profile bob`/u,
    );
    vi.stubEnv('AWS_REGION', undefined);
    expect(await refusalOf(openDeployedPlace({}))).toMatch(/^There is no AWS region.+--region eu-west-1/u);
  });
});

describe('a permission that is missing', () => {
  const open = () => openDeployedPlace({ stack: 'ours' });
  const upload = join(folder, 'people.csv');
  writeFileSync(upload, 'email\na@acme.example\n');

  test('to upload is given by a policy of the stack', async () => {
    expect(await refusalOf((await open()).submit(upload, { mapping: {}, dryRun: false }))).toBe(
      'You lack the permission s3:PutObject on arn:aws:s3:::ours-bucket/incoming/*. ' +
        'The policy arn:aws:iam::123456789012:policy/uploader gives it: ask whoever administers the AWS account to attach that to you.',
    );
  });

  test('to read reports is given by another one', async () => {
    const { store } = await open();
    const read = await refusalOf(store.head('reports/people.csv/x/summary.json'));
    expect(read).toContain(
      's3:GetObject on arn:aws:s3:::ours-bucket/reports/*. The policy arn:aws:iam::123456789012:policy/reader',
    );
    expect(await refusalOf(Array.fromAsync(store.list('reports/')))).toContain(
      's3:ListBucket on arn:aws:s3:::ours-bucket (prefix reports/). The policy arn:aws:iam::123456789012:policy/reader',
    );
  });

  test('to look into jobs is given by the one for all of the command, and by that for who approve', async () => {
    const { store, listing } = await open();
    const either =
      'The policy arn:aws:iam::123456789012:policy/command gives it, and so does arn:aws:iam::123456789012:policy/approver ' +
      'to those who approve jobs: ask whoever administers the AWS account to attach one of them to you.';
    expect(await refusalOf(Array.fromAsync(listing.jobIds('')))).toContain(
      `s3:ListBucket on arn:aws:s3:::ours-bucket (prefix jobs/). ${either}`,
    );
    const read = (store: ObjectStore) => refusalOf(store.readText('jobs/x/job.json', 10));
    expect(await read(store)).toContain(`s3:GetObject on arn:aws:s3:::ours-bucket/jobs/*. ${either} If you have it,`);
    expect(await read((await openDeployedPlace({ stack: 'older' })).store)).toContain(
      'The policy arn:aws:iam::123456789012:policy/command gives it: ask whoever',
    );
  });

  test('to decide about a job is given by a policy of its own, which not every stack has', async () => {
    const { store } = await open();
    const jobId = '20260131T070500Z-0f3a9c51b2de' as JobId;
    const decided = await refusalOf(writeApproval(store, { jobId, by: 'ann', atMs: 0 }));
    expect(decided).toBe(
      'You lack the permission s3:PutObject on arn:aws:s3:::ours-bucket/jobs/*/approval.json. ' +
        'The policy arn:aws:iam::123456789012:policy/approver gives it: ask whoever administers the AWS account to attach that to you.',
    );
    const stop = { code: 'cancelled', message: 'No.', atMs: 0 } as const;
    expect(await refusalOf(writeStop(store, jobId, stop))).toContain('jobs/*/stop.json. The policy arn:aws:iam::12345');
    const older = (await openDeployedPlace({ stack: 'older' })).store;
    expect(await refusalOf(writeStop(older, jobId, stop))).toContain('Ask whoever administers the AWS account for a');
  });

  test('to look at what was uploaded does not hide that it was', async () => {
    answerS3 = (method) => ({ status: method === 'PUT' ? 200 : 403 });
    const refusal = await refusalOf((await open()).submit(upload, { mapping: {}, dryRun: false }));
    expect(refusal).toContain('was uploaded as incoming/people.csv, and its job begins; do not upload it again.');
    expect(refusal).toContain('s3:GetObject on arn:aws:s3:::ours-bucket/incoming/*');
  });
});

describe('who decides', () => {
  test('is asked of AWS, and an expired sign-in is told', async () => {
    const arn = 'arn:aws:iam::123456789012:user/ann';
    const tokens = await startSecurityTokens(arn);
    const late = await startSecurityTokens(undefined);
    vi.stubEnv('AWS_ENDPOINT_URL_STS', tokens.url);
    const place = await openDeployedPlace({ stack: 'ours' });
    expect(await place.whoAmI()).toBe(arn);
    vi.stubEnv('AWS_ENDPOINT_URL_STS', late.url);
    expect(await refusalOf(place.whoAmI())).toContain('Your AWS sign-in has expired');
    await tokens.close();
    await late.close();
  });
});

describe('messages that were given up', () => {
  const holding = (counts: Readonly<Record<string, readonly [visible: number, hidden: number]>>) => (url: string) => {
    const [visible, hidden] = counts[url.split('/').at(-1) ?? ''] ?? [0, 0];
    const Attributes = {
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(hidden),
    };
    return { status: 200, body: { Attributes } };
  };
  const givenUp = async () => await (await openDeployedPlace({ stack: 'ours' })).givenUp();

  test('are told by number and queue, those included that somebody looks at, with where to read on', async () => {
    answerSqs = holding({ 'uploads-dead-letters': [1, 0], 'reports-dead-letters': [2, 1] });
    expect(await givenUp()).toEqual([
      'The dead-letter queue of “uploads” holds 1 message: that work was given up and stands still. docs/operating.md#dead-letters tells what to do.',
      'The dead-letter queue of “reports” holds 3 messages: that work was given up and stands still. docs/operating.md#dead-letters tells what to do.',
    ]);
    const guide = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'operating.md'), 'utf8');
    expect(guide).toMatch(/^### Dead letters$/mu);
  });

  test('are not mentioned where there are none', async () => {
    answerSqs = holding({});
    expect(await givenUp()).toEqual([]);
  });

  test.each([
    [
      'the permission is missing',
      400,
      'com.amazon.coral.service#AccessDeniedException',
      /^Whether messages were given up is not known: You lack the permission sqs:GetQueueAttributes on the queue http:\S+-dead-letters\. The policy arn:aws:iam::123456789012:policy\/command gives it: /u,
    ],
    [
      'a queue is gone',
      400,
      'com.amazonaws.sqs#QueueDoesNotExist',
      /^Whether messages were given up is not known: AWS answered GetQueueAttributes with 400 QueueDoesNotExist: No\. /u,
    ],
  ])('cost one line and no error where %s', async (_name, status, type, line) => {
    answerSqs = () => ({ status, body: { __type: type, message: 'No.' } });
    expect(await givenUp()).toEqual([expect.stringMatching(line)]);
  });
});

describe('the answer to a HEAD, which gives no reason', () => {
  const head = async (options: { readonly profile?: string } = {}) =>
    await refusalOf(
      (await openDeployedPlace({ stack: 'ours', ...options })).store.head('reports/a.csv/x/summary.json'),
    );

  test('is that of a sign-in that has expired, where it is 400', async () => {
    answerS3 = () => ({ status: 400, code: 'ExpiredToken' });
    expect(await head()).toBe(
      'S3 answered HeadObject with 400 and no reason; your AWS sign-in may have expired. Sign in again, for example with `aws sso login`.',
    );
    expect(await head({ profile: 'ann' })).toContain('`aws sso login --profile ann`');
  });

  test('may be that of a missing permission or of a sign-in that is no longer valid, where it is 403', async () => {
    answerS3 = () => ({ status: 403, code: 'InvalidAccessKeyId' });
    const refusal = await head();
    expect(refusal).toContain('You lack the permission s3:GetObject on arn:aws:s3:::ours-bucket/reports/*.');
    expect(refusal).toContain(
      'Or your AWS sign-in is no longer valid: S3 does not say which of the two it is. Sign in again, for example with `aws sso login`, or ask for the permission.',
    );
  });

  test('is quoted where it is another', async () => {
    answerS3 = () => ({ status: 405 });
    expect(await head()).toContain('AWS answered HeadObject with 405');
  });
});

describe('a connection that breaks in the middle of an answer', () => {
  test('ends the command with a sentence, and is no defect', async () => {
    answerS3 = () => ({ status: 200, isBroken: true });
    const options = { stack: 'ours', local: false };
    const silent = {
      result: () => undefined,
      document: () => undefined,
      say: () => undefined,
      progress: () => undefined,
    };
    const reading = withPlace(options, silent, ({ store }) => store.readText('jobs/x/job.json', 1000));
    expect(await refusalOf(reading)).toMatch(
      /^The connection to the stack “ours” in eu-west-1 broke off \(.+\)\. Run the command again\.$/u,
    );
  });
});

test('a deployed stack is asked seldom, on a terminal, too', async () => {
  expect(await openDeployedPlace({ stack: 'ours' })).toMatchObject({ lookEveryMs: 2000, showEveryMs: 5000 });
});

test('a bucket that is gone is told, and what is only missing is no error', async () => {
  const { store, listing } = await openDeployedPlace({ stack: 'ours' });
  answerS3 = () => ({ status: 404, code: 'NoSuchBucket' });
  expect(await refusalOf(Array.fromAsync(listing.uploads()))).toContain('The bucket of the stack “ours” is gone');
  answerS3 = () => ({ status: 404, code: 'NoSuchKey' });
  expect(await store.head('jobs/x/job.json')).toBeUndefined();
  expect(await store.readText('jobs/x/job.json', 10)).toBeUndefined();
});
