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
import { type FaultOptions, sandboxFaultsOf, withFaultOptions } from './faultOptions.ts';
import {
  exitCodesHelp,
  jobSettings,
  maxNewMax,
  secondsForTests,
  type TargetOptions,
  withDefaultOptions,
  withDryRun,
  withReadingOptions,
  withRunOptions,
  withSelfStop,
  withTargetOptions,
  withWorkOptions,
} from './options.ts';
import { duration, newPeopleLimit, percent, rosterName } from './parse.ts';

type Chosen = Omit<ReconcileOptions, 'settings' | 'faults'> &
  Omit<TargetOptions, 'maxNew'> &
  FaultOptions & {
    readonly map: Mapping;
    /** Seconds. */
    readonly every?: number;
    readonly everySeconds?: number;
  };

const { ageSecondsMin, ageSecondsMax, resendSecondsMin, everySecondsMin, everySecondsMax } = repeatLimits;
const age = duration(ageSecondsMin, ageSecondsMax);

export function addReconcileCommand(program: Command): void {
  withFaultOptions(
    withRunOptions(
      withSelfStop(
        withWorkOptions(
          withDefaultOptions(
            withTargetOptions(withLimits(withDryRun(withReadingOptions(program.command('reconcile'))))),
          ),
        ),
      )
        .description(
          'bring a directory up to a roster, on this machine: invite who is missing, and tell how the directory differs',
        )
        .argument('<file>', 'CSV file with everybody who belongs to the organization')
        .option(
          '--name <name>',
          `of the roster (default: from the name of the file); ${rosterNameExpected}`,
          rosterName,
        )
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
        .addOption(secondsForTests('--every-seconds <seconds>', 'the same')),
      'state of the embedded services, and what is remembered from run to run',
    ),
  )
    .addHelpText('after', exitCodesHelp)
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

/** What holds a run. */
function withLimits(command: Command): Command {
  const { rosterNewPeopleMin, rosterNewPeopleShare, rosterRowsShareMin, rosterInvalidShareMax } = holdLimits;
  return command
    .option(
      '--max-new <count or percent>',
      'hold the run until somebody approves it, where it would send more invitations than this, such as 50, or 30% for ' +
        `the larger of ${rosterNewPeopleMin} and 30 % of the users (default: ${rosterNewPeopleShare * 100}%)`,
      newPeopleLimit(maxNewMax),
    )
    .option(
      '--min-rows <percent>',
      `hold it where the file has fewer rows than this share of those of the last completed run (default: ${rosterRowsShareMin * 100}%; 0%: never)`,
      percent(0, 100),
    )
    .option(
      '--max-invalid <percent>',
      `hold it where more than this share of its rows is invalid (default: ${rosterInvalidShareMax * 100}%; 100%: never)`,
      percent(0, 100),
    );
}

function days(ms: number): string {
  return `${ms / 86_400_000}d`;
}
