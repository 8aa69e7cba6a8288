import { expect, test } from 'vitest';
import { suggestDomain } from '../../../lambdas/core/domainTypos.ts';

test.each([
  ['gmial.com', 'gmail.com'],
  ['gmail.co', 'gmail.com'],
  ['hotmial.com', 'hotmail.com'],
  ['outlok.com', 'outlook.com'],
  ['acme.con', 'acme.com'],
  ['acme.co.ogr', 'acme.co.org'],
  ['mail.acme.nte', 'mail.acme.net'],
  ['gmail.con', 'gmail.com'],
])('“%s” is a typing mistake for %s', (domain, meant) => {
  expect(suggestDomain(domain)).toBe(meant);
});

test.each([
  ...['gmail.com', 'acme.com', 'acme.co', 'acme.cm', 'con.example', 'acme.community', 'acme.co.uk', 'yahoo.co.jp'],
  ...['googlemail.com', 'outlook.fr', 'acme.org', 'mygmial.com'],
])('“%s” is left alone', (domain) => {
  expect(suggestDomain(domain) ?? 'left alone').toBe('left alone');
});

// The tables are plain objects, which have a `constructor` of their own.
test('“acme.constructor” is left alone', () => {
  expect(suggestDomain('acme.constructor') ?? 'left alone').toBe('left alone');
});
