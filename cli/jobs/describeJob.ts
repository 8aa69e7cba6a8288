/**
 * A job for people: in one line of a list, or in full.
 */
import { incomingPrefix } from '../../lambdas/core/keys.ts';
import { describeMoment } from '../describeMoment.ts';
import { countLines, countsInOneLine } from './describeCounts.ts';
import { decideCommands } from './describeDecision.ts';
import { driftLines } from './describeDrift.ts';
import type { Phase } from './jobOutline.ts';
import type { JobState } from './jobState.ts';

const phases: Readonly<Record<Phase, string>> = {
  waiting: 'the upload is there, and its job has not begun yet',
  reading: 'the file and the directory are being read; nobody is invited before all of it is judged',
  held: 'nobody is invited until somebody approves it',
  lapsed: 'nobody has approved it in time, so nobody is invited; upload the file again',
  inviting: 'workers invite people',
  ending: 'nobody is invited any more; what was not begun is still to be settled',
  reporting: 'all rows are settled, the report is being written',
  completed: 'the report is whole',
  cancelled: 'somebody has ended the job; the report says what was done before',
  failed: 'the job has ended early; the report says why',
};

const phaseWidth = Math.max(...Object.keys(phases).map((phase) => phase.length));

export function describeInList(state: JobState): string {
  const { jobId, phase, uploadKey, rows, settled, counts, error } = state;
  const name = uploadKey.slice(incomingPrefix.length);
  const progress = rows === undefined ? '' : settled === rows ? `${rows} rows` : `${settled} of ${rows} rows settled`;
  const kind = state.dryRun === true ? 'dry run' : '';
  const parts = [name, kind, progress, countsInOneLine(counts), error?.code ?? ''].filter(Boolean);
  return `${jobId}  ${phase.padEnd(phaseWidth)}  ${parts.join(' · ')}`;
}

/** Lines of text. @param options What a person adds to a command to mean the same place. */
export function describeInFull(state: JobState, options: string): string[] {
  const { jobId, phase, uploadKey, rows, settled, chunks, startedAt, finishedAt, warnings } = state;
  const facts: (readonly [label: string, text: string])[] = [
    ['upload', uploadKey],
    ['phase', `${phase}: ${phases[phase]}`],
    ...(startedAt === undefined ? [] : [['began', describeMoment(Date.parse(startedAt))] as const]),
    ...(finishedAt === undefined ? [] : [['ended', describeMoment(Date.parse(finishedAt))] as const]),
    ...(rows === undefined ? [] : [['rows', settled === rows ? `${rows}` : `${rows}, ${settled} settled`] as const]),
    ...(chunks === undefined ? [] : [['chunks', describeChunks(chunks)] as const]),
    ...(state.dryRun === true ? [['dry run', 'nobody was to be invited'] as const] : []),
    ...decisions(state),
    ...obstacles(state),
    ...driftLines(state.drift).map((line) => ['drift', line] as const),
    ...warnings.map((warning) => ['to know', warning] as const),
  ];
  const counts = countLines(state.counts);
  return [
    `Job ${jobId}`,
    ...table(facts),
    ...(counts.length > 0 ? ['', ...counts] : []),
    '',
    ...nextCommands(state, options),
  ];
}

function decisions({ hold = [], approval }: JobState): (readonly [string, string])[] {
  return [
    ...hold.map(({ message }) => ['held', message] as const),
    ...(approval === undefined
      ? []
      : [['approved', `by ${approval.by}, ${describeMoment(Date.parse(approval.at))}`] as const]),
  ];
}

function obstacles({ outageSinceMs, stop, error }: JobState): (readonly [string, string])[] {
  return [
    ...(outageSinceMs === undefined
      ? []
      : [
          [
            'outage',
            `invitations have failed since ${describeMoment(outageSinceMs)}; they are tried again with growing pauses`,
          ] as const,
        ]),
    ...(stop === undefined ? [] : [['stopped', describeStop(stop)] as const]),
    ...(error === undefined
      ? []
      : [['error', `${error.message} (${error.code}${error.by === undefined ? '' : `, by ${error.by}`})`] as const]),
  ];
}

function describeStop({ message, code, atMs, by }: NonNullable<JobState['stop']>): string {
  const details = [code, by === undefined ? '' : `by ${by}`, atMs === undefined ? '' : describeMoment(atMs)];
  return `${message} (${details.filter(Boolean).join(', ')})`;
}

function describeChunks({ expected, settled, running, waiting }: NonNullable<JobState['chunks']>): string {
  return `${expected}: ${settled} settled, ${running} at work, ${waiting} waiting`;
}

function nextCommands({ jobId, phase }: JobState, options: string): string[] {
  switch (phase) {
    case 'lapsed':
    case 'completed':
    case 'cancelled':
    case 'failed':
      return [`To fetch the report: npx bulk-invite report ${jobId}${options}`];
    case 'held':
      return [...decideCommands(jobId, options), `To fetch the report: npx bulk-invite report ${jobId}${options}`];
    case 'waiting':
    case 'reading':
    case 'inviting':
    case 'ending':
    case 'reporting':
      return [`To follow it to its report: npx bulk-invite watch ${jobId}${options}`];
    default:
      return phase satisfies never;
  }
}

function table(facts: readonly (readonly [label: string, text: string])[]): string[] {
  const width = Math.max(...facts.map(([label]) => label.length));
  return facts.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`);
}
