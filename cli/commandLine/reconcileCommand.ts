/**
 * `bulk-invite reconcile FILE` on the command line.
 */
import type { Command } from 'commander';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { holdLimits, rosterLimits } from '../../lambdas/core/limits.ts';
import { rosterNameExpected } from '../../lambdas/core/roster.ts';
import { expectRunnable, type ReconcileOptions, reconcile } from '../commands/reconcile.ts';
import { repeatReconcile } from '../commands/repeatReconcile.ts';
import { repeatLimits } from '../limits.ts';
import {
  type FaultOptions,
  jobSettings,
  sandboxFaultsOf,
  secondsForTests,
  type TargetOptions,
  withCaution,
  withDefaultOptions,
  withFaultOptions,
  withReadingOptions,
  withTargetOptions,
  withWorkOptions,
} from './options.ts';
import { duration, rosterName } from './parse.ts';

type Chosen = Omit<ReconcileOptions, 'settings' | 'faults'> &
  TargetOptions &
  FaultOptions & {
    readonly map: Mapping;
    /** Seconds. */
    readonly every?: number;
    readonly everySeconds?: number;
  };

const { rosterNewPeopleMin, rosterNewPeopleShare } = holdLimits;
const { ageSecondsMin, ageSecondsMax, resendSecondsMin, everySecondsMin, everySecondsMax } = repeatLimits;
const age = duration(ageSecondsMin, ageSecondsMax);

export function addReconcileCommand(program: Command): void {
  withFaultOptions(
    withWorkOptions(
      withDefaultOptions(
        withTargetOptions(
          withCaution(
            withReadingOptions(program.command('reconcile')),
            `the larger of ${rosterNewPeopleMin} and ${rosterNewPeopleShare * 100} % of the users`,
          ),
        ),
      ),
    )
      .description(
        'bring a directory up to a roster, on this machine: invite who is missing, and tell how the directory differs',
      )
      .argument('<file>', 'CSV file with everybody who belongs to the organization')
      .option('--name <name>', `of the roster (default: from the name of the file); ${rosterNameExpected}`, rosterName)
      .option(
        '--stale-after <time>',
        `a file that was not refreshed for longer is not run (default: ${days(rosterLimits.staleAfterMs)})`,
        age,
      )
      .option(
        '--open-after <time>',
        `an invitation that is open for longer is listed (default: ${days(rosterLimits.invitationLivesMs)})`,
        age,
      )
      .option(
        '--resend-pending <time>',
        'send invitations again that have been open for longer, such as 7d (at least 2d; default: none)',
        duration(resendSecondsMin, ageSecondsMax),
      )
      .option(
        '--every <time>',
        'stay, and run again and again, such as 12h or 1d; Ctrl-C ends it',
        duration(everySecondsMin, everySecondsMax),
      )
      .addOption(secondsForTests('--every-seconds <seconds>', 'the same'))
      .option('--out <folder>', 'where the report goes (default: reports/<job id> below this folder)')
      .option(
        '--data <folder>',
        'state of the embedded services, and what is remembered from run to run',
        '.bulk-invite',
      )
      .option('--json', 'print the content of summary.json on standard output, and nothing else', false)
      .option('--verbose', 'print the log of the functions on standard error', false),
  )
    .addHelpText(
      'after',
      '\nExit code: 0 every row ended well, 2 some rows need attention, or the run is held, 1 it could not run, 130 it was interrupted.',
    )
    .action(async (file: string, options: Chosen) => {
      // In a run of a roster, the limit belongs to the run alone.
      const { maxNew: _maxNew, ...common } = options;
      const chosen = { ...options, settings: jobSettings(common), faults: sandboxFaultsOf(options) };
      const everySeconds = options.every ?? options.everySeconds;
      if (everySeconds !== undefined) expectRunnable(file, chosen);
      process.exitCode =
        everySeconds === undefined ? await reconcile(file, chosen) : await repeatReconcile(everySeconds * 1000);
    });
}

function days(ms: number): string {
  return `${ms / 86_400_000}d`;
}
