/**
 * Finds the encoding of a file from its bytes.
 */

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

export type EncodingFinding =
  | { readonly kind: 'found'; readonly encoding: Encoding; readonly hasByteOrderMark: boolean }
  /** What speaks against each encoding that is understood. */
  | { readonly kind: 'undecodable'; readonly reason: string };

/** Bytes that have no character in Windows-1252. */
const undefinedIn1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** A right single quote, which stands between letters in names and contractions. */
const apostrophe = 0x92;
const accentsInARowMax = 4;
/** Signs that never stand right behind a letter: ‚ ƒ „ † ‡ ˆ ‰ ‹ • ˜ › */
const signs = new Set([
  0x82, 0x83, 0x84, 0x86, 0x87, 0x88, 0x89, 0x8b, 0x95, 0x98, 0x9b,
  // ¡ ¢ £ ¤ ¥ ¦ ¨ ¬ ¯ ± ² ³ µ ¶ ¸ ¹ ¼ ½ ¾ ¿
  0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa8, 0xac, 0xaf, 0xb1, 0xb2, 0xb3, 0xb5, 0xb6, 0xb8, 0xb9, 0xbc, 0xbd, 0xbe,
  0xbf,
]);
/** Š Œ Ž Ÿ, which do not stand behind a small letter. */
const capitals = new Set([0x8a, 0x8c, 0x8e, 0x9f]);
/** Between letters, other characters of 0x80 to 0x9f are far more often letters of another encoding. */
const suspiciousShareMax = 0.1;
/** Other text has no zeros. In UTF-16, delimiters, line ends and addresses have them, all in the same half of the bytes. */
const zerosAtLeast = 8;
const zeroShareMin = 0.04;

/** Looks at all bytes of a file, piece by piece, and then says what they are. */
export class EncodingSurvey {
  #first: number[] = [];
  #bytes = 0;
  readonly #zeros: [even: number, odd: number] = [0, 0];
  #sequences = 0;
  #broken = 0;
  #pending = 0;
  #high = 0;
  #undefined = 0;
  #suspicious = 0;
  #previous = 0;
  #run = 0;
  #beforePrevious = 0;

  add(piece: Uint8Array): void {
    for (let index = 0; this.#first.length < 3 && index < piece.length; index += 1) this.#first.push(piece[index] ?? 0);
    for (
      let index = this.#passOverPlain(piece, 0);
      index < piece.length;
      index = this.#passOverPlain(piece, index + 1)
    ) {
      this.#addByte(piece[index] ?? 0);
    }
  }

  #addByte(byte: number): void {
    if (byte === 0) this.#zeros[this.#bytes % 2 === 0 ? 0 : 1] += 1;
    if (byte >= 0x80 || this.#pending > 0) this.#addHigh(byte);
    if (this.#previous >= 0x80) this.#addSuspicion(byte);
    this.#run = byte >= 0x80 ? this.#run + 1 : 0;
    // No language of Western Europe has four letters with accents in a row; Cyrillic, Greek and Chinese text has nothing else.
    if (this.#run === accentsInARowMax) this.#suspicious += accentsInARowMax;
    this.#beforePrevious = this.#previous;
    this.#previous = byte;
    this.#bytes += 1;
  }

  /** Most of a file is plain ASCII, which says nothing. Gives the index of the next byte that does. */
  #passOverPlain(piece: Uint8Array, start: number): number {
    if (this.#pending > 0 || this.#previous >= 0x80) return start;
    let index = start;
    for (let byte = piece[index] ?? 0; byte !== 0 && byte < 0x80; byte = piece[index] ?? 0) index += 1;
    const passed = index - start;
    if (passed === 0) return start;
    this.#beforePrevious = passed > 1 ? (piece[index - 2] ?? 0) : this.#previous;
    this.#previous = piece[index - 1] ?? 0;
    this.#bytes += passed;
    return index;
  }

  end(): EncodingFinding {
    if (this.#pending > 0) this.#broken += 1;
    const [first, second, third] = this.#first;
    if (first === 0xef && second === 0xbb && third === 0xbf) return this.#found('utf-8', true);
    if (first === 0xff && second === 0xfe) return this.#found('utf-16le', true);
    if (first === 0xfe && second === 0xff) return this.#found('utf-16be', true);
    const half = this.#bytes / 2;
    const [even, odd] = this.#zeros;
    const zerosMin = Math.max(zerosAtLeast, half * zeroShareMin);
    if (odd >= zerosMin && even < odd / 10) return this.#found('utf-16le', false);
    if (even >= zerosMin && odd < even / 10) return this.#found('utf-16be', false);
    // One broken byte does not make a file of sound UTF-8 anything else; the rows that it stands in will show it.
    if (this.#broken === 0 || this.#sequences > this.#broken * 3) return this.#found('utf-8', false);
    return this.#windows1252();
  }

  #windows1252(): EncodingFinding {
    const broken = `${this.#broken} bytes of it are not UTF-8`;
    if (this.#undefined > 0)
      return { kind: 'undecodable', reason: `${broken}, and ${this.#undefined} are not Windows-1252 either` };
    if (this.#sequences > this.#broken) {
      return {
        kind: 'undecodable',
        reason: `${broken}, but ${this.#sequences} characters are: it is a mixture of encodings`,
      };
    }
    if (this.#suspicious > this.#high * suspiciousShareMax) {
      return {
        kind: 'undecodable',
        reason: `${broken}, and as Windows-1252 it would have signs in the middle of words`,
      };
    }
    return this.#found('windows-1252', false);
  }

  #found(encoding: Encoding, hasByteOrderMark: boolean): EncodingFinding {
    return { kind: 'found', encoding, hasByteOrderMark };
  }

  /** UTF-8: a leading byte tells how many bytes follow it. Source: RFC 3629. */
  #addHigh(byte: number): void {
    if (byte >= 0x80) this.#high += 1;
    if (undefinedIn1252.has(byte)) this.#undefined += 1;
    if (this.#pending === 0) return this.#beginSequence(byte);
    if (byte >= 0x80 && byte < 0xc0) {
      this.#pending -= 1;
      if (this.#pending === 0) this.#sequences += 1;
      return;
    }
    this.#broken += 1;
    this.#pending = 0;
    if (byte >= 0x80) this.#beginSequence(byte);
  }

  #beginSequence(byte: number): void {
    if (byte >= 0xc2 && byte < 0xe0) this.#pending = 1;
    else if (byte >= 0xe0 && byte < 0xf0) this.#pending = 2;
    else if (byte >= 0xf0 && byte < 0xf5) this.#pending = 3;
    else this.#broken += 1;
  }

  /** What Windows-1252 would make of the byte before, between the one before that and the next. */
  #addSuspicion(next: number): void {
    const byte = this.#previous;
    const before = this.#beforePrevious;
    if (byte === apostrophe) return;
    if (signs.has(byte) && isLetter(before)) this.#suspicious += 1;
    else if (capitals.has(byte) && isSmall(before)) this.#suspicious += 1;
    else if (byte < 0xc0 && isLetter(before) && isLetter(next) && !capitals.has(byte)) this.#suspicious += 1;
  }
}

function isSmall(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || byte >= 0xc0;
}
