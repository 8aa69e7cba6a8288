/**
 * How many invitees a chunk holds. It is decided from the upload's size before the file is read, and frozen in the job.
 */
import { chunkLimits } from './limits.ts';

/**
 * @param uploadBytes Size of the upload.
 * @param workers Worker invocations at once.
 * @returns Invitees in each chunk but the last.
 */
export function chunkRowsFor(uploadBytes: number, workers: number): number {
  const rowsMax = uploadBytes / chunkLimits.rowBytesMin;
  const rowsUsual = uploadBytes / chunkLimits.rowBytesUsual;
  const forOneListPage = Math.ceil(rowsMax / chunkLimits.chunksMax);
  const forBusyWorkers = Math.ceil(rowsUsual / (workers * chunkLimits.chunksPerWorker));
  return Math.max(chunkLimits.chunkRowsMin, forOneListPage, Math.min(chunkLimits.chunkRowsUseful, forBusyWorkers));
}
