/**
 * Simulates a range of seeds in a thread of its own, and posts the figures as it goes.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { simulateWeek } from './drawnWeek.ts';
import { addFigures, type Figures, figuresOf, noFigures } from './figures.ts';
import { simulate } from './simulation.ts';

const { first, count, step, isWeek } = z
  .object({ first: z.int(), count: z.int(), step: z.int(), isWeek: z.boolean() })
  .parse(workerData);
const simulateSeed = isWeek ? simulateWeek : simulate;

const seedsInAPost = 250;

let figures: Figures = noFigures;
for (let index = 0; index < count; index += 1) {
  figures = addFigures(figures, figuresOf(await simulateSeed(first + index * step)));
  if (figures.seeds < seedsInAPost && index < count - 1) continue;
  parentPort?.postMessage(figures);
  figures = noFigures;
}
