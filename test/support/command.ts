/**
 * The command as a user runs it, in a process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { type Faults, noFaults } from '../../cli/sandbox/faults.ts';
import { type Organization, openOrganization } from '../../cli/sandbox/organization.ts';
import { type Sandbox, startSandbox } from '../../cli/sandbox/server.ts';

const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Desk {
  readonly folder: string;
  /** Writes a file into the folder and gives its path. */
  file(name: string, content: string | Uint8Array): string;
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): Running;
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>;
  /** The records of a file of the report, by header. */
  table(path: string): Record<string, string>[];
  close(): void;
}

/** A folder to work in. What is started from it is ended with it. */
export function openDesk(): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-command-'));
  const children = new Set<ChildProcess>();
  const desk: Desk = {
    folder,
    file: (name, content) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
    start: (args, environment = {}) => {
      const child = spawn(process.execPath, [main, ...args], {
        cwd: folder,
        env: { ...cleanEnvironment(), ...environment },
      });
      children.add(child);
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (data) => {
        stdout += data;
      });
      child.stderr.on('data', (data) => {
        stderr += data;
      });
      const ended = new Promise<Ended>((resolve) => {
        child.on('close', (code) => {
          children.delete(child);
          resolve({ code, stdout, stderr });
        });
      });
      return { process: child, ended };
    },
    run: async (args, environment) => await desk.start(args, environment).ended,
    table: (path) =>
      z
        .array(z.record(z.string(), z.string()))
        .parse(parse(readFileSync(join(folder, path)), { columns: true, bom: true, relax_column_count: true })),
    close: () => {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
  return desk;
}

export interface CountingSandbox extends Sandbox {
  readonly organization: Organization;
  /** Of every call: method and path. */
  readonly calls: string[];
  posts(): number;
  /** When the last call arrived. */
  lastCallAtMs(): number;
}

/** A sandbox in the test's own process, which survives the command. */
export async function startCountingSandbox(
  faults: Partial<Faults> = {},
  key?: string,
  tenantId?: string,
): Promise<CountingSandbox> {
  const calls: string[] = [];
  const organization = openOrganization(':memory:');
  let lastCallAtMs = 0;
  const onCall = (method: string, path: string) => {
    calls.push(`${method} ${path}`);
    lastCallAtMs = Date.now();
  };
  const sandbox = await startSandbox({
    port: 0,
    organization,
    faults: { ...noFaults, ...faults },
    onCall,
    ...(key === undefined ? {} : { key }),
    ...(tenantId === undefined ? {} : { tenantId }),
  });
  return {
    ...sandbox,
    organization,
    calls,
    posts: () => calls.filter((call) => call.startsWith('POST')).length,
    lastCallAtMs: () => lastCallAtMs,
    close: async () => {
      await sandbox.close();
      organization.close();
    },
  };
}

/** Without what npm or a developer's shell may have set. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}
