/**
 * The folder with the state of the embedded services. One process at a time may use it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DataFolder {
  readonly path: string;
  release(): void;
}

export class DataFolderInUse extends Error {
  constructor(path: string) {
    super(
      `Another bulk-invite is running with the data folder ${path}. Wait for it to end, or choose another folder with --data.`,
    );
    this.name = 'DataFolderInUse';
  }
}

/**
 * Takes the folder until it is released or the process ends, however it ends: the lock is the operating system's, held
 * through an open SQLite transaction.
 *
 * @throws DataFolderInUse
 */
export function takeDataFolder(path: string): DataFolder {
  // Names and addresses of people are in it.
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(path, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (error instanceof Error && /locked|busy/iu.test(error.message)) throw new DataFolderInUse(path);
    throw error;
  }
  return { path, release: () => lock.close() };
}
