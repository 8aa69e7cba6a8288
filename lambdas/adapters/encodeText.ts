/**
 * Writes text in the encoding that an upload had.
 */
import type { Encoding } from '../core/encoding.ts';

export function encodeText(text: string, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case 'utf-8':
      return Buffer.from(text, 'utf-8');
    case 'utf-16le':
      return Buffer.from(text, 'utf16le');
    case 'utf-16be':
      return Buffer.from(text, 'utf16le').swap16();
    case 'windows-1252':
      return Uint8Array.from(text, (character) => bytesBy1252Character.get(character) ?? 0x3f);
    default:
      return encoding satisfies never;
  }
}

const bytesBy1252Character = new Map(
  Array.from({ length: 256 }, (_, byte) => [new TextDecoder('windows-1252').decode(Uint8Array.of(byte)), byte]),
);
