/**
 * One CSV file of a report while it is written: gathers records, counts them and takes the checksum.
 */
import { createHash } from 'node:crypto';
import type { JobId } from '../core/jobId.ts';
import { type ReportFile, reportKey } from '../core/keys.ts';
import type { ReportFileEntry } from '../ledger/summary.ts';
import type { ObjectStore } from '../ports.ts';

const charactersPerWrite = 64 * 1024;

export interface ReportFileWriter {
  /** @param rows How many rows of the file the text is; 0 for a header. */
  write(text: string, rows: number): Promise<void>;
  close(): Promise<ReportFileEntry>;
  abort(): Promise<void>;
}

export function writeReportFile(
  store: ObjectStore,
  uploadKey: string,
  jobId: JobId,
  name: ReportFile,
  contentType: string,
): ReportFileWriter {
  // Written over where it is there: without a summary beside it, it is what a crashed report left.
  const writer = store.writer(reportKey(uploadKey, jobId, name), contentType, { kind: 'always' });
  const hash = createHash('sha256');
  let waiting = '';
  let rowCount = 0;
  return {
    write: async (text, rows) => {
      waiting += text;
      rowCount += rows;
      if (waiting.length < charactersPerWrite) return;
      await flush();
    },
    close: async () => {
      await flush();
      await writer.close();
      return { name, rows: rowCount, sha256: hash.digest('hex') };
    },
    abort: () => writer.abort(),
  };

  async function flush(): Promise<void> {
    const text = waiting;
    waiting = '';
    hash.update(text);
    await writer.write(text);
  }
}
