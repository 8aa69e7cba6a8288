/**
 * Splits text into records, whatever has happened to it. It takes the text piece by piece and gives the records that are
 * complete.
 *
 * Strict where a file is sound (RFC 4180), bounded where it is not: a quote that is never closed, or that closes in the
 * middle of a cell, damages the line that it stands on and no other, and reading goes on at the next line. No line is
 * ever dropped: each is part of a record, damaged or not.
 */
import { uploadLimits } from './limits.ts';

export type Damage = 'unclosed_quote' | 'stray_quote' | 'line_too_long';

export interface TextRecord {
  /** From 1, as a spreadsheet counts: a record with line breaks in its cells is one row; a blank line is one, too. */
  readonly row: number;
  readonly cells: readonly string[];
  /** The record's own text, without the line ending after it. */
  readonly raw: string;
  readonly damage?: Damage;
}

export interface RecordShape {
  readonly delimiter: string;
  /** Cells of the header, where it is known: it tells a cell with line breaks from a quote that was never closed. */
  readonly width?: number;
}

interface Line {
  /** Where the text of the line ends, and where the next line begins. */
  readonly end: number;
  readonly next: number;
}

type QuotedRecord =
  | { readonly kind: 'record'; readonly cells: readonly string[]; readonly line: Line }
  | { readonly kind: 'stray_quote'; readonly at: number }
  /** The text ends within a quoted cell, or before it is known what follows it. */
  | { readonly kind: 'open' };

const quote = '"';
const address = /^[^\s@"<>,;|]+@[^\s@"<>,;|]+\.[^\s@"<>,;|]+$/u;

export class RecordReader {
  readonly #delimiter: string;
  readonly #width: number | undefined;
  #text = '';
  #position = 0;
  #isEnded = false;
  #row = 0;
  #quotes = new Finder('', quote);
  #returns = new Finder('', '\r');
  #feeds = new Finder('', '\n');
  /** Up to here each line is damaged: it may be a row, or stand in a cell of somebody else's. */
  #doubtfulUntil = 0;
  /** The beginning of a line that is too long, while the rest of it is passed over. */
  #longLine: string | undefined;

  constructor({ delimiter, width }: RecordShape) {
    this.#delimiter = delimiter;
    this.#width = width;
  }

  /** Takes the next piece of the text, and gives the records that are complete now. */
  push(piece: string): TextRecord[] {
    this.#text = this.#text.slice(this.#position) + piece;
    this.#doubtfulUntil -= this.#position;
    this.#position = 0;
    this.#quotes = new Finder(this.#text, quote);
    this.#returns = new Finder(this.#text, '\r');
    this.#feeds = new Finder(this.#text, '\n');
    return this.#readAll();
  }

  /** The text has ended: gives what is left. */
  end(): TextRecord[] {
    this.#isEnded = true;
    return this.#readAll();
  }

  #readAll(): TextRecord[] {
    const records: TextRecord[] = [];
    while (this.#position < this.#text.length) {
      const record = this.#longLine === undefined ? this.#read() : this.#passOverLongLine(this.#longLine);
      if (record === undefined) break;
      records.push(record);
    }
    if (this.#isEnded && this.#longLine !== undefined) records.push(this.#damaged('line_too_long', this.#longLine));
    return records;
  }

  /** Undefined where more text is needed. */
  #read(): TextRecord | undefined {
    const line = this.#lineAt(this.#position);
    if (line === undefined) return this.#beginLongLine();
    if (line.end - this.#position > uploadLimits.lineCharactersMax) {
      const beginning = this.#text.slice(this.#position, this.#position + uploadLimits.longLineKeptCharacters);
      this.#position = line.next;
      return this.#damaged('line_too_long', beginning);
    }
    if (this.#position < this.#doubtfulUntil) return this.#doubtful(line);
    if (this.#quotes.after(this.#position) >= line.end) return this.#plain(line);
    return this.#quoted(line);
  }

  /** The fast way: most lines have no quotes. */
  #plain(line: Line): TextRecord {
    const raw = this.#text.slice(this.#position, line.end);
    this.#position = line.next;
    return this.#record(raw.split(this.#delimiter), raw);
  }

  /** Decided by what stands within a fixed distance, so that it does not matter in which pieces the text comes. */
  #quoted(line: Line): TextRecord | undefined {
    const windowEnd = this.#position + uploadLimits.recordCharactersMax;
    const found = this.#parseQuoted(this.#position);
    if (found.kind === 'open' && !this.#isEnded && this.#text.length <= windowEnd) return undefined;
    if (found.kind === 'record' && found.line.end <= windowEnd && this.#isBelievable(found.cells, found.line, line)) {
      const raw = this.#text.slice(this.#position, found.line.end);
      this.#position = found.line.next;
      return this.#record(found.cells, raw);
    }
    if (found.kind === 'record' && found.line.end <= windowEnd) this.#doubtfulUntil = found.line.next;
    const raw = this.#text.slice(this.#position, line.end);
    this.#position = line.next;
    return this.#damaged(found.kind === 'stray_quote' && found.at < windowEnd ? 'stray_quote' : 'unclosed_quote', raw);
  }

  #doubtful(line: Line): TextRecord {
    const raw = this.#text.slice(this.#position, line.end);
    this.#position = line.next;
    return this.#damaged('unclosed_quote', raw);
  }

  /**
   * A record over several lines is a quote that was never closed, where it has not the width of the header, or where one of
   * the lines in its cells would be a row by itself: of that width, and with an address.
   */
  #isBelievable(cells: readonly string[], line: Line, firstLine: Line): boolean {
    const width = this.#width;
    if (line.next === firstLine.next || width === undefined) return true;
    return cells.length === width && !cells.some((cell, index) => this.#hidesRow(cell, index, width));
  }

  #hidesRow(cell: string, index: number, width: number): boolean {
    const lines = cell.split(/\r\n|\n|\r/u);
    if (lines.length === 1) return false;
    return lines.some((text, number) => {
      const pieces = text.split(this.#delimiter);
      // The first line follows the cells before it, the last one is followed by those behind it.
      const before = number === 0 ? index : 0;
      const behind = number === lines.length - 1 ? width - 1 - index : 0;
      return before + pieces.length + behind === width && pieces.some((piece) => address.test(piece.trim()));
    });
  }

  #parseQuoted(start: number): QuotedRecord {
    const text = this.#text;
    const cells: string[] = [];
    let position = start;
    for (;;) {
      if (text.startsWith(quote, position)) {
        const close = closingQuote(text, position + 1);
        // At the very end of a piece, the quote may be the first of a doubled one.
        if (close < 0 || (close === text.length - 1 && !this.#isEnded)) return { kind: 'open' };
        cells.push(unescaped(text.slice(position + 1, close)));
        position = close + 1;
      } else {
        const end = this.#cellEnd(position);
        if (end === undefined) return { kind: 'open' };
        cells.push(text.slice(position, end));
        position = end;
      }
      if (text.startsWith(this.#delimiter, position)) {
        position += this.#delimiter.length;
        continue;
      }
      const line = this.#lineAt(position);
      if (line === undefined) return { kind: 'open' };
      return line.end === position ? { kind: 'record', cells, line } : { kind: 'stray_quote', at: position };
    }
  }

  /** Where a cell without quotes around it ends: a quote within it is a character like any other. */
  #cellEnd(start: number): number | undefined {
    const line = this.#lineAt(start);
    if (line === undefined) return undefined;
    const delimiter = this.#text.indexOf(this.#delimiter, start);
    return delimiter < 0 || delimiter > line.end ? line.end : delimiter;
  }

  /** Undefined where the line's end, or whether a line feed follows its carriage return, is not known yet. */
  #lineAt(start: number): Line | undefined {
    const { length } = this.#text;
    const feed = this.#feeds.after(start);
    const carriageReturn = this.#returns.after(start);
    if (carriageReturn < feed) {
      if (feed === carriageReturn + 1 && feed < length) return { end: carriageReturn, next: feed + 1 };
      if (carriageReturn === length - 1 && !this.#isEnded) return undefined;
      return { end: carriageReturn, next: carriageReturn + 1 };
    }
    if (feed < length) return { end: feed, next: feed + 1 };
    return this.#isEnded ? { end: length, next: length } : undefined;
  }

  #beginLongLine(): undefined {
    // A carriage return at the end of the text belongs to the line ending.
    const end = this.#text.endsWith('\r') ? this.#text.length - 1 : this.#text.length;
    if (end - this.#position <= uploadLimits.lineCharactersMax) return;
    this.#longLine = this.#text.slice(this.#position, this.#position + uploadLimits.longLineKeptCharacters);
  }

  #passOverLongLine(beginning: string): TextRecord | undefined {
    const line = this.#lineAt(this.#position);
    // The last character may be a carriage return whose line feed is still to come.
    if (line === undefined) {
      this.#position = this.#text.length - 1;
      return undefined;
    }
    this.#position = line.next;
    this.#longLine = undefined;
    return this.#damaged('line_too_long', beginning);
  }

  #record(cells: readonly string[], raw: string): TextRecord {
    this.#row += 1;
    return { row: this.#row, cells, raw };
  }

  #damaged(damage: Damage, raw: string): TextRecord {
    this.#longLine = undefined;
    this.#row += 1;
    return { row: this.#row, cells: raw.split(this.#delimiter), raw, damage };
  }
}

/** The index of the quote that closes a cell, or -1. Doubled quotes stand for one in the cell. */
function closingQuote(text: string, start: number): number {
  let position = text.indexOf(quote, start);
  while (position >= 0 && text.startsWith(quote, position + 1)) position = text.indexOf(quote, position + 2);
  return position;
}

function unescaped(cell: string): string {
  return cell.includes(quote) ? cell.replaceAll('""', quote) : cell;
}

/** Finds a character again and again in one text, without looking twice at what lies before the next one. */
class Finder {
  readonly #text: string;
  readonly #wanted: string;
  #from = 0;
  #found = -1;

  constructor(text: string, wanted: string) {
    this.#text = text;
    this.#wanted = wanted;
  }

  /** The index of the first one at or after `start`; the length of the text where there is none. */
  after(start: number): number {
    if (start >= this.#from && start <= this.#found) return this.#found;
    const index = this.#text.indexOf(this.#wanted, start);
    this.#from = start;
    this.#found = index < 0 ? this.#text.length : index;
    return this.#found;
  }
}
