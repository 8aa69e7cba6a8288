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

/** How somebody decides about a job. */
export const decisionLimits = {
  /** People whom `approve` shows: enough to see whether it is the right file, and no list that scrolls the question away. */
  peopleShown: 5,
  /** A stop does not wait longer until AWS says who wants it: calls go on meanwhile. */
  nameWaitMs: 2 * second,
  /** The schema of an approval takes no longer name of whoever gives it. */
  nameCharactersMax: 500,
} as const;

/** How a command asks the process that works with the same data folder to end a job. */
export const doorLimits = {
  /** How often that process looks. With the 6 seconds in which workers heed a stop, the last call starts within ten. */
  lookEveryMs: 1 * second,
  /** How often the command looks for its answer, and whether the folder is free by now. */
  askEveryMs: second / 4,
  /** How long the command waits for its answer: a busy machine may look late. */
  answerMs: 15 * second,
  /** A request that has been there for longer was given up by whoever wrote it, however that ended. */
  requestMs: minute,
  requestBytesMax: 4096,
} as const;

/** How `reconcile` repeats. */
export const repeatLimits = {
  everySecondsMin: minute / second,
  everySecondsMax: (30 * day) / second,
  /** How long a run waits for a data folder that another command has: somebody may be deciding about a job. */
  folderWaitMs: 10 * minute,
  folderLookEveryMs: 2 * second,
  /** A roster that was not refreshed, and an invitation that is open, are judged by times within these. */
  ageSecondsMin: hour / second,
  ageSecondsMax: (365 * day) / second,
  /** An invitation lives for 48 hours; one that can still be accepted needs no other. */
  resendSecondsMin: (2 * day) / second,
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
