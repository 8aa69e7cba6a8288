/**
 * `bulk-invite submit FILE`: from a file to its report. Nothing is uploaded that cannot be used.
 */
import { createReadStream } from 'node:fs';
import { basename, resolve } from 'node:path';
import { csvFormat } from '../../lambdas/adapters/csvFormat.ts';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { inertJson } from '../../lambdas/core/quote.ts';
import { checkUpload } from '../checkUpload.ts';
import { describeBriefly, describeCheck } from '../describeCheck.ts';
import { expectFile } from '../expectFile.ts';
import { decideCommands } from '../jobs/describeDecision.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { followAndDeliver } from '../jobs/followAndDeliver.ts';
import { readingLimits } from '../limits.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import type { Place, UploadRequest } from '../place/place.ts';
import { openTerminal, type Terminal } from '../terminal.ts';

export interface SubmitOptions extends PlaceOptions {
  readonly map: Mapping;
  readonly settings: JobSettings;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly out?: string;
  readonly json: boolean;
}

/** @returns The exit code. */
export async function submit(file: string, options: SubmitOptions): Promise<number> {
  const terminal = openTerminal();
  const path = expectFile(file);
  if (options.wait && options.out !== undefined) prepareFolder(resolve(options.out), path);
  if (!(await isUsable(path, options, terminal))) return exitCodes.couldNotRun;
  return await withPlace(
    options,
    terminal,
    (place) =>
      options.wait ? submitAndFollow(path, options, place, terminal) : onlySubmit(path, options, place, terminal),
    { isMade: true, settings: options.settings, welcomesNeighbours: !options.dryRun },
  );
}

async function isUsable(path: string, { map, settings }: SubmitOptions, terminal: Terminal): Promise<boolean> {
  const { allowedDomains, invitesGone } = settings;
  const rules = { mapping: map, allowedDomains, invitesGone, listedMax: readingLimits.problemsQuoted };
  const result = await checkUpload(() => createReadStream(path), csvFormat, rules);
  const isFit = result.error === undefined;
  const lines = isFit ? describeBriefly(basename(path), result) : describeCheck(basename(path), result);
  for (const line of lines) terminal.say(line);
  if (!isFit) terminal.say('Nothing was uploaded.');
  return isFit;
}

async function submitAndFollow(
  path: string,
  options: SubmitOptions,
  place: Place,
  terminal: Terminal,
): Promise<number> {
  const attendance = await place.attend(undefined);
  try {
    const job = await place.submit(path, requestOf(options));
    terminal.say(job.sentence);
    const { json, out } = options;
    const delivery = { json, file: path, ...(out === undefined ? {} : { out }) };
    return await followAndDeliver(place, job, attendance, delivery, terminal);
  } finally {
    await attendance.close();
  }
}

/** Standard output is the id of the job, for scripts. */
async function onlySubmit(path: string, options: SubmitOptions, place: Place, terminal: Terminal): Promise<number> {
  const { jobId, uploadKey, isNew, isHeld = false, sentence } = await place.submit(path, requestOf(options));
  const there = `Job ${jobId} for ${path} is there already, and has not been brought to its end.`;
  const follow = `To follow it to its report: npx bulk-invite watch ${jobId}${place.options}`;
  terminal.say(isNew || isHeld ? sentence : there);
  for (const line of isHeld ? decideCommands(jobId, place.options) : [follow]) terminal.say(line);
  if (options.json) terminal.document(inertJson({ jobId, uploadKey }));
  else terminal.result(jobId);
  return exitCodes.allWell;
}

function requestOf({ map, dryRun, settings: { newPeopleMax } }: SubmitOptions): UploadRequest {
  return { mapping: map, dryRun, ...(newPeopleMax === undefined ? {} : { newPeopleMax }) };
}
