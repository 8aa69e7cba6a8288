/**
 * `report.html`: the report for people who look rather than read. One file, without scripts or anything from outside.
 */
import { type DriftKind, driftKinds, driftMeanings } from '../core/drift.ts';
import { approvableUntilMs } from '../core/hold.ts';
import { isWorthRetrying, meanings, needsAttention, type Outcome, type Status, statuses } from '../core/outcome.ts';
import { inert } from '../core/quote.ts';
import type { ReportFileEntry, Summary } from '../ledger/summary.ts';
import type { ObjectStore } from '../ports.ts';
import { type ReportPlace, writeReportFile } from './reportFile.ts';

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1f24; background: #fff }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0 } th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d8dee4; vertical-align: top }
  td.number { text-align: right; font-variant-numeric: tabular-nums } .attention { color: #b35900; font-weight: 600 }
  .error { border-left: 4px solid #b3261e; padding: .6rem 1rem; background: #fdf0ef } .muted { color: #59636e }
`;

/** @param commandOptions What a person adds to a command to mean this place, with a blank in front. */
export async function writePage(
  store: ObjectStore,
  place: ReportPlace,
  summary: Summary,
  attention: readonly Outcome[],
  commandOptions: string,
): Promise<ReportFileEntry> {
  const file = writeReportFile(store, place, 'report.html', 'text/html; charset=utf-8');
  try {
    file.add(page(summary, attention, commandOptions), 0);
    const { name, sha256 } = await file.close();
    return { name, sha256 };
  } catch (error) {
    await file.abort();
    throw error;
  }
}

function page(summary: Summary, attention: readonly Outcome[], commandOptions: string): string {
  const { source, jobId, rows, startedAt, finishedAt } = summary;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Invitations from ${asText(source.name)}</title>
<style>${style}</style>
<h1>Invitations from ${asText(source.name)}</h1>
<p>${asText(verdict(summary))}</p>
${boxes(summary, commandOptions)}<table>
<thead><tr><th>Status<th>Rows<th>Meaning</thead>
<tbody>
${statuses
  .filter((status) => (summary.counts[status] ?? 0) > 0)
  .map((status) => countLine(status, summary))
  .join('\n')}
</tbody>
</table>
${warningList(summary)}${driftTable(summary)}${attentionTable(attention)}<p class="muted">Job ${asText(jobId)}, ${rows} rows, from ${asText(startedAt)} to ${asText(finishedAt)}.
Every row is in results.csv; the rows worth another try are in retry.csv.</p>
</html>
`;
}

function verdict({ state, dryRun, rows, counts }: Summary): string {
  if (state === 'failed') return 'The job ended early.';
  if (state === 'cancelled') return 'The job was ended before its time.';
  if (state === 'held') return 'The job is held: nobody has been invited, and nobody is until somebody approves it.';
  if (dryRun) return `This was a dry run: nobody was invited. ${counts.would_invite ?? 0} of ${rows} would be.`;
  const open = statuses.filter(needsAttention).reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return open === 0 ? `All ${rows} rows ended well.` : `${open} of ${rows} rows need attention.`;
}

/** What a person should see first. */
function boxes({ error, hold, approval, jobId, state, finishedAt }: Summary, commandOptions: string): string {
  const until = new Date(approvableUntilMs(Date.parse(finishedAt))).toISOString();
  const next = `If that is right: npx bulk-invite approve ${jobId}${commandOptions} (until ${until}). If it is not: npx bulk-invite reject ${jobId}${commandOptions}, and upload a better file.`;
  const held = state === 'held' ? [...(hold ?? []).map(({ message }) => message), next] : [];
  const lines = [...(error === undefined ? [] : [error.message]), ...held];
  const box = lines.map((line) => `<p class="error">${asText(line)}</p>\n`).join('');
  const released =
    approval === undefined ? '' : `<p>Approved by ${asText(approval.by)} at ${asText(approval.at)}.</p>\n`;
  return box + released;
}

function driftTable({ drift = {}, counts: { resent = 0 } }: Summary): string {
  const lines = driftKinds
    .filter((kind) => (drift[kind] ?? 0) > 0)
    .map(
      (kind: DriftKind) =>
        `<tr><td>${kind}<td class="number">${drift[kind]}<td>${asText(`${sentence(driftMeanings[kind])}`)}`,
    );
  if (lines.length === 0) return '';
  return `<h2>How the directory differs from the roster</h2>
<p>${resent > 0 ? 'Of it, only invitations were sent again.' : 'Nothing of it was changed.'} Every person is in drift.csv.</p>
<table>
<thead><tr><th>Difference<th>Users<th>Meaning</thead>
<tbody>
${lines.join('\n')}
</tbody>
</table>
`;
}

/** Of a job whose table of rows to try again is empty, such as one that is held, none is named. */
function countLine(status: Status, { counts, files }: Summary): string {
  const className = needsAttention(status) ? ' class="attention"' : '';
  const hasRetries = files.some(({ name, rows = 0 }) => name === 'retry.csv' && rows > 0);
  const retry =
    hasRetries && isWorthRetrying({ status, code: '' })
      ? ' Also in retry.csv, unless the same file would fail again.'
      : '';
  return `<tr><td${className}>${status}<td class="number">${counts[status]}<td>${asText(`${sentence(meanings[status])}${retry}`)}`;
}

function warningList({ warnings }: Summary): string {
  if (warnings.length === 0) return '';
  return `<h2>To know</h2>\n<ul>\n${warnings.map((warning) => `<li>${asText(warning)}`).join('\n')}\n</ul>\n`;
}

function attentionTable(attention: readonly Outcome[]): string {
  if (attention.length === 0) return '';
  const lines = attention.map(
    ({ row, status, column, message }) =>
      `<tr><td class="number">${row}<td>${status}<td>${asText(column ?? '')}<td>${asText(message ?? '')}`,
  );
  return `<h2>The first rows to look at</h2>
<table>
<thead><tr><th>Row<th>Status<th>Column<th>What happened</thead>
<tbody>
${lines.join('\n')}
</tbody>
</table>
`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** Foreign text as what it is: no markup, and no characters that change the look of what stands beside it. */
function asText(text: string): string {
  return inert(text).replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);
}
