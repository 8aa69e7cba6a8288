/**
 * The metrics that the alarms and the dashboard look at: our own, and those that AWS keeps of queues and functions.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import { Metric, SearchExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { apiCallTime, type CountName, counts, metricsNamespace, metricsService } from '../lambdas/core/metrics.ts';

const namespace = metricsNamespace(Aws.STACK_NAME);

/** One of our counts, where its dimension has this value. */
export function countMetric(name: CountName, value: string, periodMinutes: number): Metric {
  return new Metric({
    namespace,
    metricName: name,
    dimensionsMap: { service: metricsService, [counts[name]]: value },
    statistic: Stats.SUM,
    period: Duration.minutes(periodMinutes),
  });
}

/** The calls to the API, a line for each operation and answer. Which answers there will be is not known beforehand. */
export function apiCallSearch(statistic: string, periodMinutes: number): SearchExpression {
  const schema = [namespace, 'service', ...apiCallTime.dimensions].map((name) => `"${name}"`).join(',');
  return new SearchExpression({
    expression: `SEARCH('{${schema}} MetricName="${apiCallTime.name}"', '${statistic}', ${periodMinutes * 60})`,
    label: '',
    period: Duration.minutes(periodMinutes),
  });
}
