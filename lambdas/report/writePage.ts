/**
 * `report.html`: the report for people who look rather than read. One file, without scripts or anything from outside.
 */
import { isWorthRetrying, meanings, needsAttention, type Outcome, type Status, statuses } from '../core/outcome.ts';
import { inert } from '../core/quote.ts';
import type { Job } from '../ledger/job.ts';
import type { ReportFileEntry, Summary } from '../ledger/summary.ts';
import type { ObjectStore } from '../ports.ts';
import { writeReportFile } from './reportFile.ts';

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1f24; background: #fff }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0 } th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d8dee4; vertical-align: top }
  td.number { text-align: right; font-variant-numeric: tabular-nums } .attention { color: #b35900; font-weight: 600 }
  .error { border-left: 4px solid #b3261e; padding: .6rem 1rem; background: #fdf0ef } .muted { color: #59636e }
`;

export async function writePage(
  store: ObjectStore,
  job: Job,
  summary: Summary,
  attention: readonly Outcome[],
): Promise<ReportFileEntry> {
  const file = writeReportFile(store, job.source.key, job.jobId, 'report.html', 'text/html; charset=utf-8');
  try {
    file.add(page(summary, attention), 0);
    const { name, sha256 } = await file.close();
    return { name, sha256 };
  } catch (error) {
    await file.abort();
    throw error;
  }
}

function page(summary: Summary, attention: readonly Outcome[]): string {
  const { source, jobId, rows, startedAt, finishedAt, error } = summary;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Invitations from ${asText(source.name)}</title>
<style>${style}</style>
<h1>Invitations from ${asText(source.name)}</h1>
<p>${asText(verdict(summary))}</p>
${error === undefined ? '' : `<p class="error">${asText(error.message)}</p>\n`}<table>
<thead><tr><th>Status<th>Rows<th>Meaning</thead>
<tbody>
${statuses
  .filter((status) => (summary.counts[status] ?? 0) > 0)
  .map((status) => countLine(status, summary))
  .join('\n')}
</tbody>
</table>
${warningList(summary)}${attentionTable(attention)}<p class="muted">Job ${asText(jobId)}, ${rows} rows, from ${asText(startedAt)} to ${asText(finishedAt)}.
Every row is in results.csv; the rows worth another try are in retry.csv.</p>
</html>
`;
}

function verdict({ state, rows, counts }: Summary): string {
  if (state === 'failed') return 'The job ended early.';
  const open = statuses.filter(needsAttention).reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return open === 0 ? `All ${rows} rows ended well.` : `${open} of ${rows} rows need attention.`;
}

function countLine(status: Status, { counts }: Summary): string {
  const className = needsAttention(status) ? ' class="attention"' : '';
  const retry = isWorthRetrying({ status, code: '' })
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
