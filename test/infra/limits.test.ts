/**
 * What AWS limits and the settings could overflow: the stack with the longest settings that are taken, and with the longest names
 * that AWS gives.
 */
import { describe, expect, test } from 'vitest';
import { rosterMessageOf } from '../../infra/rosterMessage.ts';
import { jsonBytes, settingSizes } from '../../infra/settingSizes.ts';
import { statementsOf } from '../support/statements.ts';
import { type Resource, type Synthesized, synthesize, textOf } from '../support/synthesized.ts';

const stackName = 's'.repeat(50);
const region = 'ap-southeast-2';
const account = '123456789012';

/** Source: naming rules of S3, SQS and Secrets Manager; CloudFormation makes up names within them. */
const longest: readonly (readonly [reference: RegExp, value: string])[] = [
  [/<AWS::StackName>/gu, stackName],
  [/<AWS::Region>/gu, region],
  [/<AWS::AccountId>/gu, account],
  [/<AWS::Partition>/gu, 'aws-us-gov'],
  [/<\w+Queue\w*>/gu, `https://sqs.${region}.amazonaws.com.cn/${account}/${'q'.repeat(80)}`],
  [/<(Bucket|AccessLogs)\w+>/gu, 'b'.repeat(63)],
  [/<ApiKey>/gu, `arn:aws-us-gov:secretsmanager:${region}:${account}:secret:ApiKey-${'k'.repeat(12)}-AbCdEf`],
  [/<Bucket\w+\.Arn>/gu, `arn:aws-us-gov:s3:::${'b'.repeat(63)}`],
  [/<\w+(Queue|DeadLetters|Lost)\w+\.Arn>/gu, `arn:aws-us-gov:sqs:${region}:${account}:${'q'.repeat(80)}`],
  [/<\w+Logs\w+\.Arn>/gu, `arn:aws-us-gov:logs:${region}:${account}:log-group:${'l'.repeat(512)}:*`],
];

function filled(value: unknown): string {
  const text = longest.reduce((filling, [reference, found]) => filling.replaceAll(reference, found), textOf(value));
  expect(text).not.toMatch(/<[\w:.]+>/u);
  return text;
}

const secretArn = `arn:aws-us-gov:secretsmanager:${region}:${account}:secret:${'k'.repeat(505)}-AbCdEf`;
const longestOthers = {
  stack: stackName,
  runbookUrl: 'r'.repeat(settingSizes.runbookCharactersMax),
  callTimeoutSeconds: 120,
  giveUpHours: 10,
  workers: 1000,
  newPeopleMax: 1_000_000,
  rosters: Array.from({ length: settingSizes.rostersMax }, (_, index) => longestRoster(index)),
};

function longestRoster(index: number) {
  const name = `${index}`.padStart(40, 'r');
  const key = `incoming/rosters/${name}.csv`;
  const roster = { name, key, schedule: 'cron(0,10,20,30,40,50 4 ? * MON-FRI *)', timeZone: 'UTC' };
  const withHeader = (email: string) => ({ ...roster, mapping: { email } });
  return withHeader('e'.repeat(settingSizes.rosterBytesMax - jsonBytes(rosterMessageOf(withHeader('')))));
}

/** Every setting is there, and those that a function is told take as much as is allowed: in domains, and then in the role. */
function fullSettings(secret: { readonly apiKeySecretArn?: string }): Readonly<Record<string, unknown>> {
  const told = { apiUrl: 'https://api.doit.com', tenantId: 't', organization: 'o', ...secret };
  const roleCharactersMin = 1;
  const left = settingSizes.toldBytesMax - Object.values(told).join('').length - roleCharactersMin;
  const domainsBytes = Math.min(settingSizes.domainsBytesMax, left);
  const allowedDomains = `${'d'.repeat(domainsBytes - '.example'.length)}.example`;
  return { ...longestOthers, ...told, allowedDomains, role: 'r'.repeat(roleCharactersMin + left - domainsBytes) };
}

describe.each([
  ['with a secret of its own', fullSettings({})],
  ['with a secret that has the longest name', fullSettings({ apiKeySecretArn: secretArn })],
])('the stack with the longest settings, %s', (_name, settings) => {
  const stack = synthesize(settings);

  test('has no environment that Lambda would refuse, and none that could be much fuller', () => {
    const sizes = properties(stack, 'AWS::Lambda::Function').map(({ Environment }) => {
      const { Variables } = Environment as { Variables: Record<string, unknown> };
      const variables = Object.entries(Variables).map(([name, value]) => [name, filled(value)]);
      return Buffer.byteLength(JSON.stringify(Object.fromEntries(variables)));
    });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(settingSizes.environmentBytesMax);
    expect(Math.max(...sizes)).toBeGreaterThan(settingSizes.environmentBytesMax - 200);
  });

  test.each([
    ['AWS::CloudWatch::Alarm', 'AlarmName', 255],
    ['AWS::CloudWatch::Alarm', 'AlarmDescription', 1024],
    ['AWS::CloudWatch::Dashboard', 'DashboardName', 255],
    ['AWS::Lambda::Function', 'Description', 256],
    ['AWS::IAM::ManagedPolicy', 'Description', 1000],
    ['AWS::Scheduler::ScheduleGroup', 'Name', 64],
    ['AWS::Scheduler::Schedule', 'Name', 64],
    ['AWS::Scheduler::Schedule', 'Description', 512],
    ['AWS::Scheduler::Schedule', 'ScheduleExpression', 256],
  ])('has no %s whose %s is longer than %i characters', (type, property, charactersMax) => {
    const found = properties(stack, type).map((of) => filled(of[property]));
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((text) => text.length > charactersMax)).toEqual([]);
  });

  test('has no more resources and no longer template than CloudFormation takes', () => {
    expect(Object.keys(stack.template.Resources).length).toBeLessThanOrEqual(500);
    expect(stack.templateBytes).toBeLessThanOrEqual(1_000_000);
    expect(stack.templateBytes).toBeGreaterThan(600_000);
  });

  test('has no role and no policy that IAM would find too long', () => {
    const roles = properties(stack, 'AWS::IAM::Role').map(({ Policies }) =>
      (Policies as { PolicyDocument: unknown }[]).reduce((sum, { PolicyDocument }) => sum + sizeOf(PolicyDocument), 0),
    );
    expect(Math.max(...roles)).toBeLessThanOrEqual(10_240);
    const policies = properties(stack, 'AWS::IAM::ManagedPolicy').map(({ PolicyDocument }) => sizeOf(PolicyDocument));
    expect(Math.max(...policies)).toBeLessThanOrEqual(6_144);
  });
});

function properties({ ofType }: Synthesized, type: string): Resource['Properties'][] {
  return ofType(type).map(([, { Properties }]) => Properties);
}

function sizeOf(document: unknown): number {
  return filled(JSON.stringify(statementsOf(document))).length;
}
