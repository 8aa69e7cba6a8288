/**
 * A fresh folder and the processes of one measurement. Both are gone when the measurement ends, however it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Workspace {
  readonly folder: string;
  /** Starts this Node with the arguments; standard output and standard error are pipes. */
  start(args: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess;
}

export async function withWorkspace<T>(use: (workspace: Workspace) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-bench-'));
  const running = new Set<ChildProcess>();
  // Reached with a folder only where this process is interrupted or breaks down: nothing can be awaited then.
  const cleanUp = () => {
    for (const child of running) child.kill('SIGKILL');
    removeFolder(folder);
  };
  process.once('exit', cleanUp);
  try {
    return await use({ folder, start: (args, environment) => startNode(args, environment, folder, running) });
  } finally {
    await Promise.all([...running].map(endProcess));
    removeFolder(folder);
    process.off('exit', cleanUp);
  }
}

function startNode(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  folder: string,
  running: Set<ChildProcess>,
): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function endProcess(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A process that was killed just now may still be writing. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
