/**
 * `bulk-invite local FILE`: runs a job on this machine, from the file to the report.
 */
import { resolve } from 'node:path';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { expectFile } from '../expectFile.ts';
import { prepareFolder } from '../jobs/fetchReport.ts';
import { followAndDeliver } from '../jobs/followAndDeliver.ts';
import { type WorkChoices, workOptions } from '../local/attendLocally.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { openLocalPlace } from '../place/localPlace.ts';
import type { Faults } from '../sandbox/faults.ts';
import { openTerminal } from '../terminal.ts';

export interface LocalOptions extends WorkChoices {
  readonly out?: string;
  readonly data: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
  readonly map: Mapping;
  readonly settings: JobSettings;
  readonly faults: Faults;
}

/** @returns The exit code. */
export async function local(file: string, options: LocalOptions): Promise<number> {
  const terminal = openTerminal();
  const path = expectFile(file);
  const { out, data, json, verbose, dryRun, map, settings, faults } = options;
  if (out !== undefined) prepareFolder(resolve(out), path);
  const work = workOptions(options, faults);
  const place = await openLocalPlace(
    { dataFolder: data, isMade: true, settings, welcomesNeighbours: false, work, isVerbose: verbose },
    terminal,
  );
  try {
    const attendance = await place.attend(undefined);
    try {
      const job = await place.submit(path, { mapping: map, dryRun });
      terminal.say(job.sentence);
      const again = 'Stopped. What was settled is kept; run the same command again to continue with the rest.';
      const delivery = { json, file: path, ...(out === undefined ? {} : { out }) };
      return await followAndDeliver(place, job, { ...attendance, stopped: () => again }, delivery, terminal);
    } finally {
      await attendance.close();
    }
  } finally {
    await place.close();
  }
}
