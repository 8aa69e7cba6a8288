/**
 * Alarms on what keeps a roster from being run. Nobody watches a nightly run, so each is told when it happens once.
 */
import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmKind } from './alarms.ts';
import { countMetric } from './metrics.ts';
import type { RosterTimes } from './rosters.ts';

const periodMinutes = 5;

/** Codes of the faults that end a run before it begins. */
const notRun = [
  { title: 'roster not refreshed', code: 'roster_stale' },
  { title: 'roster missing', code: 'roster_missing' },
  { title: 'roster still running', code: 'roster_busy' },
];

export function rosterAlarms({ lost }: RosterTimes): AlarmKind[] {
  const period = Duration.minutes(periodMinutes);
  return [
    ...notRun.map(({ title, code }) => ({
      title,
      entry: 'roster-not-run',
      metric: countMetric('JobsFailed', code, periodMinutes),
      threshold: 1,
    })),
    {
      title: 'time of a roster lost',
      entry: 'time-of-a-roster-lost',
      metric: lost.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
      threshold: 1,
    },
  ];
}
