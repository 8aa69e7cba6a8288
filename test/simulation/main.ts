/**
 * `npm run simulate -- --seeds N [--seed S] [--week]`: as many simulations as one likes, on all cores; a single one with its
 * trace. With `--week`, each is a week of nights.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { neverInWeek, simulateWeek } from './drawnWeek.ts';
import { addFigures, describeFigures, type Figures, kindsThatNeverStruck, noFigures } from './figures.ts';
import { simulate } from './simulation.ts';

/** With fewer seeds than this, a kind of fault may be missing by chance. */
const seedsForAllKinds = 1000;

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, week: { type: 'boolean', default: false } },
});
const isWeek = values.week;
const command = `npm run simulate -- ${isWeek ? '--week ' : ''}--seed`;
const seeds = wholeNumber('--seeds', values.seeds ?? (values.seed === undefined ? '1000' : '1'));
const first = wholeNumber('--seed', values.seed ?? '1');

process.exitCode = (seeds === 1 ? await showOne(first) : await runAll(first, seeds)) ? 0 : 1;

async function showOne(seed: number): Promise<boolean> {
  const { trace, traceHash, violations } = await (isWeek ? simulateWeek : simulate)(seed, { keepsTrace: true });
  for (const line of trace) console.log(line);
  for (const { check, detail } of violations) console.log(`VIOLATION ${check}: ${detail}`);
  console.log(`seed ${seed}, trace ${traceHash}, ${violations.length} violations`);
  return violations.length === 0;
}

async function runAll(firstSeed: number, count: number): Promise<boolean> {
  const threads = Math.min(availableParallelism(), count);
  let figures = noFigures;
  const startedAtMs = Date.now();
  const onFigures = (more: Figures) => {
    figures = addFigures(figures, more);
    if (process.stderr.isTTY) process.stderr.write(`\r${figures.seeds} of ${count} seeds`);
  };
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const share = Math.ceil((count - thread) / threads);
      return runThread({ first: firstSeed + thread, count: share, step: threads, isWeek }, onFigures);
    }),
  );
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(describeFigures(figures));
  console.log(`took ${((Date.now() - startedAtMs) / 1000).toFixed(0)} s on ${threads} cores`);
  const missing = count >= seedsForAllKinds ? kindsThatNeverStruck(figures, isWeek ? neverInWeek : []) : [];
  if (missing.length > 0) console.log(`FAILED: these faults never struck: ${missing.join(', ')}`);
  for (const seed of figures.failingSeeds) console.log(`FAILED: see it with ${command} ${seed}`);
  return missing.length === 0 && figures.failingSeeds.length === 0;
}

async function runThread(
  workerData: { readonly first: number; readonly count: number; readonly step: number; readonly isWeek: boolean },
  onFigures: (figures: Figures) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const worker = new Worker(new URL('./seedsWorker.ts', import.meta.url), { workerData });
    worker.on('message', onFigures);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`A thread ended with code ${code}.`))));
  });
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`${option} takes a whole number above 0, not “${text}”.`);
  process.exit(2);
}
