/**
 * Every bound of the command itself, with its unit and its reason. Those of the functions stand in `lambdas/core/limits.ts`.
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How a job is followed. */
export const followLimits = {
  /** How often the report is looked for: on this machine a look costs nothing, in a deployed stack it is a request. */
  lookEveryLocallyMs: second / 4,
  lookEveryDeployedMs: 2 * second,
  /** How often the progress is read and shown on a terminal, of a job of this machine: there it replaces what was shown before. */
  showEveryMs: 1 * second,
  /** The same without a terminal, and for a deployed stack, whose workers save every five seconds. */
  sayEveryMs: 5 * second,
  /** Ingest begins within seconds, and reading a file takes less than this unless the API keeps it waiting. */
  slowBeginningMs: 20 * second,
  /** Longer than the longest pause of a worker that waits for the API: after this, somebody should look what is wrong. */
  standstillMs: 20 * minute,
  /** Looks in a row whose connection breaks. They span a minute or more, and a laptop that wakes up has its network back by then. */
  brokenLooksMax: 30,
  /** A message of a queue lives for at most so long, so nothing happens after it. */
  followMs: 14 * day,
} as const;

/** What is read of the bucket in order to tell of jobs. */
export const readingLimits = {
  /** Objects that are read at once. Each chunk is below a megabyte. */
  objectsAtOnce: 16,
  /** Jobs that `status` lists, unless another number is asked for. */
  jobsListed: 10,
  jobsListedMax: 1000,
  /** Jobs that a message lists where an abbreviation fits several. */
  jobsNamedMax: 5,
  /** Problems that `submit` quotes of a file before it uploads it; `check` tells more. */
  problemsQuoted: 5,
} as const;

/** How long an upload link may be used. */
export const linkLimits = {
  expirySecondsMin: minute / second,
  expirySecondsDefault: hour / second,
  /** Source: AWS Signature Version 4, query parameters: seven days. */
  expirySecondsMax: (7 * day) / second,
  /** How often the local host looks whether the upload has come. */
  lookEveryMs: second / 4,
} as const;

/** How AWS is asked. */
export const awsLimits = {
  /** The SDK itself waits for a connection without an end. */
  connectMs: 10 * second,
  /** And for the next byte of an answer. */
  idleMs: minute,
  /** Tries of one request; the SDK waits between them. */
  triesMax: 4,
} as const;
