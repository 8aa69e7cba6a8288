import { expect, test } from 'vitest';
import { headerKey, headerWords } from '../../../lambdas/core/headerName.ts';

test.each([
  ['Email Address [Required]', 'email address'],
  ['Email address to invite [inviteeEmail] Required', 'email address to invite'],
  ['E-Mail*', 'email'],
  ['e-mails', 'email'],
  ['emailAddress', 'email address'],
  ['USER_EMAIL', 'user email'],
  [' Work  Contact: Work Email ', 'work contact work email'],
  ['Prénom', 'prenom'],
  ['Beschäftigungsstatus', 'beschaftigungsstatus'],
  ['ＥＭＡＩＬ', 'email'],
  ['Manager - Work email', 'manager work email'],
  ['address2Line', 'address2 line'],
  ['\ufeffEmail\u00a0', 'email'],
  ['氏名', '氏名'],
  ['***', ''],
  ['', ''],
])('the words of %j are “%s”', (header, words) => {
  expect(headerWords(header).join(' ')).toBe(words);
});

test('capitals, blanks, dashes and underscores do not matter', () => {
  const spellings = ['First Name', 'firstName', 'FIRST_NAME', 'first-name', 'first.name', ' First  Name* '];
  expect(new Set(spellings.map(headerKey))).toEqual(new Set(['firstname']));
});
