/**
 * Opens the place that the options of a command mean.
 */
import { BrokenInvariant } from '../../lambdas/core/fault.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { networkError } from '../networkErrors.ts';
import { noFaults } from '../sandbox/faults.ts';
import type { Terminal } from '../terminal.ts';
import { UserError } from '../userError.ts';
import { openDeployedPlace } from './deployedPlace.ts';
import { defaultDataFolder, openLocalPlace } from './localPlace.ts';
import type { Place } from './place.ts';

export interface PlaceOptions {
  readonly stack?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly local: boolean;
  readonly data?: string;
}

export interface LocalWishes {
  /** Whether a data folder is made where there is none. Not, unless it is said. */
  readonly isMade?: boolean;
  /** What new jobs are started with. */
  readonly settings?: JobSettings;
  /** What a job is worked on with that came by a link. */
  readonly settingsForLinks?: JobSettings;
  /** Whether unfinished jobs of other files may go on, too. */
  readonly welcomesNeighbours?: boolean;
}

const noSettings: JobSettings = { role: '', organization: '', invitesGone: false, allowedDomains: [] };

/** As many as `local` has without its options. */
const work = { workers: 2, concurrency: 5, faults: noFaults };

/** @throws UserError where it cannot be opened. */
export async function withPlace<T>(
  options: PlaceOptions,
  terminal: Terminal,
  use: (place: Place) => Promise<T>,
  { isMade = false, settings = noSettings, settingsForLinks, welcomesNeighbours = true }: LocalWishes = {},
): Promise<T> {
  if (!options.local && options.data !== undefined)
    throw new UserError(
      '--data names a folder of this machine, and without --local the command asks a deployed stack. Add --local.',
    );
  const place = options.local
    ? await openLocalPlace(
        {
          dataFolder: options.data ?? defaultDataFolder,
          isMade,
          settings,
          ...(settingsForLinks === undefined ? {} : { settingsForLinks }),
          welcomesNeighbours,
          work,
          isVerbose: false,
        },
        terminal,
      )
    : await openDeployedPlace(options);
  try {
    return await use(place);
  } catch (error) {
    const broken = options.local ? undefined : networkError(error);
    if (broken !== undefined)
      throw new UserError(`The connection to ${place.name} broke off (${broken}). Run the command again.`, {
        cause: error,
      });
    if (!(error instanceof BrokenInvariant)) throw error;
    throw new UserError(
      `Something in ${place.name} cannot be understood: ${error.message} It was changed, or written by another version of bulk-invite; use that version.`,
      { cause: error },
    );
  } finally {
    await place.close();
  }
}
