/**
 * One CSV file of a report while it is written: gathers records, counts them and takes the checksum.
 */
import { createHash } from 'node:crypto';
import type { JobId } from '../core/jobId.ts';
import { type ReportFile, reportKey } from '../core/keys.ts';
import { writeLimits } from '../core/limits.ts';
import type { ReportFileEntry } from '../ledger/summary.ts';
import type { ObjectStore } from '../ports.ts';

export interface ReportFileWriter {
  /** @param rows How many rows of the file the text is; 0 for a header. */
  add(text: string, rows: number): void;
  /** Hands on what has been gathered, if it is much. */
  flush(): Promise<void>;
  close(): Promise<ReportFileEntry>;
  abort(): Promise<void>;
}

/** Where a report lies, and of what it is. */
export interface ReportPlace {
  readonly uploadKey: string;
  readonly jobId: JobId;
  /** The job waits for approval. */
  readonly isHeld: boolean;
}

/**
 * Written over where it is there: what a crashed report left, or one of a time when the job was held. One of such a time is
 * never written over anything: the job may have been released and reported meanwhile.
 */
export function writeReportFile(
  store: ObjectStore,
  { uploadKey, jobId, isHeld }: ReportPlace,
  name: ReportFile,
  contentType: string,
  encode: (text: string) => string | Uint8Array = (text) => text,
): ReportFileWriter {
  const condition = { kind: isHeld ? 'if_absent' : 'always' } as const;
  const writer = store.writer(reportKey(uploadKey, jobId, name), contentType, condition);
  const hash = createHash('sha256');
  let waiting = '';
  let rowCount = 0;
  return {
    add: (text, rows) => {
      waiting += text;
      rowCount += rows;
    },
    flush: async () => {
      if (waiting.length >= writeLimits.gatheredCharacters) await handOn();
    },
    close: async () => {
      await handOn();
      await writer.close();
      return { name, rows: rowCount, sha256: hash.digest('hex') };
    },
    abort: () => writer.abort(),
  };

  async function handOn(): Promise<void> {
    const text = waiting;
    waiting = '';
    const content = encode(text);
    hash.update(content);
    await writer.write(content);
  }
}
