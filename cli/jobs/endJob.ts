/**
 * Ends a job because somebody wants it to: one that is under way is cancelled, one that is held is rejected. Both may be
 * repeated, and neither takes anything back. The stop is written before anything is read that grows with the job.
 */
import { stopKey } from '../../lambdas/core/keys.ts';
import { isCancel, type Stop, writeStop } from '../../lambdas/ledger/stop.ts';
import type { JobRef, Place } from '../place/place.ts';
import { announceAgain } from './announceAgain.ts';
import { type SeenStop, seeDecision } from './decision.ts';
import { describeWhen } from './describeDecision.ts';
import { type JobOutline, readOutline } from './jobOutline.ts';

export type Ending = 'cancel' | 'reject';

export interface EndAnswer {
  /** `ended`: the job has a report that says so. `refused`: it is not what this command is for. */
  readonly kind: 'ending' | 'ended' | 'refused';
  /** For people. */
  readonly sentence: string;
}

/** @param by Who wants it. */
export async function endJob(ending: Ending, place: Place, job: JobRef, by: string): Promise<EndAnswer> {
  const { outline } = await readOutline(place, job);
  return (
    (await endedBefore(outline, place)) ?? misplaced(ending, outline, place) ?? (await stop(ending, place, job, by))
  );
}

async function stop(ending: Ending, { store, now }: Place, { jobId }: JobRef, by: string): Promise<EndAnswer> {
  const wanted = { ...stops[ending], atMs: now(), by };
  const stored = await writeStop(store, jobId, wanted);
  if (stored.atMs !== wanted.atMs || stored.by !== by)
    return { kind: 'ending', sentence: alreadyEnding(jobId, stored) };
  // Somebody may have approved it in the same moment; the stop outranks that.
  const { approval } = await seeDecision(store, jobId);
  const approved = ending === 'reject' && approval !== undefined;
  return { kind: 'ending', sentence: approved ? endings.approved(jobId, approval.by) : endings[ending](jobId) };
}

const stops: Readonly<Record<Ending, Pick<Stop, 'code' | 'message'>>> = {
  cancel: { code: 'cancelled', message: 'The job was cancelled.' },
  reject: { code: 'not_approved', message: 'The job was held, and it was rejected.' },
};

const endings = {
  cancel: (jobId: string) =>
    `Job ${jobId} is cancelled: within 10 seconds no new call is started, those under way end and are recorded, and the rest is not attempted.`,
  reject: (jobId: string) => `Job ${jobId} is rejected: nobody is invited.`,
  approved: (jobId: string, by: string) =>
    `Job ${jobId} was approved by ${by} in the same moment, and is stopped now: within 10 seconds no new call is started.`,
};

/** Whatever the command: repeating it is harmless, and too late is too late. */
async function endedBefore(outline: JobOutline, place: Place): Promise<EndAnswer | undefined> {
  const { jobId, phase, stop, areRecordsGone = false } = outline;
  const report = `To fetch its report: npx bulk-invite report ${jobId}${place.options}`;
  if (phase === 'cancelled') return await cancelledBefore(outline, place, report);
  if (areRecordsGone) {
    const sentence = `Job ${jobId} was held, nobody approved it in time, and its records are deleted: nobody is invited by it. ${report}`;
    return { kind: 'ended', sentence };
  }
  if (phase === 'completed' || phase === 'failed')
    return { kind: 'refused', sentence: `Job ${jobId} has ended already (${phase}). ${report}` };
  if (stop !== undefined) {
    await announceAgain(place.store, stopKey(jobId));
    return { kind: 'ending', sentence: alreadyEnding(jobId, stop) };
  }
  if (phase === 'reporting')
    return {
      kind: 'refused',
      sentence: `All rows of job ${jobId} are settled, and its report is being written: there is nothing left to end. To follow it: npx bulk-invite watch ${jobId}${place.options}`,
    };
  return undefined;
}

/** The moment is in the record of the stop, as long as that is kept. */
async function cancelledBefore(
  { jobId, error, finishedAt }: JobOutline,
  { store }: Place,
  report: string,
): Promise<EndAnswer> {
  const recorded = (await seeDecision(store, jobId)).stop;
  const when = describeWhen({ atMs: recorded?.atMs ?? Date.parse(finishedAt ?? ''), ...byOf(error ?? recorded) });
  return { kind: 'ended', sentence: `Job ${jobId} was ended ${when}: ${error?.message ?? ''} ${report}` };
}

function alreadyEnding(jobId: string, { code, message, ...rest }: SeenStop): string {
  const how = isCancel({ code }) ? 'was ended' : 'has stopped itself';
  return `${[`Job ${jobId} ${how}`, describeWhen(rest)].filter(Boolean).join(' ')}: ${message}`;
}

function byOf(found: { readonly by?: string } | undefined): { readonly by?: string } {
  return found?.by === undefined ? {} : { by: found.by };
}

/** The two commands are not the same, so that nobody ends what they did not mean. */
function misplaced(ending: Ending, { jobId, phase, approval }: JobOutline, { options }: Place): EndAnswer | undefined {
  const refused = (sentence: string): EndAnswer => ({ kind: 'refused', sentence });
  const isHeld = phase === 'held' || phase === 'lapsed';
  if (ending === 'cancel')
    return isHeld
      ? refused(
          `Job ${jobId} is held: nobody is invited until somebody approves it, so there is nothing to cancel. To end it: npx bulk-invite reject ${jobId}${options}`,
        )
      : undefined;
  if (isHeld) return undefined;
  const cancel = `To end it: npx bulk-invite cancel ${jobId}${options}`;
  if (approval !== undefined)
    return refused(
      `Job ${jobId} is no longer held: it was approved ${describeWhen({ atMs: Date.parse(approval.at), by: approval.by })}. ${cancel}`,
    );
  const what = phase === 'inviting' ? 'it is inviting people' : 'it is still to be read as a whole';
  return refused(`Job ${jobId} is not held: ${what}. ${cancel}`);
}
