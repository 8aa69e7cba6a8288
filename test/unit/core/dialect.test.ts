import { describe, expect, test } from 'vitest';
import { delimiters, findDialect } from '../../../lambdas/core/dialect.ts';

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

describe('the delimiter of a file', () => {
  test.each(delimiters)('%j is found from the header and the first records', (delimiter) => {
    const table = [
      ['Vorname', 'Nachname', 'E-Mail'],
      ['Ann', 'Lee', 'ann@example.com'],
      ['Bob', 'Ray', 'bob@example.com'],
    ];
    const text = lines(...table.map((cells) => cells.join(delimiter)));
    expect(findDialect(text)).toEqual({ delimiter, skippedRecords: 0 });
  });

  test('is not mistaken for the commas in names and job titles', () => {
    const text = lines('name;email;position', 'Lee, Ann;ann@example.com;Lead, Sales', 'Ray, Bob;bob@example.com;Head');
    expect(findDialect(text).delimiter).toBe(';');
  });

  test('is not mistaken for the comma in a header like “Last Name, First Name”', () => {
    const text = lines('"Last Name, First Name";Email;Phone', '"Lee, Ann";ann@example.com;1');
    expect(findDialect(text).delimiter).toBe(';');
  });

  test('is not looked for in quoted cells', () => {
    expect(findDialect(lines('email,notes', 'ann@example.com,"a;b;c;d"', 'bob@example.com,"a;b;c;d"')).delimiter).toBe(
      ',',
    );
  });

  test('is found below title lines and blank ones', () => {
    expect(findDialect(lines('Report, all people', '', 'name\temail', 'Ann\ta@b.example', 'Bob\tb@b.example'))).toEqual(
      {
        delimiter: '\t',
        skippedRecords: 0,
      },
    );
  });

  test('is a comma where the file has one column', () => {
    expect(findDialect(lines('email', 'ann@example.com')).delimiter).toBe(',');
    expect(findDialect('').delimiter).toBe(',');
  });

  test('is found where the text has no line break at its end', () => {
    expect(findDialect('name;email').delimiter).toBe(';');
  });

  // A wrong delimiter may score higher through more cells, though the header has none of it.
  test('is that of the header, even where each record has a list with many commas', () => {
    const people = Array.from({ length: 60 }, (_, index) => `p${index}@example.com;one, two, three, four, five`);
    expect(findDialect(lines('email;teams', ...people)).delimiter).toBe(';');
  });
});

describe('a file with everything in quotes', () => {
  const cells = (...all: readonly string[]): string => all.map((cell) => `"${cell}"`).join(';');

  test('has its delimiter found, too', () => {
    expect(findDialect(lines(cells('email', 'city'), cells('ann@example.com', 'Bern, CH'))).delimiter).toBe(';');
  });

  // Lines that a wrong delimiter damages do not count against it, so the ends of the cells with line breaks decide.
  test('has it found where cells with line breaks have commas behind them', () => {
    const person = cells('ann@example.com', '1 High Street\nBern, CH');
    expect(findDialect(lines(cells('email', 'address'), person, person)).delimiter).toBe(';');
  });
});

describe('a first line that names the delimiter', () => {
  test.each([
    ['sep=;\r\n', ';'],
    ['sep=,\n', ','],
    ['sep=\t\r', '\t'],
    ['sep=|', '|'],
  ])('%j is believed, whatever the rest looks like', (line, delimiter) => {
    expect(findDialect(`${line}a,b;c|d\te\n`.slice(0, line === 'sep=|' ? 5 : undefined))).toEqual({
      delimiter,
      skippedRecords: 1,
    });
  });

  test.each(['sep=^\n', 'sep=;x\n', 'x sep=;\n', '\nsep=;\n'])('%j is a line like any other', (line) => {
    expect(findDialect(`${line}a,b\n1,2\n`)).toEqual({ delimiter: ',', skippedRecords: 0 });
  });
});
