/**
 * `bulk-invite status [JOB]`: the latest jobs, or one of them in detail, to the row.
 */
import { inertJson } from '../../lambdas/core/quote.ts';
import { describeInFull, describeInList } from '../jobs/describeJob.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { findJob } from '../jobs/findJob.ts';
import { describeRow, type JobRow, jobRows } from '../jobs/jobRows.ts';
import { type JobState, readJobState } from '../jobs/jobState.ts';
import { latestJobs } from '../jobs/listJobs.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import type { Place } from '../place/place.ts';
import { openTerminal, type Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';

export interface StatusOptions extends PlaceOptions {
  /** Jobs of the list. */
  readonly limit: number;
  /** Row numbers. */
  readonly row: readonly number[];
  /** All rows. */
  readonly rows: boolean;
  readonly json: boolean;
}

/** @param text Which job, as a person names it. @returns The exit code. */
export async function status(text: string | undefined, options: StatusOptions): Promise<number> {
  const terminal = openTerminal();
  if (text === undefined && (options.rows || options.row.length > 0))
    throw new UserError('--row and --rows tell of the rows of one job: name the job, too, for example “latest”.');
  await withPlace(options, terminal, (place) =>
    text === undefined ? list(place, options, terminal) : detail(place, text, options, terminal),
  );
  return exitCodes.allWell;
}

async function list(place: Place, { limit, json }: StatusOptions, terminal: Terminal): Promise<void> {
  const states: JobState[] = [];
  for (const job of await latestJobs(place, limit)) states.push(await readJobState(place, job));
  if (json) terminal.document(inertJson(states));
  else for (const state of states) terminal.result(describeInList(state));
  if (!json && states.length === 0)
    terminal.say(`There are no jobs in ${place.name} yet. To start one: npx bulk-invite submit FILE${place.options}`);
  for (const sentence of await place.givenUp()) terminal.say(sentence);
}

async function detail(place: Place, text: string, options: StatusOptions, terminal: Terminal): Promise<void> {
  const job = await findJob(place, text);
  const state = await readJobState(place, job);
  const asksForRows = options.rows || options.row.length > 0;
  if (options.json) {
    const rowStates = asksForRows ? { rowStates: await Array.fromAsync(rowsAsked(place, state, options)) } : {};
    return terminal.document(inertJson({ ...state, ...rowStates }));
  }
  for (const line of describeInFull(state, place.options)) terminal.result(line);
  if (!asksForRows) return;
  const missing = new Set(options.row);
  terminal.result('');
  for await (const row of rowsAsked(place, state, options)) {
    missing.delete(row.row);
    terminal.result(describeRow(row));
  }
  for (const row of missing) terminal.result(`row ${row}: ${whyMissing(state)}`);
}

async function* rowsAsked(place: Place, { jobId }: JobState, { row, rows }: StatusOptions): AsyncGenerator<JobRow> {
  const last = Math.max(...row);
  for await (const found of jobRows(place.store, jobId)) {
    if (!rows && found.row > last) return;
    if (rows || row.includes(found.row)) yield found;
  }
}

function whyMissing({ phase, error }: JobState): string {
  if (phase === 'waiting' || phase === 'reading') return 'not judged yet; the file is still to be read as a whole';
  if (error !== undefined) return 'not judged; the error above is about the whole job';
  return 'there is no such row among those of this job, or its records are deleted by now; results.csv has them all';
}
