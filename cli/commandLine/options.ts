/**
 * Options that several commands have.
 */
import { type Command, Option } from 'commander';
import { holdLimits } from '../../lambdas/core/limits.ts';
import type { JobSettings } from '../local/jobSettings.ts';
import type { Faults } from '../sandbox/faults.ts';
import { UserError } from '../userError.ts';
import { domain, httpUrl, mapping, notEmpty, number, wholeNumber } from './parse.ts';

export interface TargetOptions {
  readonly apiUrl?: string;
  readonly tenant?: string;
  readonly role?: string;
  readonly organization?: string;
  readonly allowDomain?: readonly string[];
  readonly inviteGone?: boolean;
  readonly maxNew?: number;
}

export type FaultOptions = {
  readonly [name in 'latency' | 'rateLimit' | 'errorBefore' | 'errorAfter' | 'hang']: number;
} & { readonly seed?: number };

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

/** What keeps a wrong file from doing harm. @param usual The limit without the option, for people. */
export function withCaution(command: Command, usual = `${holdLimits.newPeopleMax}`): Command {
  return command
    .option('--dry-run', 'everything but the invitations: the report says who would be invited', false)
    .option(
      '--max-new <count>',
      `hold the job until somebody approves it, where it would send more invitations than this (default: ${usual})`,
      wholeNumber(0, maxNewMax),
    );
}

/** As many digits as the metadata of an upload may have. */
const maxNewMax = 999_999_999;

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
  const { apiUrl, tenant, role = '', organization = '', allowDomain = [], inviteGone = false, maxNew } = options;
  const settings = {
    role,
    organization,
    invitesGone: inviteGone,
    allowedDomains: allowDomain,
    ...(maxNew === undefined ? {} : { newPeopleMax: maxNew }),
  };
  if (apiUrl === undefined) return settings;
  return { ...settings, api: { url: apiUrl, ...(tenant === undefined ? {} : { tenant }) } };
}

export function withFaultOptions(command: Command): Command {
  const share = number(0, 1);
  return command
    .addOption(new Option('--latency <ms>', 'sandbox: time until each answer').argParser(number(0, 600_000)).default(0))
    .addOption(
      new Option('--rate-limit <calls>', 'sandbox: calls a second; the others get 429. 0: no limit')
        .argParser(number(0, 100_000))
        .default(0),
    )
    .addOption(
      new Option('--error-before <share>', 'sandbox: share of calls (0 to 1) that fail without effect')
        .argParser(share)
        .default(0),
    )
    .addOption(
      new Option('--error-after <share>', 'sandbox: share of invitations that take effect and then fail')
        .argParser(share)
        .default(0),
    )
    .addOption(
      new Option('--hang <share>', 'sandbox: share of calls that take effect and are never answered')
        .argParser(share)
        .default(0),
    )
    .addOption(
      new Option('--seed <number>', 'sandbox: misbehaves the same way each time').argParser(
        wholeNumber(0, 4_294_967_295),
      ),
    );
}

/** @throws UserError where an API was named that is not the sandbox. */
export function sandboxFaultsOf(options: FaultOptions & TargetOptions): Faults {
  const faults = faultsOf(options);
  if (options.apiUrl === undefined || !Object.values(faults).some((value) => value > 0)) return faults;
  throw new UserError(
    '--latency, --rate-limit, --error-before, --error-after and --hang are for the sandbox; leave them out with --api-url.',
  );
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

export function faultsOf({ latency, rateLimit, errorBefore, errorAfter, hang, seed }: FaultOptions): Faults {
  return {
    latencyMs: latency,
    rateLimitPerSecond: rateLimit,
    errorBefore,
    errorAfter,
    hang,
    ...(seed === undefined ? {} : { seed }),
  };
}
