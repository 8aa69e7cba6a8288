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
import type { FunctionName, QueueName } from '../lambdas/core/limits.ts';
import { acknowledge } from './acknowledge.ts';
import type { Functions } from './functions.ts';
import { countMetric } from './metrics.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';

export interface Alarms {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];
}

interface AlarmKind {
  /** Says what has happened; also the name of the alarm, behind that of the stack. */
  readonly title: string;
  /** The heading in `docs/operating.md`, as it stands in a link. */
  readonly entry: string;
  readonly metric: Metric;
  readonly threshold: number;
}

const queueNames: readonly QueueName[] = ['uploads', 'chunks', 'reports'];
const functionNames: readonly FunctionName[] = ['ingest', 'worker', 'report'];

/** A fault that passes by itself is over before this; one that stays happens more often in this time. */
const faultMinutes = 15;
const faultsMin = 3;

/** An outage of the API holds up uploads and chunks for up to six hours by default; a chunk of a large job waits for its turn. */
const oldestHours: Readonly<Record<QueueName, number>> = { uploads: 2, chunks: 12, reports: 1 };

export function addAlarms(stack: Construct, settings: Settings, queues: Queues, functions: Functions): Alarms {
  const scope = new Construct(stack, 'Alarms');
  const topic = addTopic(scope, settings);
  const kinds = [...queueAlarms(queues), ...functionAlarms(functions), ...jobAlarms()];
  return { topic, alarms: kinds.map((kind) => addAlarm(scope, kind, topic, settings)) };
}

function queueAlarms(queues: Queues): AlarmKind[] {
  return queueNames.flatMap((name) => {
    const { queue, deadLetters } = queues[name];
    const period = Duration.minutes(5);
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
      metric: functions[name].lambda.metricErrors({ period: Duration.minutes(faultMinutes), statistic: Stats.SUM }),
      threshold: faultsMin,
    },
    {
      title: `messages fail in ${name}`,
      entry: 'messages-fail',
      metric: countMetric('MessagesFailed', functions[name].lambda.functionName, faultMinutes),
      threshold: faultsMin,
    },
  ]);
}

function jobAlarms(): AlarmKind[] {
  const periodMinutes = 5;
  return [
    {
      title: 'key refused',
      entry: 'key-refused',
      metric: countMetric('JobsFailed', 'key_refused', periodMinutes),
      threshold: 1,
    },
    {
      title: 'key may not invite',
      entry: 'key-refused',
      metric: countMetric('JobsFailed', 'key_forbidden', periodMinutes),
      threshold: 1,
    },
    { title: 'job failed', entry: 'job-failed', metric: countMetric('Jobs', 'failed', periodMinutes), threshold: 1 },
  ];
}

function addAlarm(scope: Construct, kind: AlarmKind, topic: Topic, settings: Settings): Alarm {
  const { title, entry, metric, threshold } = kind;
  const alarm = new Alarm(scope, title, {
    alarmName: `${Aws.STACK_NAME} - ${title}`,
    alarmDescription: `What it means and what to do: ${settings.runbookUrl}#${entry}`,
    metric,
    threshold,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
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
