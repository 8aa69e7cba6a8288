/**
 * Reads the values of options. What cannot be read is told in a sentence.
 */
import { InvalidArgumentError } from 'commander';
import type { Mapping } from '../../lambdas/core/columns.ts';
import { isRosterName, rosterNameExpected } from '../../lambdas/core/roster.ts';
import { addToMapping } from '../mapping.ts';

export function mapping(text: string, chosen: Mapping): Mapping {
  try {
    return addToMapping(text, chosen);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

export function domain(text: string, chosen: readonly string[]): readonly string[] {
  const domain = text.trim().toLowerCase().replace(/^@/u, '');
  if (/^[^\s@,*]+\.[^\s@,*]+$/u.test(domain)) return [...chosen, domain];
  throw new InvalidArgumentError('It must be a domain such as acme.com; sub-domains are named one by one.');
}

export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/u.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** Gives whole percent. */
export function percent(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = percentIn(text);
    if (value !== undefined && value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      `It must be a percentage such as 50%: a whole number with % behind it, from ${min}% to ${max}%.`,
    );
  };
}

/** How many new people are too many: a number of them, or a share of the users. */
export function newPeopleLimit(
  countMax: number,
): (text: string) => { readonly newPeopleMax: number } | { readonly newPeopleShare: number } {
  return (text) => {
    const share = percentIn(text);
    if (share !== undefined && share <= 100) return { newPeopleShare: share / 100 };
    if (/^\d+$/u.test(text) && Number(text) <= countMax) return { newPeopleMax: Number(text) };
    throw new InvalidArgumentError(
      `It must be a whole number of people from 0 to ${countMax}, or a percentage of the users such as 30%, from 0% to 100%.`,
    );
  };
}

function percentIn(text: string): number | undefined {
  const [, digits] = /^(\d{1,3}) ?%$/u.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export function rowNumber(text: string, chosen: readonly number[] = []): readonly number[] {
  return [...chosen, wholeNumber(1, Number.MAX_SAFE_INTEGER)(text)];
}

const secondsPer: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/** Gives seconds. */
export function duration(minSeconds: number, maxSeconds: number): (text: string) => number {
  return (text) => {
    const [, count = '', unit = ''] = /^(\d+)\s*([mhd])$/u.exec(text.trim()) ?? [];
    const seconds = Number(count) * (secondsPer[unit] ?? Number.NaN);
    if (seconds >= minSeconds && seconds <= maxSeconds) return seconds;
    throw new InvalidArgumentError(
      `It must be a time such as 30m, 12h or 2d, from ${shortest(minSeconds)} to ${maxSeconds / 86_400}d.`,
    );
  };
}

function shortest(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400}d` : `${seconds / 60}m`;
}

export function httpUrl(text: string): string {
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

export function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It must not be empty; leave the option out instead.');
}

/** It becomes a part of keys. */
export function rosterName(text: string): string {
  if (isRosterName(text)) return text;
  throw new InvalidArgumentError(`It must be a name such as acme-people: ${rosterNameExpected}.`);
}

/** It becomes a part of a key, of an address and of a command. */
export function fileName(text: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u.test(text) && text !== 'mapping.json') return text;
  throw new InvalidArgumentError('It must be a file name such as people.csv: letters, digits, blanks, dots, - and _.');
}
