/**
 * The commands on a deployed stack, as a user runs them, against its stand-in.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PurgeQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from '../support/command.ts';
import { callerArn, type DeployedStack, startDeployedStack } from '../support/deployedStack.ts';
import { signatureOf } from '../support/signature.ts';
import { allows, type Call, permissionsIn, statementsOf } from '../support/statements.ts';
import { synthesize } from '../support/synthesized.ts';

let stack: DeployedStack;
let desk: Desk;

beforeAll(async () => {
  stack = await startDeployedStack('acme-invites');
});

afterAll(async () => {
  await stack.close();
});

beforeEach(() => {
  desk = openDesk();
});

afterEach(() => {
  desk.close();
});

/** What commands ask of AWS, beginning now. */
function callsFromNowOn(): () => Call[] {
  const before = { calls: stack.calls.length, cloudFormation: stack.cloudFormation.requests.length };
  return () => [
    ...stack.cloudFormation.requests
      .slice(before.cloudFormation)
      .map(() => ({ action: 'cloudformation:DescribeStacks', resource: 'stack' })),
    ...stack.calls.slice(before.calls),
  ];
}

function actionsOf(calls: readonly Call[]): string[] {
  return [...new Set(calls.map(({ action }) => action))].sort();
}

/** Those that a policy of the stack does not allow. */
function callsBeyond(policyName: string, calls: readonly Call[]): Call[] {
  const [, policy] =
    synthesize()
      .ofType('AWS::IAM::ManagedPolicy')
      .find(([id]) => id.startsWith(policyName)) ?? [];
  const permissions = permissionsIn(statementsOf(policy?.Properties['PolicyDocument'])).map((permission) => ({
    ...permission,
    resource: permission.resource
      .replace(/^<Bucket\w+\.Arn>/u, 'bucket')
      .replace(/^.+:stack\/.+$/u, 'stack')
      .replace(
        /^<(Uploads|Chunks|Reports)DeadLetters\w+\.Arn>$/u,
        (_, queue: string) => `${queue.toLowerCase()}-dead-letters`,
      ),
  }));
  return calls.filter((call) => !permissions.some((permission) => allows(permission, call)));
}

describe('bulk-invite on a deployed stack', () => {
  test('submits a file, leaves the job running at Ctrl-C, and watches it to its report', async () => {
    const file = desk.file('people.csv', 'Mail of work,Name\na@acme.example,Ann\nb@acme.example,Bo\nnobody,No\n');
    const command = ['submit', file, '--stack', stack.name, '--map', 'email=Mail of work'];
    const running = desk.start(command, stack.environment);
    let said = '';
    running.process.stderr?.on('data', (data) => {
      said += data;
    });
    await expect.poll(() => said, { timeout: 20_000 }).toContain('Waiting for the job to begin');
    running.process.kill('SIGINT');
    const first = await running.ended;
    const [jobId = ''] = /\d{8}T\d{6}Z-[0-9a-f]{12}/u.exec(first.stderr) ?? [];
    expect(first).toMatchObject({ code: 130, stdout: '' });
    expect(first.stderr).toContain('3 rows · 2 to invite, unless they are users already · 1 with problems');
    expect(first.stderr).toContain(`The job goes on without you.`);
    expect(first.stderr).toContain(`npx bulk-invite watch ${jobId} --stack acme-invites`);
    expect(await stack.storage.store.head('incoming/people.csv')).toMatchObject({
      metadata: { 'map-email': 'Mail%20of%20work' },
    });

    const inEnvironment = { ...stack.environment, BULK_INVITE_STACK: stack.name };
    const waiting = await desk.run(['status'], inEnvironment);
    expect(waiting.stdout).toBe(`${jobId}  waiting    people.csv\n`);
    const early = await desk.run(['report', 'latest'], inEnvironment);
    expect(early).toMatchObject({ code: 1, stdout: '' });
    expect(early.stderr).toContain(`Job ${jobId} has no report yet (waiting).`);

    stack.work();
    const watched = await desk.run(['watch', jobId.slice(0, 20), '--out', 'out'], inEnvironment);
    expect(watched.code).toBe(2);
    expect(watched.stdout).toContain('2  invited');
    expect(watched.stdout).toContain(join('out', 'summary.json'));
    expect(desk.table('out/results.csv').map(({ invite_status }) => invite_status)).toEqual([
      'invited',
      'invited',
      'invalid',
    ]);
    expect(stack.sandbox.posts()).toBe(2);

    const again = await desk.run(['report', jobId, '--json'], inEnvironment);
    expect(again.stdout).toBe(readFileSync(join(desk.folder, 'reports', jobId, 'summary.json'), 'utf8'));
    const detail = await desk.run(['status', 'latest', '--row', '2', '--row', '4'], inEnvironment);
    expect(detail.stdout).toMatch(/^row 2: invited \(created\)$/mu);
    expect(detail.stdout).toMatch(/^row 4: invalid \(email_invalid\), Mail of work: .+no @ in it\.$/mu);
  });

  test('fetches a report with no rights but those of the policy for readers', async () => {
    const file = desk.file('readers.csv', 'email\nr@acme.example\n');
    const submitted = await desk.run(['submit', file, '--stack', stack.name, '--no-wait'], stack.environment);
    const jobId = submitted.stdout.trim();
    const summaryKey = `reports/readers.csv/${jobId}/summary.json`;
    await expect.poll(() => stack.storage.store.head(summaryKey), { timeout: 20_000 }).toBeDefined();

    const callsSince = callsFromNowOn();
    const fetched = await desk.run(['report', jobId, '--stack', stack.name], stack.environment);
    expect(fetched).toMatchObject({ code: 0, stderr: '' });
    expect(actionsOf(callsSince())).toEqual(['cloudformation:DescribeStacks', 's3:GetObject', 's3:ListBucket']);
    expect(callsBeyond('Reader', callsSince())).toEqual([]);
  });

  test('looks at jobs and decides about them with no rights but those of the policy for approvers', async () => {
    const run = async (...command: string[]) => await desk.run([...command, '--stack', stack.name], stack.environment);
    const submitHeld = async (name: string) => {
      const file = desk.file(name, `email\none@${name}.example\n`);
      const jobId = (await run('submit', file, '--max-new', '0', '--no-wait')).stdout.trim();
      const summaryKey = `reports/${name}/${jobId}/summary.json`;
      await expect.poll(() => stack.storage.store.head(summaryKey), { timeout: 20_000 }).toBeDefined();
      return jobId;
    };
    const [approved, rejected] = [await submitHeld('approved.csv'), await submitHeld('rejected.csv')];
    const callsSince = callsFromNowOn();
    expect((await run('status')).stdout).toContain(`${approved}  held`);
    expect((await run('status', approved, '--rows')).code).toBe(0);
    expect((await run('approve', approved, '--yes', '--no-wait')).stderr).toContain('is approved by');
    expect((await run('watch', approved)).code).toBe(0);
    expect((await run('reject', rejected)).code).toBe(0);
    expect(actionsOf(callsSince())).toEqual([
      'cloudformation:DescribeStacks',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
      'sqs:GetQueueAttributes',
    ]);
    expect(callsBeyond('Approver', callsSince())).toEqual([]);
    expect(callsBeyond('Command', callsSince()).map(({ resource }) => resource)).toEqual(
      expect.arrayContaining([`bucket/jobs/${approved}/approval.json`, `bucket/jobs/${rejected}/stop.json`]),
    );
  });

  test('only uploads with --no-wait, and prints the id of the job for scripts', async () => {
    const file = desk.file('more.csv', 'email\nc@acme.example\n');
    const { code, stdout, stderr } = await desk.run(
      ['submit', file, '--stack', stack.name, '--no-wait'],
      stack.environment,
    );
    expect(code).toBe(0);
    const jobId = stdout.trim();
    expect(jobId).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{12}$/u);
    expect(stderr).toContain(`New job ${jobId} for ${file}, uploaded as incoming/more.csv.`);
    await expect
      .poll(() => stack.storage.store.head(`reports/more.csv/${jobId}/summary.json`), { timeout: 20_000 })
      .toBeDefined();
  });

  test('uploads nothing where the file cannot be used', async () => {
    const file = desk.file('names.csv', 'name\nAnn\n');
    const { code, stdout, stderr } = await desk.run(['submit', file, '--stack', stack.name], stack.environment);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('No column with the email addresses');
    expect(stderr).toContain('Nothing was uploaded.');
    expect(await stack.storage.store.head('incoming/names.csv')).toBeUndefined();
  });

  test('holds what is above the limit of the command, and lets it go on for whom AWS says it is', async () => {
    const file = desk.file('many.csv', 'email\nm1@acme.example\nm2@acme.example\nm3@acme.example\n');
    const command = ['submit', file, '--stack', stack.name, '--max-new', '2'];
    const held = await desk.run(command, stack.environment);
    const [jobId = ''] = /\d{8}T\d{6}Z-[0-9a-f]{12}/u.exec(held.stderr) ?? [];
    expect(held.code).toBe(2);
    expect(held.stdout).toContain('more than 2 need somebody’s approval');
    expect(held.stdout).toContain(`npx bulk-invite approve ${jobId} --stack acme-invites`);
    const posts = stack.sandbox.posts();
    const approving = desk.start(['approve', jobId, '--stack', stack.name, '--yes', '--json'], stack.environment);
    let said = '';
    approving.process.stderr?.on('data', (data) => {
      said += data;
    });
    await expect.poll(() => said, { timeout: 20_000 }).toContain(`is approved by ${callerArn}`);
    const watching = await desk.run(['watch', jobId, '--stack', stack.name, '--out', 'watched'], stack.environment);
    expect(watching.code).toBe(0);
    expect(watching.stdout).toContain(`Approved by ${callerArn}, `);
    const approved = await approving.ended;
    expect(approved.code).toBe(0);
    expect(JSON.parse(approved.stdout)).toMatchObject({ state: 'completed', approval: { by: callerArn } });
    expect(stack.sandbox.posts()).toBe(posts + 3);
  });

  test('does everything but invite in a dry run, and rejects and cancels', async () => {
    const file = desk.file('dry.csv', 'email\nd1@acme.example\nd2@acme.example\n');
    const posts = stack.sandbox.posts();
    const dry = await desk.run(['submit', file, '--stack', stack.name, '--dry-run'], stack.environment);
    expect(dry.code).toBe(0);
    expect(dry.stderr).toContain('uploaded as incoming/dry-run/dry.csv');
    expect(dry.stdout).toContain('Dry run: 2 rows. Nobody was invited.');
    await desk.run(['submit', file, '--stack', stack.name, '--max-new', '1'], stack.environment);
    const rejected = await desk.run(['reject', 'latest', '--stack', stack.name], stack.environment);
    expect(rejected.code).toBe(0);
    expect(rejected.stdout).toContain(`Ended early: The job was held, and it was rejected. (${callerArn})`);
    const cancelled = await desk.run(['cancel', 'latest', '--stack', stack.name], stack.environment);
    expect(cancelled.code).toBe(0);
    expect(cancelled.stderr).toMatch(/was ended on .+ by arn:aws:sts::.+: The job was held, and it was rejected\./u);
    expect(stack.sandbox.posts()).toBe(posts);
  });

  test('makes a link that S3 accepts for one key and for a time, with the command that uses it', async () => {
    const command = ['upload-link', '--stack', stack.name, '--expires', '30m', '--name', 'new people.csv', '--json'];
    const beforeMs = Date.now();
    const { code, stdout } = await desk.run(command, stack.environment);
    expect(code).toBe(0);
    const link = JSON.parse(stdout);
    expect(link.command).toBe(`curl --fail-with-body --upload-file "new people.csv" "${link.url}"`);
    expect(Date.parse(link.endsAt) - beforeMs).toBeGreaterThanOrEqual(30 * 60_000);
    expect(Date.parse(link.endsAt) - beforeMs).toBeLessThan(31 * 60_000);
    expect(link.uploadKey).toMatch(/^incoming\/links\/\d{8}T\d{6}Z-[0-9a-f]{8}\/new people\.csv$/u);

    const url = new URL(link.url);
    const { secretAccessKey } = stack.storage.services.credentials;
    expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf('PUT', url, secretAccessKey));
    expect(url.searchParams.get('X-Amz-Expires')).toBe('1800');
    // A checksum in the link would be that of an empty file, and S3 would take no other.
    expect([...url.searchParams.keys()].filter((name) => /checksum/iu.test(name))).toEqual([]);

    stack.storage.services.allowUpload(link.url, Date.now() + 60_000);
    expect((await fetch(url, { method: 'PUT', body: 'email\nd@acme.example\n' })).status).toBe(200);
    await expect.poll(() => stack.sandbox.organization.find('d@acme.example'), { timeout: 20_000 }).toBeDefined();
  });

  test('says when a link ends sooner, because the sign-in does', async () => {
    const endsAt = new Date(Date.now() + 20 * 60_000).toISOString();
    const session = { ...stack.environment, AWS_SESSION_TOKEN: 'session', AWS_CREDENTIAL_EXPIRATION: endsAt };
    const { stdout } = await desk.run(['upload-link', '--stack', stack.name, '--expires', '2h'], session);
    expect(stdout).toContain('Your own sign-in ends then, and the link with it');
    const json = await desk.run(['upload-link', '--stack', stack.name, '--expires', '2h', '--json'], session);
    expect(JSON.parse(json.stdout)).toMatchObject({
      endsAt,
      notes: [expect.stringContaining('Your own sign-in ends then, and the link with it')],
    });
  });

  test('says which messages were given up, beside the list of jobs', async () => {
    const sqs = new SQSClient();
    const { uploads } = stack.storage.services.queueUrls;
    const QueueUrl = uploads.replace(/uploads$/u, 'uploads-dead-letters');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'given up' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'given up, too' }));
    const { code, stdout, stderr } = await desk.run(['status', '--stack', stack.name, '--json'], stack.environment);
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    sqs.destroy();
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toBeInstanceOf(Array);
    expect(stderr).toBe(
      'The dead-letter queue of “uploads” holds 2 messages: that work was given up and stands still. docs/operating.md#dead-letters tells what to do.\n',
    );
    const later = await desk.run(['status', '--stack', stack.name], stack.environment);
    expect(later).toMatchObject({ code: 0, stderr: '' });
  });

  test('takes the settings of the stack and no others', async () => {
    const file = desk.file('people.csv', 'email\na@acme.example\n');
    const command = ['submit', file, '--role', 'Admin', '--invite-gone'];
    const { code, stdout, stderr } = await desk.run(command, stack.environment);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('--role, --invite-gone cannot be chosen for one upload to a deployed stack');
  });
});
