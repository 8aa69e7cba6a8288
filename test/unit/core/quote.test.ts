import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inert, inertJson, listNames, plain, quote } from '../../../lambdas/core/quote.ts';

describe('foreign text in a sentence', () => {
  test('stands in curly quotes', () => {
    expect(quote('Ann Lee')).toBe('“Ann Lee”');
    expect(quote('')).toBe('“”');
  });

  test('is cut to sixty characters, and shows that it was', () => {
    expect(quote('x'.repeat(60))).toBe(`“${'x'.repeat(60)}”`);
    expect(quote('x'.repeat(61))).toBe(`“${'x'.repeat(59)}…”`);
  });

  test.each([
    ['a line break', 'a\r\nb'],
    ['a tab', 'a\tb'],
    ['a terminal’s escape', 'a\u001bb'],
    ['a zero-width blank', 'a\u200bb'],
    ['a change of the writing direction', 'a\u202eb'],
    ['a line separator', 'a\u2028b'],
    ['several of them', 'a\u0000\u0007\u2029b'],
  ])('%s becomes one blank', (_, text) => {
    expect(plain(text, 60)).toBe('a b');
  });

  test('an emoji counts as one character and is never cut in half', () => {
    expect(plain('😀😀😀', 3)).toBe('😀😀😀');
    expect(plain('😀😀😀😀', 3)).toBe('😀😀…');
  });

  test('any text becomes one printable line, within the limit', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 120 }),
        fc.integer({ min: 1, max: 80 }),
        (text, charactersMax) => {
          const line = plain(text, charactersMax);
          expect([...line].length).toBeLessThanOrEqual(charactersMax);
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        },
      ),
    );
  });

  test('a character is not cut in half where unprintable ones stand before it', () => {
    expect(plain('\u0000\u0000\u0000😀', 2).isWellFormed()).toBe(true);
  });
});

/** What a terminal obeys. */
const obeyed = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

describe('text that is shown as it is', () => {
  test.each([
    ['Ann Lee, Zoë, 李, 😀, می‌خواهم', 'Ann Lee, Zoë, 李, 😀, می‌خواهم'],
    ['\u001b[31mred', '\ufffd[31mred'],
    ['a\r\nb\tc\u009b', 'a\ufffd\ufffdb\ufffdc\ufffd'],
    ['\u202eevil\u2066', '\ufffdevil\ufffd'],
    ['a\u2028b\u2029', 'a\ufffdb\ufffd'],
  ])('%j is shown as %j', (text, shown) => {
    expect(inert(text)).toBe(shown);
  });

  test('as JSON says the same when it is read, and nothing to a terminal', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const json = inertJson(value);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(json.replaceAll('\n', '')).not.toMatch(obeyed);
      }),
    );
    expect(inertJson({ a: '\u009b\u202e' })).toBe('{\n  "a": "\\u009b\\u202e"\n}');
  });
});

describe('a list of names', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);

  test('shows all while there are few', () => {
    expect(listNames(['Admin', 'Power User'])).toBe('“Admin”, “Power User”');
    expect(listNames([])).toBe('');
    expect(listNames(names(20))).toMatch(/“n20”$/u);
  });

  test('past twenty it says how many more there are', () => {
    expect(listNames(names(23))).toMatch(/“n20” and 3 more$/u);
  });
});
