/**
 * What a run of a roster does beside inviting: finds how the directory differs, and whose invitation is to be sent again.
 */
import type { Directory } from '../core/directory.ts';
import { DriftFinder } from '../core/drift.ts';
import type { InviteeRow, JudgeContext, Judgement } from '../core/judge.ts';
import type { TextRecord } from '../core/recordReader.ts';
import { writeDrift } from '../ledger/drift.ts';
import type { Job } from '../ledger/job.ts';
import { readOpenInvitations, writeOpenInvitations } from '../ledger/openInvitations.ts';
import type { IngestPorts } from './ingest.ts';

export interface Reconciliation {
  /** Told of each row. Gives it as one whose invitation is to be sent again, where that is so. */
  see(record: TextRecord, judgement: Judgement): InviteeRow | undefined;
  /** To be called now and then. */
  flush(): Promise<void>;
  /** Writes what was found, when every row has been seen. Gives what a person should know of it. */
  end(): Promise<readonly string[]>;
  abort(): Promise<void>;
}

/** Undefined where the job is no run of a roster. */
export async function reconcile(
  job: Job,
  context: JudgeContext,
  directory: Directory,
  { store }: IngestPorts,
): Promise<Reconciliation | undefined> {
  const { jobId, roster } = job;
  if (roster === undefined) return undefined;
  const opened = await readOpenInvitations(store, roster.name);
  const finder = new DriftFinder(context, directory, roster, opened);
  const drift = writeDrift(store, jobId);
  return {
    see: (record, judgement) => {
      const { differences, resendTo } = finder.see(record, judgement);
      for (const difference of differences) drift.add(difference);
      if (resendTo === undefined) return undefined;
      return { row: record.row, invitee: { email: resendTo.email }, resendTo: resendTo.id };
    },
    flush: () => drift.flush(),
    end: async () => {
      for (const difference of finder.rest()) {
        drift.add(difference);
        await drift.flush();
      }
      await drift.close();
      // A dry run may come between a run and its report.
      if (!job.settings.dryRun) await writeOpenInvitations(store, roster.name, jobId, finder.openAfterwards());
      return finder.unattributed === 0 ? [] : [unattributed(finder.unattributed)];
    },
    abort: () => drift.abort(),
  };
}

function unattributed(count: number): string {
  const rows = count === 1 ? '1 row names' : `${count} rows name`;
  return `${rows} nobody who could be found, so somebody whom drift.csv lists as not_in_roster may be in the roster all the same.`;
}
