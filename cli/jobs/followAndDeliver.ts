/**
 * Follows a job to its report and delivers it. Ctrl-C ends the following, in order.
 */
import type { Attendance, JobRef, Place } from '../place/place.ts';
import type { Terminal } from '../terminal.ts';
import { type DeliveryOptions, deliverReport } from './deliverReport.ts';
import { exitCodes } from './describeSummary.ts';
import { followJob } from './followJob.ts';

export interface FollowOptions extends DeliveryOptions {
  /** What was read, where that is a file of this machine: the report must not take its place. */
  readonly file?: string;
}

/** @returns The exit code. */
export async function followAndDeliver(
  place: Place,
  job: JobRef,
  attendance: Attendance,
  options: FollowOptions,
  terminal: Terminal,
): Promise<number> {
  const stop = new AbortController();
  const release = stopOnSignals(stop, attendance.stopping, terminal);
  try {
    const summary = await followJob(place, job, attendance, terminal, stop.signal);
    if (summary !== undefined) return await deliverReport(place, job, summary, options, terminal, options.file);
    terminal.say(attendance.stopped(job));
    return exitCodes.interrupted;
  } finally {
    release();
  }
}

/** The first signal stops in order; a second one of the same kind ends the process at once, and nothing is lost then either. */
function stopOnSignals(stop: AbortController, stopping: string | undefined, terminal: Terminal): () => void {
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    if (stopping !== undefined) terminal.say(stopping);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}
