/**
 * Every bound of the system, with its unit and its reason. A number that limits something stands here and nowhere else.
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** What ingest reads. */
export const uploadLimits = {
  /** A roster of two million people is about this large; a larger file is far more often a mistake. */
  uploadBytesMax: 256 * mebibyte,
  /** The same for its text, once it is unpacked. */
  textBytesMax: 1024 * mebibyte,
  /** The delimiter and the header are found in so much of the beginning. */
  sampleBytes: 256 * kibibyte,
  /** Title lines above a header are fewer. */
  headerLookedForInRecords: 30,
  /** A line of a people export is below 10 KiB; a longer one than this is damage. */
  lineCharactersMax: 256 * kibibyte,
  /** What the report keeps of a line that is too long. */
  longLineKeptCharacters: 1 * kibibyte,
  /** How far the closing quote of a cell is looked for. */
  recordCharactersMax: 64 * kibibyte,
  /** Header names that a message lists before it says how many more there are. */
  namesListedMax: 20,
  /** Characters of a cell that a message quotes. */
  quotedCharactersMax: 60,
  /** RFC 5321, section 4.5.3.1: local part, and the path less its angle brackets. */
  emailLocalPartMax: 64,
  emailMax: 254,
  /** A cell with an address, a name around it and blanks is shorter. */
  emailCellMax: 1000,
  /** RFC 1035, section 2.3.4. */
  domainLabelMax: 63,
} as const;

/** How an upload is cut into chunks. */
export const chunkLimits = {
  /** One LIST page holds 1,000 keys, so a job with fewer chunks is checked for completeness by one call. */
  chunksMax: 900,
  /** Below this, a chunk's own writes cost more than its invitations. */
  chunkRowsMin: 5,
  /** The shortest average row a real export has: an address, a name, a delimiter. */
  rowBytesMin: 24,
  /** A usual row; only a small file's chunk size hangs on it, and only for speed. */
  rowBytesUsual: 60,
  /** More rows than this in a chunk make it no faster, unless there would be too many chunks. */
  chunkRowsUseful: 100,
  /** Chunks for each worker that a small file is cut into, so that the last ones end together. */
  chunksPerWorker: 8,
} as const;

/** How a worker handles one chunk. */
export const workerLimits = {
  /** How soon a worker sees that its time is up, while all its rows wait. */
  tickMs: 1 * second,
  /** How often progress is saved, which is also how often the lease is renewed. */
  saveEveryMs: 5 * second,
  /** How old the look for a stop may be when a call starts: a stop is heeded within 10 s, and this leaves the call a second. */
  stopSeenMs: 9 * second,
  /** What a lease has beyond the time of one call: a late save, a slow store, clocks that differ. */
  leaseMarginMs: 15 * second,
  /** Kept free at the end of an invocation for the last save and the acknowledgement. */
  closingMs: 5 * second,
  /** Tries of one row in one delivery after the first; with the delays below they span about a minute. */
  rowRetriesMax: 5,
  /** The Terraform provider of the same API starts at 2 s and doubles up to 60 s. */
  retryDelayMinMs: 2 * second,
  retryDelayMaxMs: 60 * second,
  /** Calls in a row without a definite answer after which the API counts as down. */
  failuresInARowMax: 10,
  /** Rows whose invitations fail, with none answered in between, after which the API counts as down for invitations. */
  failingRowsMax: 5,
  /** So many pauses show that a few failing rows are themselves to blame, while look-ups work. */
  blameRowsAfterPauses: 2,
  /** After this time, the directory may have changed: its rows are looked up before they are invited. */
  snapshotFreshMs: 4 * hour,
  /** A look-up that found nobody holds for so long. It is longer than a call waits at the slowest pace for its turn. */
  lookUpHoldsMs: 60 * second,
  /** Steps of one row in one try: each is a call, or a turn that was given back because a look-up no longer held. */
  stepsPerTryMax: 9,
  /** Answers 429 in a row after which a chunk steps aside instead of holding on. */
  slowDownsInARowMax: 8,
  /** Answers 403 in a row that say the key may not invite at all. */
  forbiddenInARowMax: 10,
  /** Deliveries that ended in a crash without one new outcome, after which a chunk is given up. */
  crashesWithoutProgressMax: 5,
  /** The API's edge answers 524 after about 120 s: until then a call without an answer may still take effect. */
  lateEffectMs: 150 * second,
} as const;

/** How two jobs that may invite the same people at the same time learn of each other. */
export const overlapLimits = {
  /** How old a look at the other jobs may be when a call starts. */
  seenMs: 10 * second,
  /** A job that finds others at work invites nobody for so long, until all their workers have seen it: more than `seenMs`. */
  quietMs: 12 * second,
  /** How long the note of a beginning may be on its way to the bucket, and by how much clocks may differ, together. */
  noteMs: 5 * minute,
  /** No job is older: a message lives for 14 days, and its dead letter for no longer. */
  lookBackMs: 15 * 24 * hour,
} as const;

/** What an unattended job may do without being asked, where nothing else is set for its stack or its roster. */
export const holdLimits = {
  /** More new people than this are a whole company: somebody should have meant it. */
  newPeopleMax: 10_000,
  /**
   * A nightly run meets the joiners of a day: more than this, and more than this share of the users, is an accident. The share of a
   * small organization would be a handful, so the number stays whatever share is set; a number that is set replaces both.
   */
  rosterNewPeopleMin: 200,
  rosterNewPeopleShare: 0.2,
  /** A roster with fewer rows than this share of the last run's was cut off on its way. */
  rosterRowsShareMin: 0.5,
  /** A roster with more invalid rows than this share of all has changed its form. */
  rosterInvalidShareMax: 0.2,
  /**
   * So long a job may wait for its approval. Its records have to be there for as long as its messages may then live, and who
   * is a user was read when it was held.
   */
  approvableMs: 7 * day,
} as const;

/** When a job that is under way shows that all of it is wrong. */
export const selfStopLimits = {
  /** So many of the last rows are looked at; of fewer nothing is concluded. */
  lastRows: 50,
  /** More rejected rows among them than this share stop the job, unless another share is set. */
  rejectedShareMax: 0.5,
  /** Jobs whose last rows one process remembers. */
  jobsMax: 20,
} as const;

/** Rosters, and what is remembered from run to run. */
export const rosterLimits = {
  nameCharactersMax: 40,
  /** A roster that was not refreshed for longer is not run, unless another time is set. */
  staleAfterMs: 7 * day,
  /** An invitation expires after so long; one that is open for longer is drift, unless another time is set. */
  invitationLivesMs: 48 * hour,
  /** The invitation of one person is sent again no more often, whoever asks: 48 hours, and an hour for a call that is on its way. */
  resendEveryMs: 49 * hour,
  /** A run that has not ended by then never will: no message lives for longer. */
  runMs: 15 * day,
  /** Tries of writing which run came last, or how it ended, against another process that does the same. */
  runTriesMax: 5,
  openInvitationsBytesMax: 64 * mebibyte,
} as const;

/** How long a worker stays away from an API that is down. */
export const outageLimits = {
  firstDelayMs: 30 * second,
  delayMaxMs: 15 * minute,
  giveUpMs: 6 * hour,
} as const;

/** How long one invocation may take: all that Lambda allows where a whole file is read or written. */
export const functionLimits = {
  ingest: { timeLimitMs: 15 * minute },
  /** Short, so that a worker that was cut off is missed soon. */
  worker: { timeLimitMs: 5 * minute },
  report: { timeLimitMs: 15 * minute },
} as const;

export type FunctionName = keyof typeof functionLimits;

/** AWS advises to hide a message for at least six times as long as the function that handles it may take. */
const visibilityFactor = 6;

/**
 * How long a received message stays hidden, and how often it may be received before it is a dead letter. A chunk is also
 * delivered again when a worker pauses or waits for an API that is down, so its queue allows many.
 */
export const queueLimits = {
  uploads: { visibilityMs: visibilityFactor * functionLimits.ingest.timeLimitMs, receivesMax: 50 },
  chunks: { visibilityMs: visibilityFactor * functionLimits.worker.timeLimitMs, receivesMax: 100 },
  reports: { visibilityMs: visibilityFactor * functionLimits.report.timeLimitMs, receivesMax: 10 },
} as const;

export type QueueName = keyof typeof queueLimits;

/** A dead letter keeps the time at which it was first sent, so its queue must keep it for longer. */
export const retentionLimits = {
  /** Two million people at five calls a second take almost five days. */
  messageMs: 10 * day,
  /** The longest that SQS allows. */
  deadLetterMs: 14 * day,
} as const;

/** Redelivery of a message whose handling failed for a reason of ours (the bucket, a queue). */
export const redeliveryLimits = {
  firstDelayMs: 5 * second,
  delayMaxMs: 15 * minute,
  /** A message is never made visible in less: 0 is indistinguishable from an acknowledgement in some servers. */
  hiddenSecondsMin: 1,
  /** A batch of SQS holds ten messages; it may fail in part, and what failed is sent again this often. */
  batchMessagesMax: 10,
  batchTriesMax: 4,
  /** SQS allows 12 hours in all from the first receive. */
  hiddenSecondsMax: 15 * 60,
} as const;

/** The DoiT API client. */
export const apiLimits = {
  callTimeoutMs: 30 * second,
  /** The list of all users comes in one answer without pages: it may take so many times as long as another call. */
  listTimeoutFactor: 4,
  answerBytesMax: 64 * kibibyte,
  listBytesMax: 256 * mebibyte,
  /** Characters of the API's own message that the report quotes. */
  quotedMessageMax: 300,
  retryAfterMinMs: 2 * second,
  retryAfterMaxMs: 60 * second,
} as const;

/** The API key, where it is kept in a secret. */
export const apiKeyLimits = {
  /** After this time the secret is read again, beside the calls: so long may a new key go unnoticed while the old one works. */
  refreshAfterMs: 15 * minute,
  /** A refresh that failed is tried again no sooner. */
  retryAfterMs: 1 * minute,
  /** One try of reading the secret; the SDK makes three. */
  readTimeoutMs: 3 * second,
} as const;

/** What is gathered before it is written. */
export const writeLimits = {
  /** Text of a part or a report file. */
  gatheredCharacters: 64 * kibibyte,
  /** Users of a directory snapshot that are turned into text together. */
  usersAtOnce: 1000,
  /** Lines of a report whose upload is gone. */
  linesAtOnce: 1000,
  /** The smallest part of a multipart upload that S3 takes, and so the memory that a writer holds. */
  uploadPartBytes: 5 * mebibyte,
  /** Rows that the report for people shows in full. */
  attentionRowsMax: 200,
} as const;

/** Objects in the bucket. */
export const ledgerLimits = {
  /** S3 User Guide, "Naming Amazon S3 objects". */
  keyBytesMax: 1024,
  /** What is read whole. */
  recordBytesMax: 64 * mebibyte,
  mappingBytesMax: 64 * kibibyte,
  directoryBytesMax: 512 * mebibyte,
  /** A line of a part: an outcome with a header as long as a record, and the longest user id, both escaped. */
  lineCharactersMax: 1 * mebibyte,
} as const;
