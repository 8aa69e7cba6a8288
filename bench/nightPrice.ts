/**
 * What a night costs on AWS in which nothing changes, and a month of such nights.
 */
import type { AwsRequests } from './awsRequests.ts';
import { dollars } from './prices.ts';

const nightsInMonth = 30;

/**
 * The functions as they are deployed, and an API that takes its time for a list of so many users. A file of a roster is replaced
 * each night, and kept for another two weeks.
 */
export const assumed = {
  ingest: { gigabytes: 1769 / 1024, seconds: 10 },
  report: { gigabytes: 1, seconds: 5 },
  daysKept: { incoming: 15, jobs: 30, reports: 90 },
};

export interface Night extends AwsRequests {
  readonly storedBytes: Readonly<Record<keyof typeof assumed.daysKept, number>>;
  readonly ingestSeconds: number;
  readonly reportSeconds: number;
  readonly logBytes: number;
  /** Custom metrics, each with other dimensions. */
  readonly metrics: number;
}

export function priceOfNight(counted: Night): number {
  const { s3Writes, s3Reads, sqsRequests, invocations, logBytes } = counted;
  const gigabyteSeconds = [assumed.ingest, assumed.report].reduce(
    (sum, { gigabytes, seconds: each }) => sum + gigabytes * each,
    0,
  );
  return (
    s3Writes * dollars.s3Write +
    s3Reads * dollars.s3Read +
    sqsRequests * dollars.sqsFairRequest +
    invocations * dollars.lambdaRequest +
    gigabyteSeconds * dollars.lambdaGigabyteSecond +
    (logBytes / 1e9) * dollars.logGigabyte +
    priceOfMetrics(counted) +
    dollars.scheduledTime
  );
}

/** They have values in one hour. */
export function priceOfMetrics({ metrics }: Night): number {
  return metrics * dollars.metricHour;
}

export function bytesKept({ storedBytes: { incoming, jobs, reports } }: Night): number {
  const { daysKept } = assumed;
  return incoming * daysKept.incoming + jobs * daysKept.jobs + reports * daysKept.reports;
}

export function priceOfMonth(counted: Night): number {
  return nightsInMonth * priceOfNight(counted) + priceOfKept(counted);
}

export function priceOfKept(counted: Night): number {
  return (bytesKept(counted) / 1e9) * dollars.s3GigabyteMonth;
}
