/**
 * Whether a job has everything that its report needs.
 */

/** What the check looks at; S3 is strongly consistent, so whoever writes last sees all. */
export interface Completion {
  readonly partsExpected: number;
  readonly partsFound: number;
}

export function isComplete({ partsExpected, partsFound }: Completion): boolean {
  return partsFound >= partsExpected;
}
