/**
 * Metrics in CloudWatch's embedded metric format, which are log lines: no call is made for them. The namespace comes from
 * the environment variable `POWERTOOLS_METRICS_NAMESPACE`.
 */
import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import { apiCallTime, metricsService } from '../core/metrics.ts';
import type { Metrics } from '../ports.ts';

export function powertoolsMetrics(): Metrics {
  const metrics = new PowertoolsMetrics({ serviceName: metricsService });
  const timesByCall = new Map<string, PowertoolsMetrics>();
  return {
    count: (name, value, by) => {
      // A single metric is a line of its own, so the dimensions of one never mix with those of another.
      const single = metrics.singleMetric();
      for (const [dimension, dimensionValue] of Object.entries<string>(by))
        single.addDimension(dimension, dimensionValue);
      single.addMetric(name, MetricUnit.Count, value);
    },
    // One line for up to a hundred calls of a kind: a line for each would cost more than the calls' own logs.
    timeApiCall: (operation, answer, tookMs) => {
      const kind = `${operation} ${answer}`;
      const times = timesByCall.get(kind) ?? newTimes({ operation, answer });
      timesByCall.set(kind, times);
      times.addMetric(apiCallTime.name, MetricUnit.Milliseconds, tookMs);
    },
    publish: () => {
      for (const times of timesByCall.values()) if (times.hasStoredMetrics()) times.publishStoredMetrics();
    },
  };
}

function newTimes(defaultDimensions: { readonly [name in (typeof apiCallTime.dimensions)[number]]: string }) {
  return new PowertoolsMetrics({ serviceName: metricsService, defaultDimensions: { ...defaultDimensions } });
}
