/**
 * What the functions are told of the jobs that they work on: all of them have it in common.
 */
import { z } from 'zod';
import { type NamedApi, targetName } from './target.ts';

export interface JobSettings {
  /** Where invitations go. Absent for the sandbox. */
  readonly api?: NamedApi;
  /** Empty where there is none. */
  readonly role: string;
  readonly organization: string;
  readonly invitesGone: boolean;
  readonly allowedDomains: readonly string[];
  /** More invitations than this hold an upload. Absent for the usual limit. */
  readonly newPeopleMax?: number;
  /** A job stops itself where more of its last rows are rejected, in percent. Absent for the usual limit. */
  readonly rejectedPercentMax?: number;
}

export const settingsSchema = z.object({
  api: z.object({ url: z.string(), tenant: z.string().exactOptional() }).exactOptional(),
  role: z.string(),
  organization: z.string(),
  invitesGone: z.boolean(),
  allowedDomains: z.array(z.string()),
  newPeopleMax: z.int().nonnegative().exactOptional(),
  rejectedPercentMax: z.int().min(1).max(100).exactOptional(),
});

/** Why one job cannot be worked on with what the other was started with, as the end of a sentence. */
export function settingsDifference(started: JobSettings, now: JobSettings): string | undefined {
  const [target, targetNow] = [targetName(started.api), targetName(now.api)];
  if (target !== targetNow) return `it was started for ${target}, not for ${targetNow}`;
  if (started.role !== now.role) return `it was started with ${option('role', started.role)}`;
  if (started.organization !== now.organization)
    return `it was started with ${option('organization', started.organization)}`;
  if (started.newPeopleMax !== now.newPeopleMax)
    return `it was started with ${limit('max-new', started.newPeopleMax, '')}`;
  if (started.rejectedPercentMax !== now.rejectedPercentMax)
    return `it was started with ${limit('max-rejected', started.rejectedPercentMax, '%')}`;
  const reading = ({ invitesGone, allowedDomains }: JobSettings) => JSON.stringify([invitesGone, allowedDomains]);
  return reading(started) === reading(now) ? undefined : otherReading;
}

/** Why nothing may go on with a job of which nobody has said yet where its invitations go, as the end of a sentence. */
export const cameByLink = 'it came by a link, and nobody has said yet where its invitations go';

export const otherReading = 'it was started with other --map, --allow-domain or --invite-gone';

function limit(name: string, value: number | undefined, unit: string): string {
  return value === undefined ? `no --${name}` : `--${name} ${value}${unit}`;
}

function option(name: string, value: string): string {
  return value === '' ? `no --${name}` : `--${name} ${JSON.stringify(value)}`;
}
