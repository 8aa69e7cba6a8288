/**
 * Known-bad variants of what only shows from night to night where something goes wrong, or where people decide.
 */
import type { PlantedBug } from './plantedBugs.ts';

export const drawnWeekBugs: readonly PlantedBug[] = [
  {
    name: 'the last run counts, whatever became of it',
    caughtBy: 'night_after_night',
    kinds: ['rejected'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: "last !== undefined && ended?.state === 'completed'",
        to: 'last !== undefined && ended !== undefined',
      },
    ],
  },
  {
    name: 'a run that was cancelled counts as completed',
    caughtBy: 'night_after_night',
    kinds: ['cancelled', 'rejected'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: "last !== undefined && ended?.state === 'completed'",
        to: "last !== undefined && (ended?.state === 'completed' || ended?.state === 'cancelled')",
      },
    ],
  },
  {
    name: 'two runs may take the same place',
    firstSeed: 190,
    caughtBy: 'makes_way',
    kinds: ['roster_run', 'store_slow', 'message_late'],
    changes: [
      {
        file: 'ledger/rosterRun.ts',
        from: "({ kind: 'if_match', etag } as const)",
        to: "({ kind: 'always' } as const)",
      },
    ],
  },
  {
    name: 'a dry run takes the place of a run',
    caughtBy: 'right_beginning',
    kinds: ['dry_run'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'if (job.settings.dryRun) return',
        to: "if (job.settings.dryRun && roster.name === '') return",
      },
    ],
  },
  {
    name: 'a dry run leaves word of open invitations',
    caughtBy: 'night_after_night',
    kinds: ['dry_run'],
    changes: [
      { file: 'ingest/reconcile.ts', from: 'if (!job.settings.dryRun) await writeOpen', to: 'await writeOpen' },
    ],
  },
  {
    name: 'a run that comes days late finds its file as fresh as it was',
    firstSeed: 30,
    caughtBy: 'right_beginning',
    kinds: ['dead_letter', 'store_error_before_effect'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'faultOfUpload(job, roster, ports.clock.now())',
        to: 'faultOfUpload(job, roster, roster.scheduledAtMs)',
      },
    ],
  },
  {
    name: 'a run begins after a later one',
    caughtBy: 'right_beginning',
    kinds: ['roster_run', 'roster_message_twice', 'message_late', 'dead_letter'],
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'if (last !== undefined && last.jobId > job.jobId) return { fault: late(roster, last) };',
        to: '',
      },
    ],
  },
  {
    name: 'what is sent again after an approval counts from the beginning of the run',
    caughtBy: 'night_after_night',
    kinds: ['approved'],
    changes: [
      {
        file: 'report/report.ts',
        from: '{ jobId, settings, roster }: Job',
        to: '{ jobId, settings, roster, startedAtMs }: Job',
      },
      { file: 'report/report.ts', from: 'tables.resentTo, clock.now())', to: 'tables.resentTo, startedAtMs)' },
    ],
  },
  {
    name: 'what may have been sent again is forgotten',
    firstSeed: 560,
    caughtBy: 'emails_49_hours_apart',
    kinds: ['api_silent_with_effect', 'cancelled', 'key_revoked'],
    changes: [
      {
        file: 'worker/rowCaller.ts',
        from: "if (answer.kind === 'refused' || answer.kind === 'key_refused') await withdraw();",
        to: "if (answer.kind !== 'resent') await withdraw();",
      },
    ],
  },
  {
    name: 'the note of a resending that was refused stays',
    firstSeed: 155,
    caughtBy: 'night_after_night',
    kinds: ['api_refuses'],
    changes: [
      {
        file: 'worker/rowCaller.ts',
        from: "if (answer.kind === 'refused' || answer.kind === 'key_refused') await withdraw();",
        to: '',
      },
    ],
  },
  {
    name: 'a second look at the directory takes the place of the first one in the drift',
    caughtBy: 'night_after_night',
    kinds: ['killed_before_operation', 'message_visible_too_soon', 'store_error_before_effect'],
    changes: [
      { file: 'ingest/takeSnapshot.ts', from: 'if (earlier !== undefined) return earlier;', to: '' },
      { file: 'ledger/directory.ts', from: '  return earlier;\n}', to: '  return directory;\n}' },
      { file: 'ledger/drift.ts', from: "{ kind: 'if_absent' }", to: "{ kind: 'always' }" },
    ],
  },
  {
    name: 'a copy of ingest that comes late takes back what was noted of resendings',
    firstSeed: 105,
    caughtBy: 'night_after_night',
    kinds: ['frozen', 'message_visible_too_soon'],
    changes: [
      { file: 'ledger/openInvitations.ts', from: 'stored.value.jobId < jobId', to: 'stored.value.jobId <= jobId' },
    ],
  },
  {
    name: 'a chunk of a run that nobody released is claimed before it is settled',
    firstSeed: 20,
    caughtBy: 'night_after_night',
    kinds: ['killed_after_operation', 'rejected', 'killed_before_operation'],
    changes: [
      {
        file: 'worker/work.ts',
        from: "if (stop !== undefined && found.state.kind === 'waiting')",
        to: 'if (found.chunk < 0 && stop !== undefined)',
      },
    ],
  },
  {
    name: 'a copy of ingest that stood still takes what its run has done for a defect',
    firstSeed: 240,
    caughtBy: 'no_defect',
    kinds: ['frozen', 'message_visible_too_soon'],
    changes: [{ file: 'ingest/ingest.ts', from: 'if (earlier === undefined) throw error;', to: 'throw error;' }],
  },
  {
    name: 'an invitation of our own that has expired since is that of somebody else',
    firstSeed: 3860,
    caughtBy: 'invited_exactly',
    changes: [
      { file: 'core/rowProgress.ts', from: "['invited', 'active', 'expired', '']", to: "['invited', 'active', '']" },
    ],
  },
];
