/**
 * The times of rosters: what EventBridge Scheduler is told, and that ingest understands what it sends.
 */
import { describe, expect, test } from 'vitest';
import { readRequests } from '../../lambdas/ingest/messages.ts';
import { statementsOf } from '../support/statements.ts';
import { type Resource, synthesize, textOf } from '../support/synthesized.ts';

const hourMs = 3_600_000;
const least = { name: 'acme', schedule: 'cron(30 4 * * ? *)' };
const most = {
  name: 'acme-contractors',
  key: 'incoming/rosters/hr/contractors.csv.gz',
  schedule: 'rate(12 hours)',
  timeZone: 'Europe/Berlin',
  mapping: { email: 'Work “Email”', firstName: 'Vorname', role: 'Rolle' },
  role: 'Standard User',
  organization: 'Acme',
  dryRun: true,
  newPeopleMax: 50,
  staleAfterHours: 36,
  openAfterHours: 72,
  resendAfterHours: 96,
};

const shares = {
  name: 'acme-interns',
  schedule: 'rate(1 day)',
  newPeoplePercent: 29,
  rowsPercentMin: 0,
  invalidPercentMax: 100,
};

const stack = synthesize({ rosters: [least, most, shares] });

function only(type: string, idStart: string): [id: string, resource: Resource] {
  const [found, ...others] = stack.ofType(type).filter(([id]) => id.startsWith(idStart));
  if (found === undefined || others.length > 0) throw new Error(`There is not one ${type} whose id begins ${idStart}.`);
  return found;
}

function scheduleOf(name: string): Resource['Properties'] {
  const [, resource] =
    stack.ofType('AWS::Scheduler::Schedule').find(([, { Properties }]) => Properties['Name'] === name) ?? [];
  if (resource === undefined) throw new Error(`There is no schedule ${name}.`);
  return resource.Properties;
}

const targetOf = (name: string) => scheduleOf(name)['Target'] as Record<string, unknown>;
const [uploadsId] = only('AWS::SQS::Queue', 'UploadsQueue');
const [lostId, lost] = only('AWS::SQS::Queue', 'RostersLost');
const [groupId, group] = only('AWS::Scheduler::ScheduleGroup', 'Rosters');
const [roleId, role] = only('AWS::IAM::Role', 'Rosters');

describe('each roster', () => {
  test('has a schedule of its own, at its time and in its time zone, in the group of the stack', () => {
    expect(stack.ofType('AWS::Scheduler::Schedule')).toHaveLength(3);
    const common = { GroupName: { Ref: groupId }, FlexibleTimeWindow: { Mode: 'OFF' } };
    expect(scheduleOf('acme')).toMatchObject({
      ...common,
      ScheduleExpression: 'cron(30 4 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
    });
    expect(scheduleOf('acme-contractors')).toMatchObject({
      ...common,
      ScheduleExpression: 'rate(12 hours)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
    });
    expect(textOf(group.Properties['Name'])).toBe('<AWS::StackName>');
  });

  test('is handed to the uploads queue for an hour, and then told to be lost', () => {
    expect(targetOf('acme')).toMatchObject({
      Arn: { 'Fn::GetAtt': [uploadsId, 'Arn'] },
      RoleArn: { 'Fn::GetAtt': [roleId, 'Arn'] },
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': [lostId, 'Arn'] } },
    });
  });
});

describe('what is sent', () => {
  /** As EventBridge Scheduler sends it. */
  const sentBy = (name: string) =>
    String(targetOf(name)['Input']).replaceAll('<aws.scheduler.scheduled-time>', '2026-03-22T03:30:00Z');

  test('is read by ingest as a run of that roster, at the time for which it was planned', () => {
    expect(readRequests(sentBy('acme'))).toEqual([
      {
        kind: 'roster',
        message: { roster: { name: 'acme', key: 'incoming/rosters/acme.csv' }, scheduledAt: '2026-03-22T03:30:00Z' },
      },
    ]);
  });

  test('says all that the settings say', () => {
    const { schedule, timeZone, staleAfterHours, openAfterHours, resendAfterHours, ...same } = most;
    expect(readRequests(sentBy('acme-contractors'))).toEqual([
      {
        kind: 'roster',
        message: {
          roster: {
            ...same,
            staleAfterMs: staleAfterHours * hourMs,
            openAfterMs: openAfterHours * hourMs,
            resendAfterMs: resendAfterHours * hourMs,
          },
          scheduledAt: '2026-03-22T03:30:00Z',
        },
      },
    ]);
  });

  test('says as shares what the settings say in percent', () => {
    const limits = { newPeopleShare: 0.29, rowsShareMin: 0, invalidShareMax: 1 };
    expect(readRequests(sentBy('acme-interns'))).toMatchObject([{ message: { roster: limits } }]);
  });
});

describe('who sends it', () => {
  test('may send to the uploads queue and to that of lost times, and nothing else', () => {
    const policies = role.Properties['Policies'] as { PolicyDocument: unknown }[];
    expect(role.Properties['ManagedPolicyArns']).toBeUndefined();
    expect(policies.flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument))).toEqual([
      {
        Effect: 'Allow',
        Action: ['sqs:SendMessage'],
        Resource: [`<${lostId}.Arn>`, `<${uploadsId}.Arn>`],
        Condition: {},
      },
    ]);
    const others = stack
      .ofType('AWS::IAM::Policy')
      .filter(([, { Properties }]) => JSON.stringify(Properties).includes(roleId));
    expect(others).toEqual([]);
  });

  test('is EventBridge Scheduler, for the schedules of this stack', () => {
    expect(role.Properties['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Action: 'sts:AssumeRole',
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: {
            StringEquals: {
              'aws:SourceAccount': { Ref: 'AWS::AccountId' },
              'aws:SourceArn': { 'Fn::GetAtt': [groupId, 'Arn'] },
            },
          },
        },
      ],
    });
  });
});

test('lost times are kept for 14 days, encrypted, over encrypted connections only', () => {
  expect(lost.Properties).toEqual({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 });
  const [, policy] = only('AWS::SQS::QueuePolicy', 'RostersLost');
  expect(statementsOf(policy.Properties['PolicyDocument'])).toMatchObject([
    { Effect: 'Deny', Action: ['sqs:*'], Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
  ]);
});

test('the alarms on them are there where there are rosters', () => {
  const alarmsOf = ({ ofType }: typeof stack) =>
    ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
      [Properties['AlarmName'], Properties['Threshold'], ...dimensionsOf(Properties)].map(textOf).join(', '),
    );
  const without = alarmsOf(synthesize());
  expect(alarmsOf(stack).filter((alarm) => !without.includes(alarm))).toEqual([
    '<AWS::StackName> - roster not refreshed, 1, roster_stale, bulk-invite',
    '<AWS::StackName> - roster missing, 1, roster_missing, bulk-invite',
    '<AWS::StackName> - roster still running, 1, roster_busy, bulk-invite',
    `<AWS::StackName> - time of a roster lost, 1, <${lostId}.QueueName>`,
  ]);
});

function dimensionsOf({ Dimensions }: Resource['Properties']): unknown[] {
  return (Dimensions as { Value: unknown }[]).map(({ Value }) => Value);
}
