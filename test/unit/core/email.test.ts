import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emailKey, readEmail } from '../../../lambdas/core/email.ts';

describe('cells that hold an email address', () => {
  test.each([
    ['ann@example.com', 'ann@example.com'],
    ['  ann@example.com\t', 'ann@example.com'],
    ['\u00a0ann@example.com\u200b', 'ann@example.com'],
    ['\u200bann@example.com\u00a0', 'ann@example.com'],
    ['\ufeffann@example.com\r\n', 'ann@example.com'],
    ['Ann.Lee@EXAMPLE.Com', 'Ann.Lee@example.com'],
    ['Ann Lee <ann@example.com>', 'ann@example.com'],
    ['"Lee, Ann" < ann@example.com >', 'ann@example.com'],
    ['mailto:ann@example.com', 'ann@example.com'],
    ['Ann <MAILTO: ann@example.com>', 'ann@example.com'],
    ['ann+doit@example.co.uk', 'ann+doit@example.co.uk'],
    ["o'brien_{x}!#$%&*/=?^`|~-@a-b.example", "o'brien_{x}!#$%&*/=?^`|~-@a-b.example"],
    ['1@2.example', '1@2.example'],
    ['jürgen@münchen.example', 'jürgen@münchen.example'],
    ['用户@例子.广告', '用户@例子.广告'],
    [`${'a'.repeat(64)}@${'b'.repeat(63)}.com`, `${'a'.repeat(64)}@${'b'.repeat(63)}.com`],
  ])('%j is %s', (cell, email) => {
    expect(readEmail(cell)).toEqual({ kind: 'email', email });
  });
});

describe('cells that hold none', () => {
  test.each(['', '   ', '\t\r\n', '\u00a0\u200b\ufeff', '<>', 'mailto:', 'Ann < >'])('%j is blank', (cell) => {
    expect(readEmail(cell)).toEqual({ kind: 'blank' });
  });

  test.each([
    ['ann', 'there is no @ in it'],
    ['ann(at)example.com', 'there is no @ in it'],
    ['@example.com', 'nothing stands before the @'],
    ['ann@', 'nothing stands after the @'],
    ['ann lee@example.com', 'there is a blank in it'],
    ['ann@example.com; bob@example.com', 'there is a blank in it'],
    ['ann@example.com,bob@example.com', 'there is more than one @ in it'],
    ['ann@@example.com', 'there is more than one @ in it'],
    ['"ann"@example.com', 'quoted names before the @ are not accepted'],
    ['.ann@example.com', 'the part before the @ has a character or a dot that cannot stand there'],
    ['ann.@example.com', 'the part before the @ has a character or a dot that cannot stand there'],
    ['ann..lee@example.com', 'the part before the @ has a character or a dot that cannot stand there'],
    ['ann,lee@example.com', 'the part before the @ has a character or a dot that cannot stand there'],
    ['a\u200bnn@example.com', 'the part before the @ has a character or a dot that cannot stand there'],
    ['a\u0000nn@example.com', 'the part before the @ has a character or a dot that cannot stand there'],
    [`${'a'.repeat(65)}@example.com`, 'the part before the @ is longer than 64 characters'],
    ['ann@[127.0.0.1]', 'an address literal is not accepted as a domain'],
    ['ann@example', 'the domain has no dot'],
    ['ann@example.', 'the domain has an empty part'],
    ['ann@.example.com', 'the domain has an empty part'],
    ['ann@example..com', 'the domain has an empty part'],
    ['ann@-example.com', 'the domain is not a valid one'],
    ['ann@example-.com', 'the domain is not a valid one'],
    ['ann@exa mple.com', 'the domain is not a valid one'],
    ['ann@exam_ple.com', 'the domain is not a valid one'],
    ['ann@example.com;', 'the domain is not a valid one'],
    [`ann@${'b'.repeat(64)}.com`, 'the domain is not a valid one'],
    ['ann@127.0.0.1', 'the domain ends in a number'],
    [`${'a'.repeat(64)}@${'b.'.repeat(94)}co`, 'it is longer than 254 characters'],
  ])('%j is refused, and it says why: %s', (cell, reason) => {
    expect(readEmail(cell)).toEqual({ kind: 'refused', reason });
  });
});

describe('any cell', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'aZ9@@..-+_<> :ßİΣé\u00a0\u200b"'), maxLength: 30 }),
    // Mostly addresses.
    fc
      .string({ unit: fc.constantFrom(...'aZ9.-İΣé'), minLength: 1, maxLength: 10 })
      .map((text) => `${text}@${text}.CoM`),
  );

  test('an address that was read once stays the same when it is read again', () => {
    let emails = 0;
    fc.assert(
      fc.property(cell, (text) => {
        const reading = readEmail(text);
        if (reading.kind !== 'email') return;
        emails += 1;
        expect(readEmail(reading.email)).toEqual(reading);
      }),
      { numRuns: 2000 },
    );
    expect(emails).toBeGreaterThan(100);
  });

  test('the key of an address is the key of its key', () => {
    fc.assert(
      fc.property(cell, (text) => {
        expect(emailKey(emailKey(text))).toBe(emailKey(text));
      }),
    );
  });

  test('blanks around it, a name before it and another case of it are the same person', () => {
    fc.assert(
      fc.property(cell, (text) => {
        const reading = readEmail(text);
        if (reading.kind !== 'email') return;
        for (const spelling of [` ${reading.email}\u00a0`, `Some Body <${reading.email}>`, `MailTo:${reading.email}`]) {
          expect(readEmail(spelling)).toEqual(reading);
        }
      }),
    );
    expect(emailKey('ANN@Example.com')).toBe(emailKey('ann@example.COM'));
  });

  test('a cell full of blanks is read at once', () => {
    const startedAtMs = performance.now();
    readEmail(`a${' '.repeat(20_000)}b`);
    expect(performance.now() - startedAtMs).toBeLessThan(50);
  });
});

test('an internationalised domain is the same in both of its spellings', () => {
  expect(emailKey('Ann@M\u00fcller.example')).toBe(emailKey('ann@xn--mller-kva.example'));
  expect(emailKey('ann@mu\u0308ller.example')).toBe(emailKey('ann@xn--mller-kva.example'));
});
