/**
 * The names of our metrics: the functions publish under them, the dashboard and the alarms look for them.
 */

/** Each deployed stack has a namespace of its own. */
export function metricsNamespace(stackName: string): string {
  return `BulkInvite/${stackName}`;
}

/** The value of the dimension `service`, which every metric has. */
export const metricsService = 'bulk-invite';

/** What is counted, and by what. */
export const counts = {
  /** Rows that were settled, by status; as they are settled, not only when a job ends. */
  Rows: 'status',
  /** Jobs that were started, and what became of them: `started`, `held`, `completed`, `cancelled` or `failed`. */
  Jobs: 'state',
  /** Jobs that failed, by the code of the fault or of the stop. */
  JobsFailed: 'code',
  /** Messages whose handling threw, by the name of the function; each of them comes again. */
  MessagesFailed: 'function',
  /** Messages that were put aside because of something outside, by what it was: `api_down`. Each of them comes again, too. */
  MessagesPutAside: 'reason',
} as const;

export type CountName = keyof typeof counts;

/** How long calls to the API took. Its number of samples is the number of calls. */
export const apiCallTime = { name: 'ApiCallMs', dimensions: ['operation', 'answer'] } as const;
