/**
 * Runs the benchmarks one after the other, and ends with a table of their figures.
 *
 *   npm run bench [-- directory rate reading again crash cancel requests night idle pace bundles]
 *
 * Without names, it runs all but those that take several minutes. Speed never fails it: a figure that misses its target is a
 * line in the table. What could not be measured does.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { again } from './again.ts';
import { bundles } from './bundles.ts';
import { cancel } from './cancel.ts';
import { crash } from './crash.ts';
import { directory } from './directory.ts';
import type { Figure } from './figure.ts';
import { idle } from './idle.ts';
import { night } from './night.ts';
import { pace } from './pace.ts';
import { rate } from './rate.ts';
import { reading } from './reading.ts';
import { requests } from './requests.ts';

interface Benchmark {
  readonly name: string;
  readonly what: string;
  readonly run: () => Promise<Figure[]>;
  /** Runs only where it is named, because it takes several minutes. */
  readonly isLong?: boolean;
}

const benchmarks: readonly Benchmark[] = [
  { name: 'directory', what: '100,000 people, of whom all but 100 are users already', run: directory },
  {
    name: 'rate',
    what: '2,000 people, an API that answers in 50 ms, 20 calls at once (median of 3 rounds)',
    run: rate,
  },
  { name: 'reading', what: 'ingest of a million rows, beside csv-parse (median of 3 rounds)', run: reading },
  { name: 'again', what: 'a finished file of 500 people, a second time', run: again },
  { name: 'crash', what: '300 people, killed after 100 invitation calls and started again', run: crash },
  {
    name: 'cancel',
    what: 'a small and a large job that another process works on, cancelled after 100 invitation calls',
    run: cancel,
    isLong: true,
  },
  { name: 'requests', what: 'what AWS is asked for 1,000 and 20,000 people, and what that costs', run: requests },
  {
    name: 'night',
    what: 'a roster of 50,000 people on a night on which nothing has changed, and what that costs',
    run: night,
  },
  { name: 'idle', what: 'what the stack costs in a month in which nothing happens', run: idle },
  { name: 'pace', what: '600 people, an API that takes 20 calls a second and does not say so', run: pace },
  { name: 'bundles', what: 'the functions as shipped to Lambda (median of 9 fresh processes)', run: bundles },
];

// So that what a workspace leaves is removed: see its handler of the process's end.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  const names = benchmarks.map(({ name }) => name).join(', ');
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${names}.`);
  process.exitCode = 1;
} else {
  const isChosen = ({ name, isLong = false }: Benchmark) => (wanted.length === 0 ? !isLong : wanted.includes(name));
  await runAll(benchmarks.filter(isChosen));
  const leftOut = benchmarks.filter((benchmark) => wanted.length === 0 && !isChosen(benchmark));
  for (const { name } of leftOut) console.log(`\nLeft out, because it takes minutes: npm run bench -- ${name}`);
}

async function runAll(chosen: readonly Benchmark[]): Promise<void> {
  const lines: string[][] = [];
  console.log(`At the start: ${describeMachine()}`);
  for (const { name, what, run } of chosen) {
    console.log(`\n${name}: ${what}`);
    try {
      for (const figure of await run()) {
        console.log(`  ${figure.name}: ${figure.measured}${describeTarget(figure)}`);
        lines.push([`${name}: ${figure.name}`, figure.measured, figure.target, verdict(figure)]);
      }
    } catch (error) {
      console.log(`  could not be measured: ${error instanceof Error ? error.message : String(error)}`);
      lines.push([name, 'not measured', '', 'no']);
      process.exitCode = 1;
    }
  }
  console.log(`\nAt the end: ${describeMachine()}\n`);
  printTable([['figure', 'measured', 'target', 'met'], ...lines]);
}

function describeMachine(): string {
  const loads = loadavg().map((load) => load.toFixed(2));
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `load ${loads.join(', ')} (1, 5, 15 minutes) on ${availableParallelism()} cores (${model}), Node ${process.version}`;
}

function describeTarget(figure: Figure): string {
  return figure.isMet === undefined ? '' : ` (target ${figure.target}: ${figure.isMet ? 'met' : 'NOT met'})`;
}

function verdict({ isMet }: Figure): string {
  if (isMet === undefined) return '';
  return isMet ? 'yes' : 'NO';
}

function printTable(lines: readonly (readonly string[])[]): void {
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    const cells = line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join('   ').trimEnd());
  }
}
