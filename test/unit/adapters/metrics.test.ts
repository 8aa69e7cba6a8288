/**
 * Metrics as the lines that CloudWatch reads.
 */
import { Console } from 'node:console';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { powertoolsMetrics } from '../../../lambdas/adapters/metrics.ts';

let lines: string[];

beforeEach(() => {
  lines = [];
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'BulkInvite/acme');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  vi.spyOn(Console.prototype, 'log').mockImplementation((line: string) => lines.push(line));
  vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Namespace, dimensions and values of each line. */
function published(): unknown[] {
  return lines.map((line) => {
    const { _aws, ...values } = JSON.parse(line);
    const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics;
    return { namespace: Namespace, dimensions: Dimensions, metrics: Metrics, values };
  });
}

test('a count is published at once, with its own dimension and the service', () => {
  powertoolsMetrics().count('Rows', 3, { status: 'invited' });
  expect(published()).toEqual([
    {
      namespace: 'BulkInvite/acme',
      dimensions: [['service', 'status']],
      metrics: [{ Name: 'Rows', Unit: 'Count' }],
      values: { service: 'bulk-invite', status: 'invited', Rows: 3 },
    },
  ]);
});

test('times of calls are gathered by operation and answer, and published together', () => {
  const metrics = powertoolsMetrics();
  metrics.timeApiCall('invite_user', '201', 40);
  metrics.timeApiCall('find_user', '200', 5);
  metrics.timeApiCall('invite_user', '201', 60);
  metrics.timeApiCall('invite_user', 'no_answer', 30_000);
  expect(lines).toEqual([]);
  metrics.publish();
  expect(published()).toMatchObject([
    {
      dimensions: [['service', 'operation', 'answer']],
      metrics: [{ Name: 'ApiCallMs', Unit: 'Milliseconds' }],
      values: { operation: 'invite_user', answer: '201', ApiCallMs: [40, 60] },
    },
    { values: { operation: 'find_user', answer: '200', ApiCallMs: 5 } },
    { values: { operation: 'invite_user', answer: 'no_answer', ApiCallMs: 30_000 } },
  ]);
});

test('nothing is published twice, and nothing where nothing was called', () => {
  const metrics = powertoolsMetrics();
  metrics.publish();
  metrics.timeApiCall('invite_user', '201', 40);
  metrics.publish();
  metrics.publish();
  metrics.timeApiCall('invite_user', '201', 50);
  metrics.publish();
  expect(published()).toMatchObject([
    { values: { ApiCallMs: 40 } },
    { values: { operation: 'invite_user', ApiCallMs: 50 } },
  ]);
});
