/**
 * The job titles that the API takes. A title from an HR system is rarely one of them.
 */

/** Source: the `jobTitle` enumeration of the API's `invite-user` operation. */
export const jobTitles = [
  'Data Engineer / Data Analysts',
  'Executive Team',
  'Finance / Accounting',
  'Founder',
  'Legal / Purchasing',
  'Management',
  'Sales / Marketing',
  'Software / Ops Engineer',
] as const;

const bySpelling = new Map(jobTitles.map((title) => [spelling(title), title]));

/** Gives the API's own spelling of a title, or undefined where it has no such title. DoiT's template leaves out blanks. */
export function readJobTitle(cell: string): string | undefined {
  return bySpelling.get(spelling(cell));
}

function spelling(title: string): string {
  return title.toLowerCase().replace(/[^a-z]/gu, '');
}
