/**
 * What a line of the log makes CloudWatch keep.
 *
 * Source: Amazon CloudWatch User Guide, embedded metric format.
 */
import { z } from 'zod';

const metricsSchema = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
});

/** @returns Each custom metric by its name and the values of its dimensions; none where the line is a message. */
export function metricsIn(line: string): string[] {
  const { success, data } = metricsSchema.safeParse(JSON.parse(line));
  if (!success) return [];
  return data._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name }) =>
      Dimensions.map((names) => JSON.stringify([Namespace, Name, ...names.map((name) => [name, data[name]])])),
    ),
  );
}
