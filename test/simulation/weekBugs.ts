/**
 * Known-bad variants of what only shows from night to night.
 */
import type { PlantedBug } from './plantedBugs.ts';

interface WeekBug extends PlantedBug {
  /** The night that must differ from what the oracle says, among others. */
  readonly night: string;
}

const caughtBy = 'the week';

export const weekBugs: readonly WeekBug[] = [
  {
    name: 'rows that are not all right count as absent',
    caughtBy,
    night: 'an export with roles that nobody knows',
    changes: [
      {
        file: 'core/drift.ts',
        from: 'for (const person of people) {',
        to: "if (status === 'invalid') return nothing;\n    for (const person of people) {",
      },
    ],
  },
  {
    name: 'a second row of a person who has left counts as staying',
    caughtBy,
    night: 'leavers, changes and a joiner',
    changes: [{ file: 'core/drift.ts', from: 'hasLeft ? -row : row', to: 'row' }],
  },
  {
    name: 'the size of the last run is forgotten',
    caughtBy,
    night: 'an export cut in half',
    changes: [
      {
        file: 'ingest/claimRun.ts',
        from: 'return { lastCompleted: { jobId: last.jobId, rows: ended.rows } };',
        to: 'return {};',
      },
    ],
  },
  {
    name: 'only the report knows that a run has ended',
    caughtBy,
    night: 'a merger',
    changes: [
      {
        file: 'report/report.ts',
        from: 'await noteRunEnded(store, roster.name, jobId, { state, rows });',
        to: '',
      },
    ],
  },
  {
    name: 'open invitations are forgotten from night to night',
    caughtBy,
    night: 'leavers, changes and a joiner',
    changes: [
      {
        file: 'ingest/reconcile.ts',
        from: 'if (!job.settings.dryRun) await writeOpenInvitations(store, roster.name, jobId, finder.openAfterwards());',
        to: '',
      },
    ],
  },
  {
    name: 'an invitation is sent again a day later',
    caughtBy,
    night: 'leavers, changes and a joiner',
    changes: [{ file: 'core/limits.ts', from: 'resendEveryMs: 49 * hour,', to: 'resendEveryMs: 24 * hour,' }],
  },
  {
    name: 'a file that is too old is run',
    caughtBy,
    night: 'no export',
    changes: [
      {
        file: 'core/roster.ts',
        from: 'return nowMs - refreshedAtMs > staleAfterMs;',
        to: 'return nowMs - refreshedAtMs > 2 * staleAfterMs;',
      },
    ],
  },
];
