/**
 * What AWS takes, in dollars: us-east-1, as published in November 2026 (aws.amazon.com/s3/pricing, /sqs/pricing,
 * /lambda/pricing, /cloudwatch/pricing, /eventbridge/pricing, /secrets-manager/pricing, /step-functions/pricing, /dynamodb/pricing), without anything that is free. docs/deploy.md has what comes of
 * it.
 */

export const dollars = {
  /** PutObject, the parts of a large upload, lists. */
  s3Write: 0.005 / 1000,
  s3Read: 0.0004 / 1000,
  /** A gigabyte that is kept for a month; of the first 50 terabytes. */
  s3GigabyteMonth: 0.023,
  sqsRequest: 0.4 / 1_000_000,
  /** To a queue whose messages have a group. */
  sqsFairRequest: 0.5 / 1_000_000,
  lambdaRequest: 0.2 / 1_000_000,
  /** For ARM. */
  lambdaGigabyteSecond: 0.0000133334,
  logGigabyte: 0.5,
  /** A month of a custom metric, metered by the hour in which it has a value; of the first 10,000. */
  metricHour: 0.3 / 730,
  alarmMonth: 0.1,
  secretMonth: 0.4,
  expressWorkflow: 1 / 1_000_000,
  expressGigabyteSecond: 0.00001667,
  standardTransition: 0.025 / 1000,
  /** On demand, of an item below a kilobyte. */
  dynamoWrite: 0.625 / 1_000_000,
  /** A time at which EventBridge Scheduler sends something. */
  scheduledTime: 1 / 1_000_000,
} as const;

export function inDollars(value: number): string {
  return `$${value.toFixed(4)}`;
}
