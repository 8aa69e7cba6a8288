/**
 * Whether a job has everything that its report needs.
 */

/** What the check looks at; S3 is strongly consistent, so whoever writes last sees all. */
export interface Completion {
  /** Undefined while ingest has not ended. */
  readonly partsExpected: number | undefined;
  readonly partsFound: number;
}

export function isComplete({ partsExpected, partsFound }: Completion): boolean {
  return partsExpected !== undefined && partsFound >= partsExpected;
}
