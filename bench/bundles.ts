/**
 * The functions as they are shipped to Lambda: how large their bundles are, and how long a fresh Node takes to load them,
 * which is a part of every cold start.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleHandler, nodeOptions } from '../infra/bundling.ts';
import type { FunctionName } from '../lambdas/core/limits.ts';
import { outputOf } from './command.ts';
import { type Figure, figure, milliseconds, noTarget } from './figure.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const names: readonly FunctionName[] = ['ingest', 'worker', 'report'];
const bundleBytesMax = 1_200_000;
const loadMsMax = 150;
const roundCount = 9;

/** A handler reads its settings as it is loaded. Nothing listens at these addresses. */
const environment = {
  AWS_REGION: 'us-east-1',
  BULK_INVITE_BUCKET: 'bench',
  BULK_INVITE_UPLOADS_QUEUE_URL: 'http://127.0.0.1:9/uploads',
  BULK_INVITE_CHUNKS_QUEUE_URL: 'http://127.0.0.1:9/chunks',
  BULK_INVITE_REPORTS_QUEUE_URL: 'http://127.0.0.1:9/reports',
  BULK_INVITE_API_URL: 'http://127.0.0.1:9',
};

const load = `
  const startedAtMs = performance.now();
  const { handler } = await import(process.argv[1]);
  const loadMs = performance.now() - startedAtMs;
  if (typeof handler !== 'function') throw new Error('There is no handler.');
  console.log(loadMs);`;

/** Of one fresh process. */
interface Start {
  readonly loadMs: number;
  readonly processMs: number;
}

export async function bundles(): Promise<Figure[]> {
  return await withWorkspace(async (workspace) => {
    const figures: Figure[] = [];
    for (const name of names) figures.push(...(await measure(name, workspace)));
    const plain = await startOften(workspace, ['--eval', '0'], {});
    return [...figures, figure('plain Node, from start to end', median(plain, 'processMs'), noTarget, milliseconds)];
  });
}

async function measure(name: FunctionName, workspace: Workspace): Promise<Figure[]> {
  const folder = join(workspace.folder, name);
  await bundleHandler(name, folder);
  const bundle = join(folder, 'index.mjs');
  const command = ['--input-type=module', '--eval', load, bundle];
  const shipped = await startOften(workspace, command, { ...environment, NODE_OPTIONS: nodeOptions });
  const unmapped = await startOften(workspace, command, { ...environment, NODE_OPTIONS: '' });
  return [
    figure(`${name}: bundle`, statSync(bundle).size, { kind: 'below', value: bundleBytesMax }, megabytes),
    figure(`${name}: source map`, statSync(`${bundle}.map`).size, noTarget, megabytes),
    figure(`${name}: load`, median(shipped, 'loadMs'), { kind: 'below', value: loadMsMax }, milliseconds),
    figure(`${name}: load, no source maps`, median(unmapped, 'loadMs'), noTarget, milliseconds),
    figure(`${name}: Node with it, from start to end`, median(shipped, 'processMs'), noTarget, milliseconds),
  ];
}

async function startOften(
  workspace: Workspace,
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Start[]> {
  const starts: Start[] = [];
  for (let round = 0; round < roundCount; round += 1) {
    const startedAtMs = performance.now();
    const child = workspace.start(command, variables);
    const [output, errors] = await outputOf(child);
    if (child.exitCode !== 0) throw new Error(`A bundle could not be loaded:\n${errors}`);
    starts.push({ loadMs: Number(output), processMs: performance.now() - startedAtMs });
  }
  return starts;
}

function median(starts: readonly Start[], what: keyof Start): number {
  const values = starts.map((start) => start[what]).sort((left, right) => left - right);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}
