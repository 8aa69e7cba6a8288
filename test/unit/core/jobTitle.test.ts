import { describe, expect, test } from 'vitest';
import { jobTitles, readJobTitle } from '../../../lambdas/core/jobTitle.ts';

describe('job titles', () => {
  test.each(jobTitles)('“%s” is one that DoiT knows', (title) => {
    expect(readJobTitle(title)).toBe(title);
  });

  test.each([
    ['Data Engineer/Data Analysts', 'Data Engineer / Data Analysts'],
    ['software/ops engineer', 'Software / Ops Engineer'],
    ['  FOUNDER ', 'Founder'],
    ['Finance & Accounting', 'Finance / Accounting'],
    ['sales-marketing', 'Sales / Marketing'],
  ])('“%s” is read as %s', (cell, title) => {
    expect(readJobTitle(cell)).toBe(title);
  });

  test.each(['', ' ', '/', 'Software Engineer', 'Managemen', 'Chief Founder', '部長'])('“%s” is none', (cell) => {
    expect(readJobTitle(cell)).toBeUndefined();
  });
});
