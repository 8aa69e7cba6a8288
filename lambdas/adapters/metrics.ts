/**
 * Metrics in CloudWatch's embedded metric format, which are log lines: no call is made for them.
 */
import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import type { Metrics } from '../ports.ts';

export function powertoolsMetrics(serviceName: string): Metrics {
  const metrics = new PowertoolsMetrics({ namespace: 'BulkInvite', serviceName });
  return {
    count: (name, value, dimensions) => {
      // A single metric is a line of its own, so the dimensions of one never mix with those of another.
      const single = metrics.singleMetric();
      for (const [dimension, dimensionValue] of Object.entries(dimensions))
        single.addDimension(dimension, dimensionValue);
      single.addMetric(name, MetricUnit.Count, value);
    },
  };
}
