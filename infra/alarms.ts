/**
 * Alarms, and the topic that they are sent to. Each says where `docs/operating.md` tells what to do.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { QueueName } from '../lambdas/core/limits.ts';
import { acknowledge } from './acknowledge.ts';
import { type Functions, functionNames } from './functions.ts';
import { countMetric } from './metrics.ts';
import type { Queues } from './queues.ts';
import { rosterAlarms } from './rosterAlarms.ts';
import type { RosterTimes } from './rosters.ts';
import type { Settings } from './settings.ts';

export interface Alarms {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];
}

export interface AlarmKind {
  /** Says what has happened; also the name of the alarm, behind that of the stack. */
  readonly title: string;
  /** The heading in `docs/operating.md`, as it stands in a link. */
  readonly entry: string;
  readonly metric: Metric;
  readonly threshold: number;
  /** Periods in a row in which the threshold is reached; one, if nothing is said. */
  readonly periods?: number;
}

const queueNames: readonly QueueName[] = ['uploads', 'chunks', 'reports'];

/** Of what has happened once and is worth a look. */
const onceMinutes = 5;

/**
 * Lambda dates an error back to the beginning of its invocation, up to 15 minutes before it is known.
 *
 * Source: AWS Lambda Developer Guide, types of metrics.
 */
const cutOffMinutes = 30;

/**
 * A fault that passes by itself happens less often in this time. One that stays happens more often: the message comes again after
 * 15 minutes at last, and its handling takes no longer than 15 minutes. With less, the alarm would end while the cause remains.
 */
const faultMinutes = 90;
const faultsMin = 3;

/**
 * An outage is told of when it covers one of these periods wholly and reaches into those before and after it. Each is longer than the
 * longest pause of a message with the calls around it, so while the outage lasts, none of them is empty.
 */
const outageMinutes = 20;
const outagePeriods = 3;

/**
 * How long a message may wait for its turn; a chunk of a large job waits for hours. What was received more than three times is not
 * in this metric of SQS, so nothing is seen here of a message that is put aside or fails again and again: other alarms tell of that.
 */
const oldestHours: Readonly<Record<QueueName, number>> = { uploads: 2, chunks: 12, reports: 1 };

/** @param rosters Undefined where there are none; then nothing is told of them. */
export function addAlarms(
  stack: Construct,
  settings: Settings,
  queues: Queues,
  functions: Functions,
  rosters: RosterTimes | undefined,
): Alarms {
  const scope = new Construct(stack, 'Alarms');
  const topic = addTopic(scope, settings);
  const ofRosters = rosters === undefined ? [] : rosterAlarms(rosters);
  const kinds = [...queueAlarms(queues), ...functionAlarms(functions), apiAlarm(), ...jobAlarms(), ...ofRosters];
  return { topic, alarms: kinds.map((kind) => addAlarm(scope, kind, topic, settings)) };
}

function queueAlarms(queues: Queues): AlarmKind[] {
  return queueNames.flatMap((name) => {
    const { queue, deadLetters } = queues[name];
    const period = Duration.minutes(onceMinutes);
    return [
      {
        title: `dead letters of ${name}`,
        entry: 'dead-letters',
        metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
        threshold: 1,
      },
      {
        title: `oldest message in ${name}`,
        entry: 'oldest-message',
        metric: queue.metricApproximateAgeOfOldestMessage({ period, statistic: Stats.MAXIMUM }),
        threshold: oldestHours[name] * 3600,
      },
    ];
  });
}

function functionAlarms(functions: Functions): AlarmKind[] {
  return functionNames.flatMap((name) => [
    {
      title: `${name} is cut off`,
      entry: 'function-is-cut-off',
      // Whatever our code handles is no error for Lambda; and the message comes again only after its visibility time-out.
      metric: functions[name].lambda.metricErrors({ period: Duration.minutes(cutOffMinutes), statistic: Stats.SUM }),
      threshold: 1,
    },
    {
      title: `messages fail in ${name}`,
      entry: 'messages-fail',
      metric: countMetric('MessagesFailed', functions[name].lambda.functionName, faultMinutes),
      threshold: faultsMin,
    },
  ]);
}

function apiAlarm(): AlarmKind {
  return {
    title: 'API is down',
    entry: 'api-is-down',
    metric: countMetric('MessagesPutAside', 'api_down', outageMinutes),
    threshold: 1,
    periods: outagePeriods,
  };
}

function jobAlarms(): AlarmKind[] {
  return [
    {
      title: 'key refused',
      entry: 'key-refused',
      metric: countMetric('JobsFailed', 'key_refused', onceMinutes),
      threshold: 1,
    },
    {
      title: 'key may not invite',
      entry: 'key-refused',
      metric: countMetric('JobsFailed', 'key_forbidden', onceMinutes),
      threshold: 1,
    },
    {
      title: 'job stopped itself',
      entry: 'job-stopped-itself',
      metric: countMetric('JobsFailed', 'too_many_rejected', onceMinutes),
      threshold: 1,
    },
    { title: 'job held', entry: 'job-held', metric: countMetric('Jobs', 'held', onceMinutes), threshold: 1 },
    { title: 'job failed', entry: 'job-failed', metric: countMetric('Jobs', 'failed', onceMinutes), threshold: 1 },
    {
      title: 'rows failed',
      entry: 'rows-given-up',
      metric: countMetric('Rows', 'failed', onceMinutes),
      threshold: 1,
    },
    {
      title: 'rows unknown',
      entry: 'rows-given-up',
      metric: countMetric('Rows', 'unknown', onceMinutes),
      threshold: 1,
    },
  ];
}

function addAlarm(scope: Construct, kind: AlarmKind, topic: Topic, settings: Settings): Alarm {
  const { title, entry, metric, threshold, periods = 1 } = kind;
  const alarm = new Alarm(scope, title, {
    alarmName: `${Aws.STACK_NAME} - ${title}`,
    alarmDescription: `What it means and what to do: ${settings.runbookUrl}#${entry}`,
    metric,
    threshold,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: periods,
    // Queues and functions that nobody uses have no numbers.
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  alarm.addAlarmAction(new SnsAction(topic));
  return alarm;
}

function addTopic(scope: Construct, { alarmEmail }: Settings): Topic {
  const topic = new Topic(scope, 'Topic', { enforceSSL: true });
  // A topic with a policy of its own no longer has the one that lets in everything of the account.
  topic.addToResourcePolicy(
    new PolicyStatement({
      actions: ['sns:Publish'],
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
  if (alarmEmail !== undefined) {
    const subscription = topic.addSubscription(new EmailSubscription(alarmEmail));
    const reason = 'An alarm that cannot be mailed is still an alarm in CloudWatch; nothing is lost.';
    acknowledge(subscription, 'Serverless-SNSRedrivePolicy', reason);
  }
  return topic;
}
