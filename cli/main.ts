/**
 * The command line: `bulk-invite <command>`.
 */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import type { Mapping } from '../lambdas/core/columns.ts';
import { type CheckOptions, check } from './commands/check.ts';
import { type LocalOptions, local } from './commands/local.ts';
import { sandbox } from './commands/sandbox.ts';
import { exitCodes } from './describeSummary.ts';
import { DataFolderInUse } from './local/dataFolder.ts';
import { addToMapping } from './mapping.ts';
import type { Faults } from './sandbox/faults.ts';
import { openTerminal } from './terminal.ts';
import { UserError } from './userError.ts';

type FaultOptions = { readonly [name in 'latency' | 'rateLimit' | 'errorBefore' | 'errorAfter' | 'hang']: number } & {
  readonly seed?: number;
};

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')));

const program = new Command('bulk-invite')
  .description(
    'Invites everyone in a CSV who is not yet a user of a DoiT organization, once, and reports on every row.',
  )
  .version(version)
  .showHelpAfterError('(--help lists what there is)');

withReadingOptions(
  program
    .command('check')
    .description('say all that can be said of a file without an account and without sending anything')
    .argument('<file>', 'CSV file with the people to invite')
    .option('--json', 'print it for machines', false),
)
  .addHelpText('after', '\nExit code: 0 no problems, 2 some rows have problems, 1 the file cannot be used.')
  .action(async (file: string, options: CheckOptions) => {
    process.exitCode = await check(file, options);
  });

withFaultOptions(
  withReadingOptions(program.command('local'))
    .description('run a job on this machine: with no account in the sandbox, or with --api-url for real')
    .argument('<file>', 'CSV file with the people to invite')
    .option('--api-url <url>', 'a real or other API instead of the sandbox; the key comes from DCI_API_KEY', httpUrl)
    .option('--tenant <id>', 'sent as X-Tenant-Id, for a key that reaches several customers')
    .option('--out <folder>', 'where the report goes (default: reports/<job id> below this folder)')
    .option(
      '--data <folder>',
      'state of the embedded services; the same command continues a job from it',
      '.bulk-invite',
    )
    .option('--workers <count>', 'worker invocations at once', wholeNumber(1, 16), 2)
    .option('--concurrency <count>', 'API calls at once in each worker', wholeNumber(1, 100), 5)
    .option('--role <name or id>', 'role for rows that name none', notEmpty)
    .option('--organization <name or id>', 'organization for rows that name none', notEmpty)
    .option('--call-timeout <seconds>', 'how long to wait for an answer of the API (default: 30)', number(0.1, 120))
    .addOption(secondsForTests('--retry-delay <seconds>', 'before a row is tried again at first; it doubles'))
    .addOption(secondsForTests('--outage-delay <seconds>', 'away from an API that is down at first; it doubles'))
    .option('--json', 'print the content of summary.json on standard output, and nothing else', false)
    .option('--verbose', 'print the log of the functions on standard error', false),
)
  .addHelpText(
    'after',
    '\nExit code: 0 every row ended well, 2 some rows need attention, 1 it could not run, 130 it was interrupted.',
  )
  .action(async (file: string, options: Omit<LocalOptions, 'faults'> & FaultOptions) => {
    const faults = faultsOf(options);
    if (options.apiUrl !== undefined && Object.values(faults).some((value) => value > 0)) {
      throw new UserError(
        '--latency, --rate-limit, --error-before, --error-after and --hang are for the sandbox; leave them out with --api-url.',
      );
    }
    process.exitCode = await local(file, { ...options, faults });
  });

withFaultOptions(
  program
    .command('sandbox')
    .description('run the sandbox DoiT API as a server of its own, on the loopback address')
    .option('--port <port>', 'port to listen at', wholeNumber(0, 65_535), 8750)
    .option('--data <folder>', 'where its organization is kept', '.bulk-invite')
    .option('--key <key>', 'the one API key that is accepted (default: any)')
    .option('--tenant <id>', 'expect this X-Tenant-Id with every call'),
).action(async (options: { port: number; data: string; key?: string; tenant?: string } & FaultOptions) => {
  process.exitCode = await sandbox({ ...options, faults: faultsOf(options) });
});

try {
  await program.parseAsync();
} catch (error) {
  const isForPeople = error instanceof UserError || error instanceof DataFolderInUse || isSystemError(error);
  for (const line of isForPeople ? [error.message] : describeDefect(error)) openTerminal().say(line);
  process.exitCode = exitCodes.couldNotRun;
}

function withReadingOptions(command: Command): Command {
  return command
    .option('--map <field=header>', 'the column for a field, such as email="Work Email"; may be repeated', mapping, {})
    .option('--allow-domain <domain>', 'addresses of other domains are invalid; may be repeated', domain, [])
    .option('--invite-gone', 'invite also people whose row says that they have left or are disabled', false);
}

function mapping(text: string, chosen: Mapping): Mapping {
  try {
    return addToMapping(text, chosen);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function domain(text: string, chosen: readonly string[]): readonly string[] {
  const domain = text.trim().toLowerCase().replace(/^@/u, '');
  if (/^[^\s@,*]+\.[^\s@,*]+$/u.test(domain)) return [...chosen, domain];
  throw new InvalidArgumentError('It must be a domain such as acme.com; sub-domains are named one by one.');
}

function withFaultOptions(command: Command): Command {
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

/** Not in the help: people have no reason to hurry an API, and tests cannot wait. */
function secondsForTests(flags: string, description: string): Option {
  return new Option(flags, description).argParser(number(0.01, 3600)).hideHelp();
}

function faultsOf({ latency, rateLimit, errorBefore, errorAfter, hang, seed }: FaultOptions): Faults {
  return {
    latencyMs: latency,
    rateLimitPerSecond: rateLimit,
    errorBefore,
    errorAfter,
    hang,
    ...(seed === undefined ? {} : { seed }),
  };
}

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/u.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function httpUrl(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol === 'http:' && !isLoopback(parsed.hostname)) {
    throw new InvalidArgumentError('The key and the people would travel readable for everyone; use https.');
  }
  if (parsed?.protocol === 'https:' || parsed?.protocol === 'http:') return text.replace(/\/+$/u, '');
  throw new InvalidArgumentError('It must be an address such as https://api.doit.com.');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/u.test(hostname);
}

function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It must not be empty; leave the option out instead.');
}

/** What the operating system refused: the person can mend it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const codes = ['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOSPC', 'EROFS', 'EMFILE'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function describeDefect(error: unknown): string[] {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    'bulk-invite ended because of a defect. What was settled is kept, and the same command continues. Please report this:',
    ...trace.split('\n'),
  ];
}
