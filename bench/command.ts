/**
 * Runs the command as a person would: the real one, in a process of its own.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Workspace } from './workspace.ts';

export interface LocalCommand {
  /** `local` where it is absent. */
  readonly name?: 'local' | 'reconcile';
  readonly file: string;
  /** Absent for the sandbox within the process. */
  readonly apiUrl?: string;
  readonly options?: readonly string[];
  /** Whether what AWS would have been asked for is counted, into `countsFile`. */
  readonly isCounted?: boolean;
}

export interface LocalEnd {
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  readonly summary: z.output<typeof summarySchema>;
}

const main = fileURLToPath(import.meta.resolve('../cli/main.ts'));
const peakMemory = import.meta.resolve('./peakMemory.ts');
const countCommand = import.meta.resolve('./countCommand.ts');

/** The parts of `summary.json` that are measured. */
const summarySchema = z.object({
  jobId: z.string(),
  rows: z.number(),
  counts: z.record(z.string(), z.number()),
  apiCalls: z.record(z.string(), z.record(z.string(), z.number())),
});

/** A run that takes longer than this hangs. */
const runMsMax = 15 * 60_000;

export function dataFolder({ folder }: Workspace): string {
  return join(folder, 'data');
}

export function reportFolder({ folder }: Workspace): string {
  return join(folder, 'report');
}

/** Written by a command that is counted, as it ends. */
export function countsFile({ folder }: Workspace): string {
  return join(folder, 'counts');
}

/** Starts the command; the same one again continues its job, or is a new job where that is done. */
export function startLocal(workspace: Workspace, command: LocalCommand): ChildProcess {
  const { name = 'local', file, apiUrl, options = [], isCounted = false } = command;
  const api = apiUrl === undefined ? [] : ['--api-url', apiUrl];
  const folders = ['--data', dataFolder(workspace), '--out', reportFolder(workspace)];
  const imports = ['--import', peakMemory, ...(isCounted ? ['--import', countCommand] : [])];
  return workspace.start([...imports, main, name, file, '--json', ...api, ...folders, ...options], {
    DCI_API_KEY: 'bench',
    PEAK_MEMORY_FILE: peakMemoryFile(workspace),
    COUNTS_FILE: countsFile(workspace),
  });
}

/** Starts the command that ends the only job of the data folder, in which another process works. */
export function startCancel(workspace: Workspace): ChildProcess {
  return workspace.start([main, 'cancel', 'latest', '--local', '--data', dataFolder(workspace)], {});
}

/** @throws Error where the command could not do its job, or hangs. */
export async function runLocal(workspace: Workspace, command: LocalCommand): Promise<LocalEnd> {
  const startedAtMs = performance.now();
  const end = await endOfLocal(workspace, startLocal(workspace, command));
  return { ...end, seconds: (performance.now() - startedAtMs) / 1000 };
}

/**
 * Waits for the end of a command that was started just now.
 *
 * @throws Error where it could not do its job, or hangs.
 */
export async function endOfLocal(workspace: Workspace, child: ChildProcess): Promise<Omit<LocalEnd, 'seconds'>> {
  const [output, errors] = await outputOf(child);
  // 2: some rows need attention. That is a result too.
  if (child.exitCode !== 0 && child.exitCode !== 2) {
    const end = child.signalCode ?? `exit code ${child.exitCode}`;
    throw new Error(`The measured command ended with ${end}:\n${errors}`);
  }
  return { peakMemoryBytes: readPeakMemory(workspace), summary: summarySchema.parse(JSON.parse(output)) };
}

/** Waits for a process to end, and gives what it printed. One that hangs is killed. */
export async function outputOf(child: ChildProcess): Promise<[output: string, errors: string]> {
  const timer = setTimeout(() => child.kill('SIGKILL'), runMsMax);
  try {
    const [output, errors] = await Promise.all([
      child.stdout === null ? '' : text(child.stdout),
      child.stderr === null ? '' : text(child.stderr),
      once(child, 'close'),
    ]);
    return [output, errors];
  } finally {
    clearTimeout(timer);
  }
}

function readPeakMemory(workspace: Workspace): number {
  const file = peakMemoryFile(workspace);
  if (!existsSync(file)) throw new Error(`The measured process did not write ${file}.`);
  return z.coerce.number().positive().parse(readFileSync(file, 'utf8'));
}

function peakMemoryFile({ folder }: Workspace): string {
  return join(folder, 'peak-memory');
}
