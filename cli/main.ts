/**
 * The command line: `bulk-invite <command>`.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { type FaultOptions, faultsOf, sandboxFaultsOf, withFaultOptions } from './commandLine/faultOptions.ts';
import {
  exitCodesHelp,
  jobSettings,
  type TargetOptions,
  withCaution,
  withDataFolder,
  withDefaultOptions,
  withMachineOutput,
  withReadingOptions,
  withRunOptions,
  withSelfStop,
  withTargetOptions,
  withWorkOptions,
} from './commandLine/options.ts';
import { wholeNumber } from './commandLine/parse.ts';
import { addPlaceCommands } from './commandLine/placeCommands.ts';
import { addReconcileCommand } from './commandLine/reconcileCommand.ts';
import { type CheckOptions, check } from './commands/check.ts';
import { type LocalOptions, local } from './commands/local.ts';
import { sandbox } from './commands/sandbox.ts';
import { exitCodes } from './jobs/describeSummary.ts';
import { DataFolderInUse } from './local/dataFolder.ts';
import { openTerminal } from './terminal.ts';
import { UserError } from './userError.ts';

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')));

const program = new Command('bulk-invite')
  .description(
    'Invites everyone in a CSV who is not yet a user of a DoiT organization, once, and reports on every row.',
  )
  .version(version)
  .showHelpAfterError('(--help lists what there is)');

withReadingOptions(withMachineOutput(program.command('check')))
  .description('say all that can be said of a file without an account and without sending anything')
  .argument('<file>', 'CSV file with the people to invite')
  .addHelpText('after', '\nExit code: 0 no problems, 2 some rows have problems, 1 the file cannot be used.')
  .action(async (file: string, options: CheckOptions) => {
    process.exitCode = await check(file, options);
  });

withFaultOptions(
  withRunOptions(
    withSelfStop(
      withWorkOptions(withDefaultOptions(withTargetOptions(withCaution(withReadingOptions(program.command('local')))))),
    ),
    'state of the embedded services; the same command continues a job from it',
  ),
)
  .description('run a job on this machine: with no account in the sandbox, or with --api-url for real')
  .argument('<file>', 'CSV file with the people to invite')
  .addHelpText('after', exitCodesHelp)
  .action(async (file: string, options: Omit<LocalOptions, 'faults' | 'settings'> & TargetOptions & FaultOptions) => {
    const faults = sandboxFaultsOf(options);
    process.exitCode = await local(file, { ...options, settings: jobSettings(options), faults });
  });

withFaultOptions(
  withDataFolder(
    program
      .command('sandbox')
      .description('run the sandbox DoiT API as a server of its own, on the loopback address')
      .option('--port <port>', 'port to listen at', wholeNumber(0, 65_535), 8750),
    'where its organization is kept',
  )
    .option('--key <key>', 'the one API key that is accepted (default: any)')
    .option('--tenant <id>', 'expect this X-Tenant-Id with every call'),
).action(async (options: { port: number; data: string; key?: string; tenant?: string } & FaultOptions) => {
  process.exitCode = await sandbox({ ...options, faults: faultsOf(options) });
});

addReconcileCommand(program);
addPlaceCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  const isForPeople = error instanceof UserError || error instanceof DataFolderInUse || isSystemError(error);
  for (const line of isForPeople ? [error.message] : describeDefect(error)) openTerminal().say(line);
  process.exitCode = exitCodes.couldNotRun;
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
