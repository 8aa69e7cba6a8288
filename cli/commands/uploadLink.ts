/**
 * `bulk-invite upload-link`: lets somebody without access to AWS upload a file, for a while.
 */
import { randomBytes } from 'node:crypto';
import { compactTime } from '../../lambdas/core/compactTime.ts';
import { incomingPrefix } from '../../lambdas/core/keys.ts';
import { inertJson } from '../../lambdas/core/quote.ts';
import { describeMoment } from '../describeMoment.ts';
import { exitCodes } from '../jobs/describeSummary.ts';
import { howToFinish } from '../local/howToFinish.ts';
import { type PlaceOptions, withPlace } from '../place/openPlace.ts';
import type { Place, UploadLink } from '../place/place.ts';
import { openTerminal, type Terminal } from '../terminal.ts';

export interface UploadLinkOptions extends PlaceOptions {
  readonly name: string;
  /** Seconds. */
  readonly expires: number;
  readonly json: boolean;
}

/** @returns The exit code. */
export async function uploadLink(options: UploadLinkOptions): Promise<number> {
  const terminal = openTerminal();
  return await withPlace(
    options,
    terminal,
    async (place) => {
      // A folder of its own, so that the link leads to nobody else's uploads.
      const folder = `links/${compactTime(Date.now())}-${randomBytes(4).toString('hex')}`;
      const key = `${incomingPrefix}${folder}/${options.name}`;
      const link = await place.createLink(key, options.expires);
      const command = `curl --fail-with-body --upload-file "${options.name}" "${link.url}"`;
      const end = new Date(link.endsAtMs).toISOString();
      if (options.json)
        terminal.document(inertJson({ url: link.url, endsAt: end, uploadKey: key, command, notes: link.notes }));
      else for (const line of describeLink(link, command)) terminal.result(line);
      return link.serve === undefined ? exitCodes.allWell : await serve(link.serve, place, terminal);
    },
    { isMade: true },
  );
}

function describeLink({ endsAtMs, notes }: UploadLink, command: string): string[] {
  return [
    `Until ${describeMoment(endsAtMs)}, whoever has this link can upload a file and so have people invited. Hand it on as you would a`,
    'password. Each upload is a job of its own. In the folder of the file:',
    '',
    `  ${command}`,
    '',
    ...notes,
  ];
}

async function serve(wait: NonNullable<UploadLink['serve']>, place: Place, terminal: Terminal): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  terminal.say('Waiting for the file; Ctrl-C ends the link.');
  const job = await wait(stop.signal);
  if (job !== undefined) {
    // Only a link to this machine is waited for.
    terminal.say(`It has come, as job ${job.jobId}. ${howToFinish(job.jobId, undefined, place.options)}`);
    return exitCodes.allWell;
  }
  terminal.say('The link has ended, and no file has come.');
  return stop.signal.aborted ? exitCodes.interrupted : exitCodes.couldNotRun;
}
