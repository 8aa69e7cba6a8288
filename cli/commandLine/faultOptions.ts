/**
 * Options that let the sandbox misbehave.
 */
import { type Command, Option } from 'commander';
import type { Faults } from '../sandbox/faults.ts';
import { UserError } from '../userError.ts';
import { number, wholeNumber } from './parse.ts';

export type FaultOptions = {
  readonly [name in 'latency' | 'rateLimit' | 'errorBefore' | 'errorAfter' | 'hang']: number;
} & { readonly seed?: number };

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
export function sandboxFaultsOf(options: FaultOptions & { readonly apiUrl?: string }): Faults {
  const faults = faultsOf(options);
  if (options.apiUrl === undefined || !Object.values(faults).some((value) => value > 0)) return faults;
  throw new UserError(
    '--latency, --rate-limit, --error-before, --error-after and --hang are for the sandbox; leave them out with --api-url.',
  );
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
