/**
 * What to do about a job that is unfinished, for people.
 */
import type { JobSettings } from './jobSettings.ts';

/**
 * @param settings What it was started for; absent where it came by a link, and nobody has said yet where its invitations go.
 * @param options What a person adds to a command to mean the data folder.
 */
export function howToFinish(jobId: string, settings: JobSettings | undefined, options: string): string {
  const watch = `npx bulk-invite watch ${jobId}${options}`;
  const finish =
    settings === undefined
      ? `To say it and to finish it: ${watch} --api-url https://api.doit.com, or without --api-url for the sandbox`
      : `To finish it: ${watch}`;
  return `${finish}; to end it: npx bulk-invite cancel ${jobId}${options}`;
}
