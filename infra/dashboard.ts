/**
 * The dashboard: is it working, how far is it, how fast, and what does the API say.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { QueueName } from '../lambdas/core/limits.ts';
import type { CountName } from '../lambdas/core/metrics.ts';
import { statuses } from '../lambdas/core/outcome.ts';
import type { Alarms } from './alarms.ts';
import { type Functions, functionNames } from './functions.ts';
import { apiCallSearch, countMetric } from './metrics.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';

const period = Duration.minutes(5);
const jobStates = ['started', 'held', 'completed', 'cancelled', 'failed'];

export interface DashboardParts {
  readonly settings: Settings;
  readonly queues: Queues;
  readonly functions: Functions;
  readonly alarms: Alarms;
}

export function addDashboard(scope: Construct, { settings, queues, functions, alarms }: DashboardParts): Dashboard {
  const counted = (name: CountName, values: readonly string[]) =>
    values.map((value) => countMetric(name, value, period.toMinutes()).with({ label: value }));
  return new Dashboard(scope, 'Dashboard', {
    // Dashboards belong to no region: the same stack in another one would have the same name.
    dashboardName: `${Aws.STACK_NAME}-${Aws.REGION}`,
    widgets: [
      [
        text(`What the alarms mean and what to do: ${settings.runbookUrl}`),
        new AlarmStatusWidget({ title: 'Alarms', width: 18, height: 3, alarms: [...alarms.alarms] }),
      ],
      [bars('Rows settled, by status', counted('Rows', statuses), 16), bars('Jobs', counted('Jobs', jobStates), 8)],
      [
        bars('Calls to the API, by operation and answer', [apiCallSearch(Stats.SAMPLE_COUNT, period.toMinutes())], 12),
        lines('Time of a call, 95th percentile (ms)', [apiCallSearch(Stats.p(95), period.toMinutes())], 12),
      ],
      [
        lines('Messages, those under way included', ofQueues(queues, messagesIn), 8),
        lines('Age of the oldest message (s)', ofQueues(queues, ageIn), 8),
        lines('Dead letters', ofQueues(queues, deadLettersOf), 8),
      ],
      [
        lines('Invocations at once', ofFunctions(functions, 'ConcurrentExecutions', Stats.MAXIMUM), 8),
        lines('Duration of an invocation (ms)', ofFunctions(functions, 'Duration', Stats.MAXIMUM), 8),
        lines('Invocations that were cut off', ofFunctions(functions, 'Errors', Stats.SUM), 8),
      ],
    ],
  });
}

function ofQueues(
  queues: Queues,
  metricsOf: (queue: Queues[QueueName], name: string) => readonly IMetric[],
): readonly IMetric[] {
  return Object.entries(queues).flatMap(([name, queue]) => metricsOf(queue, name));
}

function messagesIn({ queue }: Queues[QueueName], name: string): IMetric[] {
  const options = { period, statistic: Stats.MAXIMUM };
  return [
    queue.metricApproximateNumberOfMessagesVisible({ ...options, label: `${name}, waiting` }),
    queue.metricApproximateNumberOfMessagesNotVisible({ ...options, label: `${name}, under way or put aside` }),
  ];
}

function ageIn({ queue }: Queues[QueueName], name: string): IMetric[] {
  return [queue.metricApproximateAgeOfOldestMessage({ period, statistic: Stats.MAXIMUM, label: name })];
}

function deadLettersOf({ deadLetters }: Queues[QueueName], name: string): IMetric[] {
  return [deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM, label: name })];
}

function ofFunctions(functions: Functions, metricName: string, statistic: string): readonly IMetric[] {
  return functionNames.map((name) => functions[name].lambda.metric(metricName, { period, statistic, label: name }));
}

function bars(title: string, metrics: readonly IMetric[], width: number): IWidget {
  return new GraphWidget({ title, left: [...metrics], width, height: 6, period, stacked: true, leftYAxis: { min: 0 } });
}

function lines(title: string, metrics: readonly IMetric[], width: number): IWidget {
  return new GraphWidget({ title, left: [...metrics], width, height: 6, period, leftYAxis: { min: 0 } });
}

function text(markdown: string): IWidget {
  return new TextWidget({ markdown, width: 6, height: 3 });
}
