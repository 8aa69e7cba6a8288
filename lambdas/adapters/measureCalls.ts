/**
 * Counts and times the calls to the API for the dashboard, beside what the use cases keep of them for the report.
 */
import type { Metrics, OnApiCall } from '../ports.ts';

export function measureCalls<Api>(
  connectApi: (onCall: OnApiCall) => Api,
  metrics: Metrics,
): (onCall: OnApiCall) => Api {
  return (onCall) =>
    connectApi((operation, answer, tookMs) => {
      metrics.timeApiCall(operation, answer, tookMs);
      onCall(operation, answer, tookMs);
    });
}
