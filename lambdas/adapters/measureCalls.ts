/**
 * Counts and times the calls to the API for the dashboard, beside what the use cases keep of them for the report.
 */
import type { ConnectApi, Metrics } from '../ports.ts';

export function measureCalls(connectApi: ConnectApi, metrics: Metrics): ConnectApi {
  return (onCall) =>
    connectApi((operation, answer, tookMs) => {
      metrics.timeApiCall(operation, answer, tookMs);
      onCall(operation, answer, tookMs);
    });
}
