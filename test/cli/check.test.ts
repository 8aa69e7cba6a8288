import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from '../support/command.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples');

let desk: Desk;

beforeEach(() => {
  desk = openDesk();
});

afterEach(() => {
  desk.close();
});

describe('bulk-invite check', () => {
  test('tells how a file is read, what each column is, who would be invited and what is wrong', async () => {
    const { code, stdout } = await desk.run(['check', join(examples, 'every-status.csv')]);
    expect(code).toBe(2);
    expect(stdout).toContain('UTF-8, comma between cells, LF at line ends');
    expect(stdout).toMatch(/email +Email\n/u);
    expect(stdout).toContain('row 2: nadia.quist@northlight.example, firstName Nadia');
    expect(stdout).toContain('row 8, Email: “milo.arends@northlight” is not an email address: the domain has no dot.');
    expect(stdout).toContain(
      '13 rows · 9 to invite, unless they are users already · 1 duplicate · 3 with problems. Nothing was sent.',
    );
  });

  test('ends with 0 where nothing is wrong, and leaves nothing behind', async () => {
    const file = desk.file('people.csv', 'email\na@acme.example\n');
    expect((await desk.run(['check', file])).code).toBe(0);
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(desk.folder)).toEqual(['people.csv']);
  });

  test('with --json prints the same for machines', async () => {
    const { code, stdout } = await desk.run(['check', join(examples, 'every-status.csv'), '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'every-status.csv',
      reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
      rows: 13,
      invitees: 9,
      counts: { duplicate: 1, invalid: 3 },
      problems: { count: 3 },
    });
  });

  test.each([
    ['a workbook', Buffer.from('PK\u0003\u0004rest'), 'save it as “CSV UTF-8”'],
    ['a PDF', Buffer.from('%PDF-1.7 rest'), 'Export the people as CSV instead'],
    [
      'text of no encoding that is known',
      Buffer.from('email\nJ\u0081rg M\u0081ller,a@acme.example\n', 'latin1'),
      'Save it as “CSV UTF-8”',
    ],
    [
      'a file with two work addresses',
      Buffer.from('Work Email,Business Email\na@acme.example,b@acme.example\n'),
      '--map email="Work Email"',
    ],
  ])('says what to do with %s', async (_name, bytes, sentence) => {
    const { code, stdout } = await desk.run(['check', desk.file('people.csv', bytes)]);
    expect(code).toBe(1);
    expect(stdout).toContain(sentence);
  });

  test('takes the choice of a column, the allowed domains and people who have left', async () => {
    const file = desk.file(
      'people.csv',
      'Work Email,Business Email,Status\na@acme.example,b@acme.example,terminated\nc@other.example,d@acme.example,active\n',
    );
    const options = ['--map', 'email=business email', '--allow-domain', 'acme.example', '--invite-gone', '--json'];
    const { stdout } = await desk.run(['check', file, ...options]);
    expect(JSON.parse(stdout).firstInvitees.map(({ email }: { email: string }) => email)).toEqual([
      'b@acme.example',
      'd@acme.example',
    ]);
    const wrong = await desk.run(['check', file, '--map', 'mail=Work Email']);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('the fields are email, firstName');
  });
});

describe('bulk-invite local with an export', () => {
  test('takes a compressed Windows-1252 file with semicolons, and a column that was chosen', async () => {
    const text =
      'Vorname;E-Mail;E-Mail Arbeit\nJörg;privat@acme.example;j@acme.example\nZoë;z@acme.example;zoe@acme.example\n';
    const file = desk.file('personal.csv.gz', gzipSync(Buffer.from(text, 'latin1')));
    const { code, stdout } = await desk.run(['local', file, '--json', '--out', 'out', '--map', 'email=E-Mail Arbeit']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      counts: { invited: 2 },
      columns: { used: { email: 'E-Mail Arbeit', firstName: 'Vorname' } },
      reading: { encoding: 'windows-1252', delimiter: ';' },
    });
  });
});
