/**
 * The commands that work on a deployed stack or, with `--local`, on a data folder.
 */
import type { Command } from 'commander';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { holdLimits } from '../../lambdas/core/limits.ts';
import { approve } from '../commands/approve.ts';
import { end } from '../commands/end.ts';
import { report } from '../commands/report.ts';
import { status } from '../commands/status.ts';
import { submit } from '../commands/submit.ts';
import { uploadLink } from '../commands/uploadLink.ts';
import { watch } from '../commands/watch.ts';
import { linkLimits, readingLimits } from '../limits.ts';
import type { PlaceOptions } from '../place/openPlace.ts';
import { UserError } from '../userError.ts';
import {
  type DeliveryOptions,
  exitCodesHelp,
  jobSettings,
  type TargetOptions,
  withCaution,
  withDefaultOptions,
  withDelivery,
  withMachineOutput,
  withMaxNew,
  withPlaceOptions,
  withReadingOptions,
  withSelfStop,
  withTargetOptions,
} from './options.ts';
import { duration, fileName, rowNumber, wholeNumber } from './parse.ts';

type SubmitOptions = PlaceOptions &
  TargetOptions &
  DeliveryOptions & { readonly map: Mapping; readonly dryRun: boolean; readonly wait: boolean };
type DecideOptions = PlaceOptions & DeliveryOptions & { readonly wait: boolean };
type StatusOptions = PlaceOptions & {
  readonly limit: number;
  readonly row?: readonly number[];
  readonly rows: boolean;
  readonly json: boolean;
};
type LinkOptions = PlaceOptions & { readonly name: string; readonly expires: number; readonly json: boolean };

const endCodesHelp =
  '\nExit code: 0 the job ends, or was ended before, 1 it is not what this command is for, 130 it was interrupted.';
const jobArgument = 'id of the job, or its beginning, or latest';
const submitLimit = `${holdLimits.newPeopleMax}; that of a stack can only be lowered`;
const withLocal = 'with --local: ';

export function addPlaceCommands(program: Command): void {
  withDelivery(
    withPlaceOptions(
      withSelfStop(
        withDefaultOptions(
          withTargetOptions(withCaution(withReadingOptions(program.command('submit')), submitLimit), withLocal),
          withLocal,
        ),
        withLocal,
      ),
    ),
  )
    .description('check a file, upload it, follow its job and fetch the report')
    .argument('<file>', 'CSV file with the people to invite')
    .option('--no-wait', 'only upload it')
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: SubmitOptions) => {
      if (!options.local) refuseSettings(options);
      process.exitCode = await submit(file, { ...options, settings: jobSettings(options) });
    });

  withMachineOutput(withPlaceOptions(program.command('status')))
    .description('list the latest jobs, or tell one in detail')
    .argument('[job]', jobArgument)
    .option(
      '--limit <count>',
      'how many jobs are listed',
      wholeNumber(1, readingLimits.jobsListedMax),
      readingLimits.jobsListed,
    )
    .option('--row <number>', 'of one job: tell this row, too; may be repeated', rowNumber)
    .option('--rows', 'of one job: tell every row, too', false)
    .action(async (job: string | undefined, options: StatusOptions) => {
      process.exitCode = await status(job, { ...options, row: options.row ?? [] });
    });

  withDelivery(withLinkOptions(withPlaceOptions(program.command('watch'))))
    .description('follow a job and fetch its report; with --local, this also works on it')
    .argument('<job>', jobArgument)
    .addHelpText('after', exitCodesHelp)
    .action(async (job: string, options: PlaceOptions & TargetOptions & DeliveryOptions) => {
      if (!options.local) refuseSettings(options, options.maxNew);
      process.exitCode = await watch(job, { ...options, settings: jobSettings(options) });
    });

  withDelivery(withPlaceOptions(program.command('report')))
    .description('fetch the report of a job that has ended, or is held, and verify its checksums')
    .argument('<job>', jobArgument)
    .addHelpText('after', exitCodesHelp)
    .action(async (job: string, options: PlaceOptions & DeliveryOptions) => {
      process.exitCode = await report(job, options);
    });

  withDelivery(withPlaceOptions(program.command('approve')))
    .description('show what a job that is held would do, and let it go on')
    .argument('<job>', jobArgument)
    .option('--yes', 'do not ask', false)
    .option('--no-wait', 'only approve it')
    .addHelpText('after', exitCodesHelp)
    .action(async (job: string, options: DecideOptions & { readonly yes: boolean }) => {
      process.exitCode = await approve(job, options);
    });

  withDelivery(withPlaceOptions(program.command('reject')))
    .description('end a job that is held, so that nobody is invited')
    .argument('<job>', jobArgument)
    .option('--no-wait', 'do not wait for its report')
    .addHelpText('after', endCodesHelp)
    .action(async (job: string, options: DecideOptions) => {
      process.exitCode = await end('reject', job, options);
    });

  withDelivery(withPlaceOptions(program.command('cancel')))
    .description('end a job that is under way: no new call is started within 10 seconds, and what was done is reported')
    .argument('<job>', jobArgument)
    .option('--no-wait', 'do not wait for its report')
    .addHelpText('after', endCodesHelp)
    .action(async (job: string, options: DecideOptions) => {
      process.exitCode = await end('cancel', job, options);
    });

  withMachineOutput(withPlaceOptions(program.command('upload-link')))
    .description('make a link with which somebody without access to AWS can upload a file')
    .option('--name <file name>', 'what the upload is called', fileName, 'people.csv')
    .option(
      '--expires <time>',
      'how long the link lasts, such as 30m, 12h or 2d (default: 1h)',
      duration(linkLimits.expirySecondsMin, linkLimits.expirySecondsMax),
      linkLimits.expirySecondsDefault,
    )
    .action(async (options: LinkOptions) => {
      process.exitCode = await uploadLink(options);
    });
}

/** What is said of an upload that came by a link when its job is first watched. */
function withLinkOptions(command: Command): Command {
  const when = `${withLocal}for an upload by link, `;
  return withSelfStop(withMaxNew(withDefaultOptions(withTargetOptions(command, when), when), when), when);
}

/** What a deployed stack does with an upload was said when it was deployed. @param maxNew Where it is not for the upload to lower the limit. */
export function refuseSettings(
  { apiUrl, tenant, role, organization, allowDomain = [], inviteGone = false, maxRejected }: TargetOptions,
  maxNew?: number,
): void {
  const given = Object.entries({
    '--api-url': apiUrl,
    '--tenant': tenant,
    '--role': role,
    '--organization': organization,
    '--allow-domain': allowDomain[0],
    '--invite-gone': inviteGone || undefined,
    '--max-rejected': maxRejected,
    '--max-new': maxNew,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length === 0) return;
  throw new UserError(
    `${given.join(', ')} cannot be chosen for one upload to a deployed stack: it is a setting of the stack (docs/deploy.md). ` +
      'Leave it out, or add --local to work on this machine.',
  );
}
