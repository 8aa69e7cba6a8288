/**
 * Reads whole files as ingest does, and keeps account of what became of every record.
 */
import { readFileSync } from 'node:fs';
import { csvFormat } from '../../lambdas/adapters/csvFormat.ts';
import { readColumns } from '../../lambdas/core/columns.ts';
import { type Judgement, judgeRow, newMemory } from '../../lambdas/core/judge.ts';
import { findReading, isRow } from '../../lambdas/core/reading.ts';
import type { TextRecord } from '../../lambdas/core/recordReader.ts';

const folder = new URL('../fixtures/exports/', import.meta.url);

/** The bytes of a file as a system has written them. */
export function exportedFile(name: string): Buffer {
  return readFileSync(new URL(name, folder));
}

export interface JudgedRow {
  readonly record: TextRecord;
  readonly judgement: Judgement;
}

/** Finds out how the file is to be read, then reads and judges all its rows, as for an empty directory. */
export async function judgeFile(bytes: Buffer): Promise<readonly JudgedRow[]> {
  const { reading, header } = findReading(await csvFormat.inspect(piecesOf(bytes)), {});
  const columns = readColumns(header);
  const context = {
    columns,
    users: new Map(),
    invitesGone: false,
    allowedDomains: new Set<string>(),
    isEncodingGuessed: false,
  };
  const memory = newMemory();
  const rows: JudgedRow[] = [];
  for await (const batch of csvFormat.read(piecesOf(bytes), reading)) {
    for (const record of batch) {
      if (isRow(record, reading)) rows.push({ record, judgement: judgeRow(record, context, memory) });
    }
  }
  return rows;
}

/** Of a size that no line ending keeps step with. */
const pieceBytes = 4093;

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

interface Account {
  readonly recordsIn: number;
  readonly rowsOut: number;
  /** Sound rows that were refused, changed or lost. */
  readonly wronglyRefused: number;
  /** Rows that were invited and should not have been. */
  readonly wronglyAccepted: number;
}

/** Sums of accounts by name, in the order in which the names came first. */
export class AccountBook {
  readonly #accounts = new Map<string, Account>();

  add(name: string, account: Account): void {
    const before = this.#accounts.get(name);
    this.#accounts.set(name, {
      recordsIn: (before?.recordsIn ?? 0) + account.recordsIn,
      rowsOut: (before?.rowsOut ?? 0) + account.rowsOut,
      wronglyRefused: (before?.wronglyRefused ?? 0) + account.wronglyRefused,
      wronglyAccepted: (before?.wronglyAccepted ?? 0) + account.wronglyAccepted,
    });
  }

  /** A table for people to read. */
  toString(): string {
    const lines = [...this.#accounts].map(([name, { recordsIn, rowsOut, wronglyRefused, wronglyAccepted }]) => [
      name,
      ...[recordsIn, rowsOut, wronglyRefused, wronglyAccepted].map(String),
    ]);
    const table = [['', 'records in', 'rows out', 'wrongly refused', 'wrongly accepted'], ...lines];
    const widths = [0, 1, 2, 3, 4].map((index) => Math.max(...table.map((cells) => (cells[index] ?? '').length)));
    return table
      .map((cells) => cells.map((cell, index) => pad(cell, widths[index] ?? 0, index === 0)).join('  '))
      .join('\n');
  }
}

function pad(cell: string, width: number, isName: boolean): string {
  return isName ? cell.padEnd(width) : cell.padStart(width);
}
