/**
 * The times of rosters: at each of them, EventBridge Scheduler sends a message to the uploads queue.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { retentionLimits } from '../lambdas/core/limits.ts';
import { acknowledge } from './acknowledge.ts';
import { safeQueue } from './queues.ts';
import { rosterMessageOf } from './rosterMessage.ts';
import type { RosterSettings } from './rosterSettings.ts';

export interface RosterTimes {
  /** Times that could not be handed over. */
  readonly lost: Queue;
}

/** Later than this a run would begin at a time that nobody meant; the next one does its work. */
const handOverMinutes = 60;
/** As often as Scheduler tries at all; it waits longer from try to try. */
const handOverRetries = 185;

/** @returns Undefined where there are no rosters: then nothing is made. */
export function addRosters(
  stack: Construct,
  rosters: readonly RosterSettings[],
  uploadsQueue: Queue,
): RosterTimes | undefined {
  if (rosters.length === 0) return undefined;
  const scope = new Construct(stack, 'Rosters');
  const group = new CfnScheduleGroup(scope, 'Group', { name: Aws.STACK_NAME });
  const lost = addLost(scope);
  const role = addRole(scope, group, [uploadsQueue, lost]);
  for (const roster of rosters) {
    new CfnSchedule(scope, roster.name, {
      name: roster.name,
      groupName: group.ref,
      description: `A run of the roster ${roster.name}.`,
      scheduleExpression: roster.schedule,
      scheduleExpressionTimezone: roster.timeZone,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: uploadsQueue.queueArn,
        roleArn: role.roleArn,
        input: rosterMessageOf(roster),
        retryPolicy: {
          maximumEventAgeInSeconds: Duration.minutes(handOverMinutes).toSeconds(),
          maximumRetryAttempts: handOverRetries,
        },
        deadLetterConfig: { arn: lost.queueArn },
      },
    });
  }
  return { lost };
}

/**
 * Not the dead letters of the uploads queue: Scheduler leaves the request that failed there, and not its message alone. A redrive
 * would bring that to ingest, which could not read it. The next time of the roster comes without one.
 */
function addLost(scope: Construct): Queue {
  const lost = new Queue(scope, 'Lost', {
    ...safeQueue,
    retentionPeriod: Duration.millis(retentionLimits.deadLetterMs),
  });
  const reason = 'It is itself where messages go that were given up.';
  for (const rule of ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy']) acknowledge(lost, rule, reason);
  return lost;
}

/** For the schedules of this stack and no others. */
function addRole(scope: Construct, group: CfnScheduleGroup, queues: readonly Queue[]): Role {
  return new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID, 'aws:SourceArn': group.attrArn } },
    }),
    inlinePolicies: {
      send: new PolicyDocument({
        statements: [
          new PolicyStatement({ actions: ['sqs:SendMessage'], resources: queues.map(({ queueArn }) => queueArn) }),
        ],
      }),
    },
  });
}
