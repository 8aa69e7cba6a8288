/**
 * Lets the functions run from the first job that is followed until all are done, and not once for each: a queue of the embedded
 * SQS hands its next message to whoever waits longest, and those who have gone away are still waiting there for a while.
 */
import type { Attendance } from '../place/place.ts';
import { untilAborted } from '../untilAborted.ts';

export function lastingAttendance(attendance: Attendance): Attendance {
  const end = new AbortController();
  let running: Promise<void> | undefined;
  return {
    ...attendance,
    run: async (job, signal) => {
      running ??= attendance.run(job, end.signal);
      await Promise.race([running, untilAborted(signal)]);
    },
    close: async () => {
      end.abort();
      try {
        await running;
      } finally {
        await attendance.close();
      }
    },
  };
}
