/**
 * `bulk-invite cancel JOB` and `bulk-invite reject JOB`: end a job, and fetch the report of what was done before.
 */
import { resolve } from 'node:path';
import { inertJson } from '../../lambdas/core/quote.ts';
import type { DeliveryOptions } from '../jobs/deliverReport.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { type EndAnswer, type Ending, endJob } from '../jobs/endJob.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { findJob } from '../jobs/findJob.ts';
import { followAndDeliver } from '../jobs/followAndDeliver.ts';
import { readSummaryOf, standingSummary } from '../jobs/followJob.ts';
import { whoEnds } from '../jobs/whoEnds.ts';
import { askAtDoor } from '../local/door.ts';
import { nameOfThisPerson } from '../local/nameOfThisPerson.ts';
import { defaultDataFolder } from '../place/localPlace.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import type { JobRef, Place } from '../place/place.ts';
import { openTerminal, type Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

export interface EndOptions extends PlaceOptions, DeliveryOptions {
  /** Whether the report is waited for. */
  readonly wait: boolean;
}

/** @param text Which job, as a person names it. @returns The exit code: 0 where the job ends as it should. */
export async function end(ending: Ending, text: string, options: EndOptions): Promise<number> {
  const terminal = openTerminal();
  if (options.wait && options.out !== undefined) prepareFolder(resolve(options.out), undefined);
  const endHere = async () =>
    await withPlace(options, terminal, (place) => endAt(place, ending, text, options, terminal));
  if (!options.local) return await endHere();
  const request = { ending, job: text, by: nameOfThisPerson() };
  const answer = await askAtDoor(resolve(options.data ?? defaultDataFolder), request, endHere);
  if (typeof answer === 'number') return answer;
  terminal.say(expectNotRefused(answer).sentence);
  terminal.say('That is the answer of another bulk-invite, which works with the data folder and heeds it.');
  if (options.json) terminal.document(inertJson(answer));
  return exitCodes.allWell;
}

async function endAt(
  place: Place,
  ending: Ending,
  text: string,
  options: EndOptions,
  terminal: Terminal,
): Promise<number> {
  const [job, by] = await Promise.all([findJob(place, text), whoEnds(place)]);
  const answer = expectNotRefused(await endJob(ending, place, job, by));
  terminal.say(answer.sentence);
  if (answer.kind === 'ended') {
    const summary = options.json ? await readSummaryOf(place, job) : undefined;
    if (summary !== undefined) terminal.document(inertJson(summary));
    return exitCodes.allWell;
  }
  const watch = `To follow it to its report: npx bulk-invite watch ${job.jobId}${place.options}`;
  const others = await place.neighboursOf(job);
  if (options.wait && others.length === 0) return await follow(place, job, options, terminal, watch);
  if (others.length > 0)
    terminal.say(
      `Its report is still to be written. That is left for later, because other unfinished jobs of ${place.name} would go on with it: ${others.join(', ')}.`,
    );
  terminal.say(watch);
  return exitCodes.allWell;
}

/** The job ends, whatever becomes of the following. */
async function follow(
  place: Place,
  job: JobRef,
  options: EndOptions,
  terminal: Terminal,
  watch: string,
): Promise<number> {
  const attendance = await place.attend(job).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    terminal.say(`That stands; only its report cannot be waited for. ${error.message} ${watch}`);
    return undefined;
  });
  if (attendance === undefined) return exitCodes.allWell;
  try {
    const code = await followAndDeliver(place, job, attendance, options, terminal);
    const summary = await standingSummary(place, job);
    return summary?.state === 'cancelled' ? exitCodes.allWell : code;
  } finally {
    await attendance.close();
  }
}

function expectNotRefused(answer: EndAnswer): EndAnswer {
  if (answer.kind === 'refused') throw new UserError(answer.sentence);
  return answer;
}
