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

export function writeReportFile(
  store: ObjectStore,
  uploadKey: string,
  jobId: JobId,
  name: ReportFile,
  contentType: string,
  encode: (text: string) => string | Uint8Array = (text) => text,
): ReportFileWriter {
  // Written over where it is there: without a summary beside it, it is what a crashed report left.
  const writer = store.writer(reportKey(uploadKey, jobId, name), contentType, { kind: 'always' });
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
