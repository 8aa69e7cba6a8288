/**
 * Recognises files that are something else than text, whatever their name says.
 */

export interface OtherKind {
  readonly what: string;
  /** What the person can do. */
  readonly next: string;
}

const saveAsCsv = 'Open it in your spreadsheet program, save it as “CSV UTF-8”, and upload that file.';

const kinds: readonly (readonly [signature: readonly number[], kind: OtherKind])[] = [
  [
    [0x50, 0x4b, 0x03, 0x04],
    {
      what: 'an Excel workbook (.xlsx) or a zip archive',
      next: `If it is a workbook: ${saveAsCsv} If it is an archive, unpack it first.`,
    },
  ],
  [[0x50, 0x4b, 0x05, 0x06], { what: 'an empty zip archive', next: 'Export it again.' }],
  [[0xd0, 0xcf, 0x11, 0xe0], { what: 'an old Excel workbook (.xls)', next: saveAsCsv }],
  [[0x25, 0x50, 0x44, 0x46], { what: 'a PDF', next: 'Export the people as CSV instead.' }],
  [[0x7b, 0x5c, 0x72, 0x74, 0x66], { what: 'a rich text document', next: 'Export the people as CSV instead.' }],
  [[0x3c, 0x21, 0x44, 0x4f, 0x43, 0x54], { what: 'a web page', next: 'Export the people as CSV instead.' }],
  [[0x3c, 0x68, 0x74, 0x6d, 0x6c], { what: 'a web page', next: 'Export the people as CSV instead.' }],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], { what: 'an SQLite database', next: 'Export the people as CSV instead.' }],
  [
    [0x28, 0xb5, 0x2f, 0xfd],
    { what: 'a Zstandard archive', next: 'Unpack it first; of compressed files, only .gz is read.' },
  ],
  [[0x42, 0x5a, 0x68], { what: 'a bzip2 archive', next: 'Unpack it first; of compressed files, only .gz is read.' }],
];

const gzip = [0x1f, 0x8b];

/** The longest signature that is looked for. */
export const signatureBytes = 6;

/** @param beginning The first bytes of the file. Undefined where it may be text. */
export function otherKindOf(beginning: Uint8Array): OtherKind | undefined {
  return kinds.find(([signature]) => startsWith(beginning, signature))?.[1];
}

export function isGzip(beginning: Uint8Array): boolean {
  return startsWith(beginning, gzip);
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}
