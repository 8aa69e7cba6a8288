import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeText } from '../../../lambdas/adapters/encodeText.ts';
import { type EncodingFinding, EncodingSurvey } from '../../../lambdas/core/encoding.ts';

function survey(bytes: Uint8Array, size = bytes.length): EncodingFinding {
  const all = new EncodingSurvey();
  for (let start = 0; start < bytes.length; start += Math.max(1, size)) all.add(bytes.subarray(start, start + size));
  return all.end();
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf-8');
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const found = (encoding: string, hasByteOrderMark = false) => ({ kind: 'found', encoding, hasByteOrderMark });

const people = 'Vorname;Nachname;E-Mail\nJürgen;Müßig;juergen@example.com\nAndré;Peña;andre@example.com\n';

describe('text that can be read', () => {
  test.each([
    ['nothing', utf8(''), found('utf-8')],
    ['plain ASCII', utf8('email\nann@example.com\n'), found('utf-8')],
    ['UTF-8', utf8(people), found('utf-8')],
    ['UTF-8 with emoji and Chinese', utf8('name\n李😀\n'), found('utf-8')],
    ['UTF-8 with a mark', utf8(`\ufeff${people}`), found('utf-8', true)],
    ['UTF-16 LE with a mark', encodeText(`\ufeff${people}`, 'utf-16le'), found('utf-16le', true)],
    ['UTF-16 BE with a mark', encodeText(`\ufeff${people}`, 'utf-16be'), found('utf-16be', true)],
    ['UTF-16 LE without a mark', encodeText(people, 'utf-16le'), found('utf-16le')],
    ['UTF-16 BE without a mark', encodeText(people, 'utf-16be'), found('utf-16be')],
    ['Windows-1252', encodeText(people, 'windows-1252'), found('windows-1252')],
    ['Windows-1252 with O’Brien and €', encodeText('O’Brien;5 €;Renée\n', 'windows-1252'), found('windows-1252')],
    [
      'Windows-1252 with a letter at the very end',
      encodeText('name\nRenée;Café', 'windows-1252'),
      found('windows-1252'),
    ],
    [
      'Windows-1252 whose only such letter is its last',
      encodeText('name\nCafé', 'windows-1252'),
      found('windows-1252'),
    ],
    ['UTF-16 LE of Chinese with a mark', encodeText('\ufeff姓名\n李明\n', 'utf-16le'), found('utf-16le', true)],
  ])('%s', (_, bytes, finding) => {
    expect(survey(bytes)).toEqual(finding);
  });

  test('one broken byte does not make sound UTF-8 anything else', () => {
    const bytes = Buffer.concat([utf8('Jürgen;Müßig;Zoë;André\n'), Buffer.of(0xe9), utf8(';x\n')]);
    expect(survey(bytes)).toEqual(found('utf-8'));
  });

  test('a character that is cut off at the end does not, either', () => {
    expect(survey(utf8('Jürgen;Müßig;Zoë;André;é').subarray(0, -1))).toEqual(found('utf-8'));
  });
});

describe('text that cannot be read with confidence', () => {
  test.each([
    ['CP850, with ü', latin1('J\x81rgen;Schr\x94der\n'), 'are not Windows-1252 either'],
    ['Shift-JIS', latin1('\x8eR\x93c;\x91\xbe\x98Y;taro@example.com\n'), 'signs in the middle of words'],
    ['CP850, without ü', latin1('Schr\x94der;K\x94hler;R\x82my;Andr\x82s\n'), 'signs in the middle of words'],
    ['Mac Roman', latin1('Schr\x9ader;K\x9ahler;J\x9frgen;M\x9fller\n'), 'signs in the middle of words'],
    [
      'more of UTF-8 than of anything else',
      Buffer.concat([utf8('Jürgen;Zoë\n'), latin1('Ren\xe9e;x\n')]),
      'it is a mixture of encodings',
    ],
  ])('%s', (_, bytes, reason) => {
    expect(survey(bytes)).toEqual({ kind: 'undecodable', reason: expect.stringContaining(reason) });
  });

  // Only 0x80 to 0x9f between two ASCII letters count against Windows-1252, so these become garbage in names.
  test.each([
    ['CP850, Spanish', latin1('Garc\xa1a;Mu\xa4oz;L\xa2pez\n')],
    ['CP850, é at the end of a name', latin1('Jos\x82;Ren\x82;Andr\x82\n')],
    ['Mac Roman, é at the end of a name', latin1('Jos\x8e;Ren\x8e;Andr\x8e\n')],
    ['Windows-1251 (Cyrillic)', latin1('\xc8\xe2\xe0\xed;\xcf\xe5\xf2\xf0\xee\xe2;ivan@example.com\n')],
    ['GBK', latin1('\xd5\xc5\xce\xb0;\xc0\xee\xc4\xc8;li@example.com\n')],
  ])('%s', (_, bytes) => {
    expect(survey(bytes).kind).toBe('undecodable');
  });

  // Few zero bytes, and all others below 0x80, so it passes for UTF-8.
  test('UTF-16 without a mark is never taken for UTF-8, even where most of it is Cyrillic', () => {
    const text = 'email;имя;фамилия\na@b.ru;Александр;Константинопольский\nb@b.ru;Владимир;Преображенский\n';
    expect(survey(encodeText(text, 'utf-16le'))).not.toEqual(found('utf-8'));
  });
});

test('text in any encoding is found the same in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(people, 'Renée;Zoë\n', 'plain\n', '李明\n'),
      fc.constantFrom('utf-8' as const, 'utf-16le' as const, 'utf-16be' as const, 'windows-1252' as const),
      fc.integer({ min: 1, max: 9 }),
      (noise, text, encoding, size) => {
        const bytes = Buffer.concat([encodeText(text, encoding), noise]);
        expect(survey(bytes, size)).toEqual(survey(bytes));
      },
    ),
  );
});

test('any text in UTF-8 is found to be UTF-8 where it has no zero bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const clean = text.replaceAll('\u0000', '').replace(/^\ufeff/u, '');
      expect(survey(utf8(clean))).toEqual(found('utf-8'));
    }),
  );
});
