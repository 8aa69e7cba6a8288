/**
 * The rules of cdk-nag: the stack breaks none, and a stack that breaks one is not made.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { rulePacks } from '../../infra/rules.ts';
import { synthesize } from '../support/synthesized.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-rules-'));
const root = join(import.meta.dirname, '..', '..');

afterAll(() => rmSync(folder, { recursive: true }));

const everySetting = {
  alarmEmail: 'ops@acme.example',
  uploaderPrincipalArn: 'arn:aws:iam::123456789012:role/hr-export',
  readerPrincipalArn: 'arn:aws:iam::123456789012:root',
  approverPrincipalArn: 'arn:aws:iam::123456789012:role/it-operations',
  rosters: [{ name: 'acme', schedule: 'cron(30 4 * * ? *)' }],
  apiKeySecretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:doit-AbCdEf',
  apiKeySecretKmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1234',
};

test.each([
  ['as it comes', {}],
  ['with every setting that adds something', everySetting],
])('the stack breaks no rule %s', (_name, settings) => {
  const { app } = synthesize(settings);
  const reports = rulePacks().map((pack) => [pack.readPackName, pack.validateScope(app).violations]);
  expect(reports).toEqual([
    ['AwsSolutions', []],
    ['Serverless', []],
  ]);
});

test('a breach fails the synth and names the rule', () => {
  const program = `
    import { App, Stack } from 'aws-cdk-lib';
    import { Queue } from 'aws-cdk-lib/aws-sqs';
    import { checkRules } from './infra/rules.ts';
    const app = new App({ outdir: process.env.OUT });
    new Queue(new Stack(app, 'planted'), 'Queue', { enforceSSL: false });
    checkRules(app);
    app.synth();`;
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, OUT: folder },
  });
  expect(status).toBe(1);
  expect(`${stdout}${stderr}`).toContain('AwsSolutions-SQS4');
});
