/**
 * How fast ingest reads and judges a large file, beside csv-parse that reads the same bytes and does nothing else.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { outputOf } from './command.ts';
import { type Figure, figure, megabytes, noTarget, ratio, seconds } from './figure.ts';
import { type Workspace, withWorkspace } from './workspace.ts';

const rowCount = 1_000_000;
const roundCount = 3;
const shareMin = 0.5;
const peakBytesMax = 350_000_000;

const readPeople = fileURLToPath(import.meta.resolve('./readPeople.ts'));
const resultSchema = z.object({ ms: z.number(), peakBytes: z.number() });

export async function reading(): Promise<Figure[]> {
  return await withWorkspace(async (workspace) => {
    const file = join(workspace.folder, 'people.csv');
    await pipeline(Readable.from(lines()), createWriteStream(file));
    const rounds = [];
    for (let round = 0; round < roundCount; round += 1) {
      rounds.push({
        ingest: await measure(workspace, 'ingest', file),
        parser: await measure(workspace, 'csv-parse', file),
      });
    }
    const median = (values: readonly number[]) => values.toSorted((left, right) => left - right)[1] ?? Number.NaN;
    const ingestMs = median(rounds.map(({ ingest }) => ingest.ms));
    const parserMs = median(rounds.map(({ parser }) => parser.ms));
    const peakBytes = Math.max(...rounds.map(({ ingest }) => ingest.peakBytes));
    return [
      figure('ingest of a million rows', ingestMs / 1000, noTarget, seconds),
      figure('csv-parse of the same bytes', parserMs / 1000, noTarget, seconds),
      figure('speed of ingest / speed of csv-parse', parserMs / ingestMs, { kind: 'at_least', value: shareMin }, ratio),
      figure('peak memory of ingest', peakBytes, { kind: 'below', value: peakBytesMax }, megabytes),
    ];
  });
}

/** All addresses differ, a quarter of the rows have quoted cells. */
function* lines(): Generator<string> {
  yield 'Employee ID,First Name,Last Name,Work Email,Job Title,Location,Status\n';
  for (let row = 0; row < rowCount; row += 1) {
    const place = row % 4 === 0 ? '"Reykjavik, Iceland"' : 'Bergen';
    yield `${100_000 + row},Alex${row % 977},Person${row},alex.person${row}@northlight.example,Analyst,${place},Active\n`;
  }
}

async function measure(workspace: Workspace, way: string, file: string): Promise<z.output<typeof resultSchema>> {
  const child = workspace.start([readPeople, way, file], {});
  const [output, errors] = await outputOf(child);
  if (child.exitCode !== 0) throw new Error(`Reading with ${way} failed:\n${errors}`);
  return resultSchema.parse(JSON.parse(output));
}
