import { describe, expect, test } from 'vitest';
import type { Mapping } from '../../../lambdas/core/columns.ts';
import { WholeFileFault } from '../../../lambdas/core/fault.ts';
import { uploadLimits } from '../../../lambdas/core/limits.ts';
import { findReading, headerOnly, type Inspection, isRow, type Reading } from '../../../lambdas/core/reading.ts';
import { RecordReader, type TextRecord } from '../../../lambdas/core/recordReader.ts';

const inspection = (sample: string, changes: Partial<Inspection> = {}): Inspection => ({
  encoding: 'utf-8',
  hasByteOrderMark: false,
  sample,
  isWhole: true,
  ...changes,
});

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

const found = (sample: string, mapping: Mapping = {}) => findReading(inspection(sample), mapping);

/** The rows that ingest would judge, as it reads them. */
function rowsOf(text: string, reading: Reading): TextRecord[] {
  const reader = new RecordReader(reading);
  return [...reader.push(text), ...reader.end()].filter((record) => isRow(record, reading));
}

function faultOf(sample: string, changes: Partial<Inspection> = {}): WholeFileFault['fault'] {
  try {
    findReading(inspection(sample, changes), {});
  } catch (error) {
    if (error instanceof WholeFileFault) return error.fault;
    throw error;
  }
  throw new Error('It was read.');
}

describe('a usual file', () => {
  test('is read as it was found', () => {
    const text = 'Vorname;E-Mail\r\nAnn;ann@example.com\r\n';
    expect(findReading(inspection(text, { encoding: 'windows-1252', hasByteOrderMark: true }), {})).toEqual({
      header: ['Vorname', 'E-Mail'],
      reading: {
        encoding: 'windows-1252',
        hasByteOrderMark: true,
        delimiter: ';',
        newline: '\r\n',
        headerRow: 1,
        firstRow: 2,
        width: 2,
      },
    });
  });

  test.each(['\n', '\r\n', '\r'] as const)('ends its lines with %j', (newline) => {
    expect(found(`email${newline}ann@example.com${newline}`).reading.newline).toBe(newline);
  });

  test('of which only the beginning is known may have its rows further on', () => {
    expect(findReading(inspection('email\n', { isWhole: false }), {}).reading.firstRow).toBe(2);
  });

  test('that was cut in the middle of a record is read up to there', () => {
    const { header } = findReading(inspection('email,name\nann@example.com,"An', { isWhole: false }), {});
    expect(header).toEqual(['email', 'name']);
  });
});

describe('the header', () => {
  test.each([
    ['in the first line', lines('email,name', 'ann@example.com,Ann'), 1, 2],
    ['below a line that names the delimiter', lines('sep=;', 'email;name', 'ann@example.com;Ann'), 2, 3],
    ['below title lines', lines('All workers', 'Run on 2026-01-02,by Bob', '', 'name,Work Email', 'A,a@b.co'), 4, 5],
    ['below blank lines', lines('', ',', 'email,name', 'ann@example.com,Ann'), 3, 4],
    ['below the version of a template', lines('version:v1.0', 'Email [inviteeEmail] Required,x', 'a@b.co,1'), 2, 3],
    ['in two lines, keys and labels', lines('USERID,EMAIL', 'User ID,E-mail', '1,ann@example.com'), 1, 3],
    ['below a title line with an address', lines('Email list by bob@example.com', 'email', 'a@b.co'), 2, 3],
    // Its lines count one by one: only a record of the header's width may hold line breaks.
    ['below a title over several lines', lines('"People of', 'all teams"', 'name,email', 'A,a@b.co'), 3, 4],
  ])('%s', (_, text, headerRow, firstRow) => {
    expect(found(text).reading).toMatchObject({ headerRow, firstRow });
  });

  test('is found by the column that was chosen for the email, where its own words do not tell', () => {
    const text = lines('People, all', 'Name,Login', 'Ann,ann@example.com');
    expect(found(text, { email: 'login' })).toMatchObject({ header: ['Name', 'Login'], reading: { headerRow: 2 } });
  });

  test('without an email column is the widest record, so that the message can show it', () => {
    const text = lines('People', 'Name,Phone', 'Ann,1');
    expect(found(text)).toMatchObject({ header: ['Name', 'Phone'], reading: { headerRow: 2 } });
  });

  test('is not looked for without end', () => {
    const titles = Array.from({ length: uploadLimits.headerLookedForInRecords }, (_, index) => `title ${index}`);
    expect(found(lines(...titles, 'email,name', 'a@b.co,A')).reading.headerRow).toBe(1);
    expect(found(lines(...titles.slice(1), 'email,name', 'a@b.co,A')).reading.headerRow).toBe(titles.length);
  });

  test('with the person’s address in the first line is not one of two', () => {
    const text = lines('email,title', 'ann@example.com,Email Specialist');
    expect(found(text).reading.firstRow).toBe(2);
  });

  // Any cell with the word in it counts as an email column.
  test('is not a title line that speaks of emails', () => {
    const text = lines('Employee email export', '', 'First name,Work email', 'Ann,ann@example.com');
    expect(found(text).reading).toMatchObject({ headerRow: 3, firstRow: 4 });
  });

  // The first person is taken for a second header line, and is in no report.
  test('does not swallow a first person who has no address and works in email', () => {
    const text = lines('name,email,title', 'Ann,,Email Marketing Specialist', 'Bob,bob@example.com,Founder');
    expect(rowsOf(text, found(text).reading).map(({ row }) => row)).toEqual([2, 3]);
  });

  // The rows of the sample are counted without the header's width, those of the file with it.
  test('is the same row when the file is read, below a title over several lines', () => {
    const text = lines('"People', 'of all teams, everywhere"', 'name,email', 'Ann,ann@example.com');
    expect(rowsOf(text, found(text).reading).map(({ cells }) => cells)).toEqual([['Ann', 'ann@example.com']]);
  });

  // The first line break of the text may stand in a cell of the header.
  test('may have a line break in a cell, which is not how the file ends its lines', () => {
    expect(found('"Work\nEmail",name\r\nann@example.com,Ann\r\n').reading.newline).toBe('\r\n');
  });
});

describe('rows', () => {
  const reading = { firstRow: 3 };
  const record = (changes: Partial<TextRecord>): TextRecord => ({ row: 3, cells: ['a'], raw: 'a', ...changes });

  test.each([
    ['below the header', record({}), true],
    ['above the first one', record({ row: 2 }), false],
    ['blank', record({ cells: ['', ' ', '\u00a0'] }), false],
    ['damaged', record({ cells: [''], damage: 'stray_quote' }), true],
    ['damaged, but above the first one', record({ row: 1, damage: 'stray_quote' }), false],
  ])('%s: %s', (_, candidate, expected) => {
    expect(isRow(candidate, reading)).toBe(expected);
  });

  test('blank lines between people are counted, but are no rows', () => {
    const text = lines('email,name', '', 'ann@example.com,Ann', ' , ', 'bob@example.com,Bob');
    expect(rowsOf(text, found(text).reading).map(({ row }) => row)).toEqual([3, 5]);
  });
});

describe('a file without people', () => {
  test.each(['', '\n', '\r\n\r\n', ' \n,,\n', 'sep=;\n'])('%j is empty', (text) => {
    expect(faultOf(text).code).toBe('empty_file');
  });

  test.each(['email', 'email\n', 'email,name\n\n , \n', 'sep=;\nemail;name\n', 'EMAIL,NAME\nE-mail,Name\n'])(
    '%j has a header and nothing else',
    (text) => {
      expect(faultOf(text)).toEqual(headerOnly().fault);
      expect(faultOf(text).code).toBe('header_only');
    },
  );
});
