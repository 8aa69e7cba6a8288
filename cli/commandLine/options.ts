/**
 * Options that several commands have.
 */
import { type Command, Option } from 'commander';
import { holdLimits, selfStopLimits } from '../../lambdas/core/limits.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import { defaultDataFolder } from '../place/localPlace.ts';
import { domain, httpUrl, mapping, notEmpty, number, percent, wholeNumber } from './parse.ts';

export interface DeliveryOptions {
  readonly out?: string;
  readonly json: boolean;
}

export interface TargetOptions {
  readonly apiUrl?: string;
  readonly tenant?: string;
  readonly role?: string;
  readonly organization?: string;
  readonly allowDomain?: readonly string[];
  readonly inviteGone?: boolean;
  readonly maxNew?: number;
  readonly maxRejected?: number;
}

export function withReadingOptions(command: Command): Command {
  return command
    .option('--map <field=header>', 'the column for a field, such as email="Work Email"; may be repeated', mapping, {})
    .option('--allow-domain <domain>', 'addresses of other domains are invalid; may be repeated', domain, [])
    .option('--invite-gone', 'invite also people whose row says that they have left or are disabled', false);
}

/** Where invitations go. @param when Put in front of the descriptions. */
export function withTargetOptions(command: Command, when = ''): Command {
  return command
    .option(
      '--api-url <url>',
      `${when}a real or other API instead of the sandbox; the key comes from DCI_API_KEY`,
      httpUrl,
    )
    .option('--tenant <id>', `${when}sent as X-Tenant-Id, for a key that reaches several customers`);
}

export function withDefaultOptions(command: Command, when = ''): Command {
  return command
    .option('--role <name or id>', `${when}role for rows that name none`, notEmpty)
    .option('--organization <name or id>', `${when}organization for rows that name none`, notEmpty);
}

/** What ends a job that goes wrong. @param when Put in front of the description. */
export function withSelfStop(command: Command, when = ''): Command {
  return command.option(
    '--max-rejected <percent>',
    `${when}end the job where more than this share of its last ${selfStopLimits.lastRows} rows is rejected (default: ${selfStopLimits.rejectedShareMax * 100}%; 100%: never)`,
    percent(1, 100),
  );
}

/** As many digits as the metadata of an upload may have. */
export const maxNewMax = 999_999_999;

/** What keeps a wrong file from doing harm. @param usual The limit without the option, for people. */
export function withCaution(command: Command, usual?: string): Command {
  return withMaxNew(withDryRun(command), '', usual);
}

/** @param when Put in front of the description. @param usual The limit without the option, for people. */
export function withMaxNew(command: Command, when = '', usual = `${holdLimits.newPeopleMax}`): Command {
  return command.option(
    '--max-new <count>',
    `${when}hold the job until somebody approves it, where it would send more invitations than this (default: ${usual})`,
    wholeNumber(0, maxNewMax),
  );
}

export function withDryRun(command: Command): Command {
  return command.option('--dry-run', 'everything but the invitations: the report says who would be invited', false);
}

/** Where the command works. */
export function withPlaceOptions(command: Command): Command {
  return command
    .option(
      '--stack <name>',
      'the deployed stack (default: BULK_INVITE_STACK in the environment, or bulk-invite)',
      notEmpty,
    )
    .option('--region <region>', 'of the stack (default: as for the AWS command line)', notEmpty)
    .option('--profile <name>', 'of the AWS credentials (default: as for the AWS command line)', notEmpty)
    .addOption(
      new Option('--local', 'work on a data folder of this machine instead of a deployed stack')
        .default(false)
        .conflicts(['stack', 'region', 'profile']),
    )
    .option('--data <folder>', 'with --local: the data folder (default: .bulk-invite)', notEmpty);
}

export function jobSettings(options: TargetOptions): JobSettings {
  const { apiUrl, tenant, role = '', organization = '', allowDomain = [], inviteGone = false } = options;
  const { maxNew, maxRejected } = options;
  const settings = {
    role,
    organization,
    invitesGone: inviteGone,
    allowedDomains: allowDomain,
    ...(maxNew === undefined ? {} : { newPeopleMax: maxNew }),
    ...(maxRejected === undefined ? {} : { rejectedPercentMax: maxRejected }),
  };
  if (apiUrl === undefined) return settings;
  return { ...settings, api: { url: apiUrl, ...(tenant === undefined ? {} : { tenant }) } };
}

/** How the work is done on this machine. */
export function withWorkOptions(command: Command): Command {
  return command
    .option('--workers <count>', 'worker invocations at once', wholeNumber(1, 16), 2)
    .option('--concurrency <count>', 'API calls at once in each worker', wholeNumber(1, 100), 5)
    .option('--call-timeout <seconds>', 'how long to wait for an answer of the API (default: 30)', number(0.1, 120))
    .addOption(secondsForTests('--retry-delay <seconds>', 'before a row is tried again at first; it doubles'))
    .addOption(secondsForTests('--outage-delay <seconds>', 'away from an API that is down at first; it doubles'));
}

/** Not in the help: people have no reason to hurry an API, and tests cannot wait. */
export function secondsForTests(flags: string, description: string): Option {
  return new Option(flags, description).argParser(number(0.01, 3600)).hideHelp();
}

/** Where the report goes, and what of it is printed. */
export function withDelivery(command: Command): Command {
  return command
    .option('--out <folder>', 'where the report goes (default: reports/<job id> below this folder)')
    .option('--json', 'print the content of summary.json on standard output, and nothing else', false);
}

/** Of a command that runs jobs on this machine. @param content What is in the data folder, for people. */
export function withRunOptions(command: Command, content: string): Command {
  return withDelivery(withDataFolder(command, content)).option(
    '--verbose',
    'print the log of the functions on standard error',
    false,
  );
}

/** Of a command that works on this machine and nowhere else. */
export function withDataFolder(command: Command, content: string): Command {
  return command.option('--data <folder>', content, defaultDataFolder);
}

export function withMachineOutput(command: Command): Command {
  return command.option('--json', 'print it for machines', false);
}

export const exitCodesHelp =
  '\nExit code: 0 every row ended well, 2 some rows need attention, or the job is held or was ended, 1 it could not run, 130 it was interrupted.';
