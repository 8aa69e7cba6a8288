import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeText } from '../../../lambdas/adapters/encodeText.ts';

describe('text in the encoding of an upload', () => {
  test.each([
    ['utf-8', 'é€', [0xc3, 0xa9, 0xe2, 0x82, 0xac]],
    ['utf-16le', 'é😀', [0xe9, 0x00, 0x3d, 0xd8, 0x00, 0xde]],
    ['utf-16be', 'é😀', [0x00, 0xe9, 0xd8, 0x3d, 0xde, 0x00]],
    ['windows-1252', 'é€’Œ', [0xe9, 0x80, 0x92, 0x8c]],
    ['windows-1252', '李😀a', [0x3f, 0x3f, 0x61]],
    ['utf-8', '\ufeffa', [0xef, 0xbb, 0xbf, 0x61]],
    ['utf-16be', '\ufeffa', [0xfe, 0xff, 0x00, 0x61]],
  ] as const)('%s of “%s”', (encoding, text, bytes) => {
    expect([...encodeText(text, encoding)]).toEqual(bytes);
  });

  test.each(['utf-8', 'utf-16le', 'utf-16be'] as const)('%s is decoded to the same', (encoding) => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(new TextDecoder(encoding, { ignoreBOM: true }).decode(encodeText(text, encoding))).toBe(text);
      }),
    );
  });

  test('windows-1252 is decoded to the same, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = new TextDecoder('windows-1252').decode(bytes);
        expect([...encodeText(text, 'windows-1252')]).toEqual([...bytes]);
      }),
    );
  });
});
