/**
 * `bulk-invite approve JOB`: shows what a job that is held would do, and lets it go on.
 */
import { resolve } from 'node:path';
import type { JobId } from '../../lambdas/core/jobId.ts';
import { approvalKey } from '../../lambdas/core/keys.ts';
import { holdLimits } from '../../lambdas/core/limits.ts';
import { writeApproval } from '../../lambdas/ledger/approval.ts';
import { readChunk } from '../../lambdas/ledger/chunk.ts';
import type { ObjectStore } from '../../lambdas/ports.ts';
import { canAsk, confirmNumber } from '../confirmNumber.ts';
import { announceAgain } from '../jobs/announceAgain.ts';
import { seeDecision } from '../jobs/decision.ts';
import type { DeliveryOptions } from '../jobs/deliverReport.ts';
import { countsInOneLine } from '../jobs/describeCounts.ts';
import { describeWhen } from '../jobs/describeDecision.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { findJob } from '../jobs/findJob.ts';
import { followAndDeliver } from '../jobs/followAndDeliver.ts';
import { type JobOutline, readOutline } from '../jobs/jobOutline.ts';
import { type JobState, readJobState } from '../jobs/jobState.ts';
import { decisionLimits } from '../limits.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import type { Place } from '../place/place.ts';
import { openTerminal, type Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

const dayMs = 86_400_000;

export interface ApproveOptions extends PlaceOptions, DeliveryOptions {
  /** Nobody is asked. */
  readonly yes: boolean;
  /** Whether the report is waited for. */
  readonly wait: boolean;
}

/** @param text Which job, as a person names it. @returns The exit code. */
export async function approve(text: string, options: ApproveOptions): Promise<number> {
  const terminal = openTerminal();
  if (options.wait && options.out !== undefined) prepareFolder(resolve(options.out), undefined);
  return await withPlace(options, terminal, async (place) => {
    const job = await findJob(place, text);
    const state = await readJobState(place, job);
    if (state.approval !== undefined && isUnderWay(state)) await announceAgain(place.store, approvalKey(job.jobId));
    const held = expectHeld(state, place);
    for (const line of describeHeld(held, await firstPeople(place.store, job.jobId))) terminal.say(line);
    // Before anything is recorded: whether the job can go on from here.
    const attendance = await place.attend(job);
    try {
      if (!(await isConfirmed(held, options, terminal))) {
        terminal.say(`Nothing was changed: job ${job.jobId} is still held.`);
        return exitCodes.couldNotRun;
      }
      // It may have lapsed, or somebody else have decided, while the question stood there.
      expectHeld((await readOutline(place, job)).outline, place);
      terminal.say(await release(place, job.jobId));
      if (options.wait) return await followAndDeliver(place, job, attendance, options, terminal);
      terminal.say(`To follow it to its report: npx bulk-invite watch ${job.jobId}${place.options}`);
      return exitCodes.allWell;
    } finally {
      await attendance.close();
    }
  });
}

/** An approval that was lost on its way may have to be told again. */
function isUnderWay({ phase }: JobState): boolean {
  return phase === 'held' || phase === 'inviting';
}

/** @throws UserError that says what the job is instead. */
function expectHeld<T extends JobOutline>(state: T, { options }: Place): T {
  const { jobId, phase, approval, stop, error, finishedAt } = state;
  if (phase === 'held') return state;
  const watch = `To follow it: npx bulk-invite watch ${jobId}${options}`;
  const report = `To fetch its report: npx bulk-invite report ${jobId}${options}`;
  if (phase === 'lapsed') {
    const days = holdLimits.approvableMs / dayMs;
    throw new UserError(
      `Job ${jobId} cannot be approved any more: it was held, and nobody approved it within ${days} days. Who is a user by now it does not know, ` +
        `and its records may be deleted at any time. Nobody was invited. To invite these people, upload the file again. ${report}`,
    );
  }
  if (phase === 'cancelled') {
    const when = describeWhen({
      atMs: Date.parse(finishedAt ?? ''),
      ...(error?.by === undefined ? {} : { by: error.by }),
    });
    throw new UserError(
      `Job ${jobId} cannot be approved any more: it was ended ${when}. ${error?.message ?? ''} ${report}`,
    );
  }
  if (phase === 'completed' || phase === 'failed') {
    const approved = approval === undefined ? '' : ` It was approved ${approvedBy(approval)}.`;
    throw new UserError(`Job ${jobId} is not held: it has ended (${phase}).${approved} ${report}`);
  }
  if (stop !== undefined)
    throw new UserError(
      `Job ${jobId} cannot be approved any more: it was ended ${describeWhen(stop)}. ${stop.message} ${watch}`,
    );
  if (approval !== undefined)
    throw new UserError(`Job ${jobId} is no longer held: it was approved ${approvedBy(approval)}. ${watch}`);
  if (phase === 'waiting' || phase === 'reading')
    throw new UserError(
      `Job ${jobId} is not held: its file is still to be read as a whole, and only then it is known whether it has to be approved. ${watch}`,
    );
  throw new UserError(`Job ${jobId} is not held: it is within its limits and goes on by itself. ${watch}`);
}

function approvedBy({ by, at }: NonNullable<JobState['approval']>): string {
  return describeWhen({ atMs: Date.parse(at), by });
}

function describeHeld(held: JobState, people: readonly string[]): string[] {
  const { jobId, uploadKey, rows = 0, hold = [], warnings } = held;
  const invitees = invitationsOf(held);
  const more = invitees - people.length;
  const settled = countsInOneLine(held.counts);
  return [
    `Job ${jobId} for ${uploadKey} is held:`,
    ...hold.map(({ message }) => `  ${message}`),
    `If it is approved, it ${describeInvitations(held)} (of ${rows} rows${settled === '' ? '' : `; the others: ${settled}`}).`,
    ...(people.length > 0 ? [`The first of them: ${people.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`] : []),
    ...warnings.map((warning) => `To know: ${warning}`),
  ];
}

function describeInvitations({ invitees = 0, resends = 0 }: JobState): string {
  const count = invitees - resends;
  const invites = `invites ${count} ${count === 1 ? 'person' : 'people'}`;
  if (resends === 0) return invites;
  return `${invites} and sends ${resends} ${resends === 1 ? 'invitation' : 'invitations'} again`;
}

function invitationsOf({ invitees = 0 }: JobState): number {
  return invitees;
}

/** Addresses, as the file has them. */
async function firstPeople(store: ObjectStore, jobId: JobId): Promise<string[]> {
  const people: string[] = [];
  for (let chunk = 0; people.length < decisionLimits.peopleShown; chunk += 1) {
    const stored = await readChunk(store, jobId, chunk);
    if (stored === undefined) break;
    people.push(...stored.value.rows.map(({ invitee }) => invitee.email));
  }
  return people.slice(0, decisionLimits.peopleShown);
}

async function isConfirmed(held: JobState, { yes }: ApproveOptions, terminal: Terminal): Promise<boolean> {
  if (yes) return true;
  if (!canAsk())
    throw new UserError(
      `Nobody can be asked: there is no terminal. Nothing was changed, and job ${held.jobId} is still held. To approve it without being asked, add --yes.`,
    );
  const count = invitationsOf(held);
  const question = `So many emails go out: ${count}. Type that number to approve, anything else to leave it held:`;
  return await confirmNumber(question, count, terminal);
}

async function release(place: Place, jobId: JobId): Promise<string> {
  const by = await place.whoAmI();
  const wanted = { jobId, by, atMs: place.now() };
  const stored = await writeApproval(place.store, wanted);
  // Somebody may have rejected it in the same moment; that outranks the approval.
  const { stop } = await seeDecision(place.store, jobId);
  if (stop !== undefined)
    throw new UserError(`Job ${jobId} was ended in the same moment, ${describeWhen(stop)}: ${stop.message}`);
  if (stored.by !== by || stored.atMs !== wanted.atMs)
    return `Job ${jobId} was approved ${describeWhen(stored)} in the same moment; it goes on.`;
  const next = place.worksByItself ? 'goes on within half a minute' : 'goes on as soon as it is followed';
  return `Job ${jobId} is approved by ${by}, and ${next}.`;
}
