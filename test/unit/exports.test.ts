import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, test } from 'vitest';
import type { Invitee } from '../../lambdas/core/invitee.ts';
import { incomingPrefix, reportKey } from '../../lambdas/core/keys.ts';
import type { Status } from '../../lambdas/core/outcome.ts';
import { AccountBook, exportedFile, type JudgedRow, judgeFile } from '../support/exports.ts';
import { wholeJob } from '../support/wholeJob.ts';
import { newWorld, type World } from '../support/world.ts';

type ExpectedRow = readonly [row: number, status: Status, invitee?: Partial<Invitee>];

interface Layout {
  readonly system: string;
  readonly file: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly reading: { readonly encoding: string; readonly delimiter: string; readonly headerRow: number };
  readonly rows: readonly ExpectedRow[];
  /** A piece of each warning about the whole file, in any order. */
  readonly warnings?: readonly string[];
}

const management = 'Management';
const engineer = 'Software / Ops Engineer';

/** Written by hand from the files. Managers, recovery, home and second addresses stand beside every one of these. */
const layouts: readonly Layout[] = [
  {
    system: 'Google Workspace',
    file: 'google-workspace.csv',
    columns: {
      email: 'Email Address [Required]',
      firstName: 'First Name [Required]',
      lastName: 'Last Name [Required]',
      jobTitle: 'Employee Title',
    },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [3, 'skipped'],
      [4, 'invited', person('Ines.OMoreau@northlight.example', 'Inès', "O'Moreau")],
      [5, 'invited', person('ase.bjornstad@northlight.example', 'Åse', 'Bjørnstad-Öztürk')],
      [6, 'invited', person('build+ci@northlight.example', 'Build', 'Robot')],
      [7, 'skipped'],
      [8, 'duplicate'],
      [9, 'already_active'],
      [10, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra', 'Finance / Accounting')],
      [11, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
    ],
  },
  {
    system: 'Entra “Download users”',
    file: 'entra-users.csv',
    columns: { email: 'mail', firstName: 'givenName', lastName: 'surname', jobTitle: 'jobTitle' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', person('Nadia.Quist@northlight.example', 'Nadia', 'Quist', management)],
      [3, 'skipped'],
      [4, 'invited', person('lena.hoff@partner.example', 'Lena', 'Hoff')],
      [5, 'invalid'],
      [6, 'invited', person('ines.moreau@northlight.example', 'Inès', 'Moreau')],
      [7, 'already_active'],
      [8, 'skipped'],
      [9, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [10, 'duplicate'],
      [11, 'invited', person('bjorn.astrom@northlight.example', 'Björn', 'Åström')],
    ],
  },
  {
    system: 'Entra bulk invite',
    file: 'entra-bulk-invite.csv',
    columns: { email: 'Email address to invite [inviteeEmail] Required' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 2 },
    rows: [
      [3, 'invalid'],
      [4, 'invited', { email: 'nadia.quist@partner.example' }],
      [5, 'invited', { email: 'Jonas.Falk@partner.example' }],
      [6, 'invalid'],
      [7, 'invited', { email: 'ines.moreau@partner.example' }],
      [8, 'invited', { email: "pat.o'dell@partner.example" }],
      [9, 'duplicate'],
      [10, 'invalid'],
      [11, 'invited', { email: 'björn.åström@partner.example' }],
      [12, 'already_active'],
    ],
  },
  {
    system: 'Okta',
    file: 'okta.csv',
    columns: { email: 'email', firstName: 'firstName', lastName: 'lastName', jobTitle: 'title' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [3, 'skipped'],
      [4, 'invited', person('INES.MOREAU@northlight.example', 'Inès', 'Moreau')],
      [5, 'skipped'],
      [6, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra')],
      [7, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [8, 'invalid'],
      [9, 'already_active'],
      [10, 'invited', person('mei.lin@northlight.example', 'Mei "May"', 'Lin-Åberg')],
    ],
    warnings: ['“organization”'],
  },
  {
    system: 'Slack members',
    file: 'slack-members.csv',
    columns: { email: 'email' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'already_active'],
      [3, 'invited', { email: 'nadia.quist@northlight.example' }],
      [4, 'skipped'],
      [5, 'skipped'],
      [6, 'invited', { email: 'Ines.Moreau@northlight.example' }],
      [7, 'skipped'],
      [8, 'invited', { email: 'lena.hoff@partner.example' }],
      [9, 'invited', { email: 'pavel.novak@partner.example' }],
      [10, 'invited', { email: 'omar.reyes@northlight.example' }],
      [11, 'invited', { email: 'tomas.ibarra@northlight.example' }],
    ],
  },
  {
    system: 'BambooHR',
    file: 'bamboohr.csv',
    columns: { email: 'Work Email', jobTitle: 'Job Title' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', { email: 'nadia.quist@northlight.example', jobTitle: management }],
      [3, 'skipped'],
      [4, 'invited', { email: 'ines.moreau@northlight.example' }],
      [5, 'invalid'],
      [6, 'skipped'],
      [7, 'invited', { email: 'omar.reyes@northlight.example', jobTitle: engineer }],
      [8, 'already_active'],
      [9, 'invited', { email: "Pat.O'Dell@northlight.example" }],
      [10, 'invited', { email: 'freya.lindqvist@northlight.example' }],
      [12, 'invited', { email: 'mei.lin@northlight.example' }],
    ],
  },
  {
    system: 'SuccessFactors',
    file: 'successfactors.csv',
    columns: { email: 'EMAIL', firstName: 'FIRSTNAME', lastName: 'LASTNAME', jobTitle: 'TITLE' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [3, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [4, 'skipped'],
      [5, 'invited', person('Ines.Moreau@northlight.example', 'Inès', 'Moreau')],
      [6, 'invalid'],
      [7, 'skipped'],
      [8, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [9, 'duplicate'],
      [10, 'already_active'],
      [11, 'invited', person('bjorn.astrom@northlight.example', 'Björn', 'Åström')],
    ],
  },
  {
    system: 'Workday',
    file: 'workday.csv',
    columns: {
      email: 'Email - Primary Work',
      firstName: 'Legal First Name',
      lastName: 'Legal Last Name',
      jobTitle: 'Business Title',
    },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 5 },
    rows: [
      [6, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [7, 'skipped'],
      [8, 'invited', person('Ines.Moreau@northlight.example', 'Inès', 'Moreau')],
      [9, 'invalid'],
      [10, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra')],
      [11, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [12, 'duplicate'],
      [13, 'already_active'],
      [14, 'invited', person('bjorn.astrom@northlight.example', 'Björn "Bear"', 'Åström')],
    ],
  },
  {
    system: 'Workday, “Email” in its title',
    file: 'workday-email-title.csv',
    columns: {
      email: 'Email - Primary Work',
      firstName: 'First Name',
      lastName: 'Last Name',
      jobTitle: 'Business Title',
    },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 4 },
    rows: [
      [5, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist')],
      [6, 'skipped'],
      [7, 'invited', person('ines.moreau@northlight.example', 'Inès', 'Moreau')],
      [8, 'invited', person('petra.vance@northlight.example', 'Petra', 'Vance')],
      [9, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra')],
      [10, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes')],
      [11, 'invited', person('mei.lin@northlight.example', 'Mei', 'Lin')],
      [12, 'already_active'],
    ],
  },
  {
    system: 'ADP',
    file: 'adp.csv',
    columns: {
      email: 'Work Contact: Work Email',
      firstName: 'Legal First Name',
      lastName: 'Legal Last Name',
      jobTitle: 'Job Title Description',
    },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [3, 'skipped'],
      [4, 'invited', person('INES.MOREAU@northlight.example', 'Inès', 'Moreau')],
      [5, 'invalid'],
      [6, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra')],
      [7, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [8, 'skipped'],
      [9, 'already_active'],
      [10, 'invited', person("pat.o'dell@northlight.example", 'Pat', "O'Dell")],
    ],
  },
  {
    system: 'Rippling',
    file: 'rippling.csv',
    columns: { email: 'Work email', firstName: 'First name', lastName: 'Last name', jobTitle: 'Title' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [3, 'skipped'],
      [4, 'invited', person('Ines.Moreau@northlight.example', 'Inès', 'Moreau')],
      [5, 'invalid'],
      [6, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra')],
      [7, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [8, 'invited', person('mei.lin@northlight.example', 'Mei', 'Lin')],
      [9, 'already_active'],
      [10, 'skipped'],
    ],
  },
  {
    system: 'HiBob',
    file: 'hibob.csv',
    columns: { email: 'Email', firstName: 'First name', lastName: 'Last name', jobTitle: 'Job title' },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', person('nadia.quist@northlight.example', 'Nadia', 'Quist', management)],
      [3, 'skipped'],
      [4, 'invited', person('Ines.Moreau@northlight.example', 'Inès', 'Moreau')],
      [5, 'invited', person('petra.vance@northlight.example', 'Petra', 'Vance')],
      [6, 'invited', person('tomas.ibarra@northlight.example', 'Tomás', 'Ibarra')],
      [7, 'invited', person('omar.reyes@northlight.example', 'Omar', 'Reyes', engineer)],
      [8, 'skipped'],
      [9, 'already_active'],
      [10, 'invalid'],
    ],
  },
  {
    system: 'Personio',
    file: 'personio.csv',
    columns: { email: 'E-Mail', firstName: 'Vorname', lastName: 'Nachname', jobTitle: 'Position' },
    reading: { encoding: 'windows-1252', delimiter: ';', headerRow: 1 },
    rows: [
      [2, 'invited', person('juergen.mueller@nordlicht.example', 'Jürgen', 'Müller', management)],
      [3, 'skipped'],
      [4, 'invited', person('Bjoern.Oeztuerk@nordlicht.example', 'Björn', 'Öztürk-Šimek')],
      [5, 'skipped'],
      [6, 'invited', person('aenne.grosskreutz@nordlicht.example', 'Änne', 'Großkreutz')],
      [7, 'invalid'],
      [8, 'invited', person('renee.lefevre@nordlicht.example', 'Renée', 'Lefèvre', engineer)],
      [9, 'already_invited'],
      [10, 'invited', person('mei.lin@nordlicht.example', 'Mei "May"', 'Lin')],
    ],
  },
  {
    system: "DoiT's template",
    file: 'doit-template.csv',
    columns: {
      email: 'userEmail',
      firstName: 'firstName',
      lastName: 'lastName',
      jobTitle: 'jobFunction',
      role: 'userRole',
    },
    reading: { encoding: 'utf-8', delimiter: ',', headerRow: 1 },
    rows: [
      [2, 'invited', { ...person('nadia.quist@northlight.example', 'Nadia', 'Quist', management), roleId: 'role-1' }],
      [
        3,
        'invited',
        {
          ...person('Jonas.Falk@northlight.example', 'Jonas', 'Falk', 'Data Engineer / Data Analysts'),
          roleId: 'role-1',
        },
      ],
      [4, 'invited', person('ines.moreau@northlight.example', 'Inès', 'Moreau', engineer)],
      [5, 'invalid'],
      [6, 'invited', { ...person('omar.reyes@northlight.example', 'Omar', 'Reyes'), roleId: 'role-1' }],
      [7, 'duplicate'],
      [8, 'invalid'],
      [9, 'already_active'],
      [10, 'invalid'],
      [
        11,
        'invited',
        { ...person('mei.lin@northlight.example', 'Mei', 'Lin', 'Legal / Purchasing'), roleId: 'role-1' },
      ],
    ],
  },
];

/** What the reader still gets wrong. Each of these tests is expected to fail; the day it does not, its line goes. */
const knownGaps: readonly string[] = [];

const accounts = new AccountBook();

afterAll(() => {
  console.log(`\n${accounts}\n`);
});

describe.each(layouts)('A file of $system', ({ system, file, columns, reading, rows, warnings = [] }) => {
  unlessKnown(`${file}: columns`)('has its columns taken for what they are, and says how it was read', async () => {
    const { summary } = await runJob(exportedFile(file));
    expect(summary?.error).toBeUndefined();
    const { stillThere: _stillThere, emailWhereBlank: _emailWhereBlank, ...used } = summary?.columns.used ?? {};
    expect(used).toEqual(columns);
    expect(summary?.reading).toEqual(reading);
  });

  unlessKnown(`${file}: warnings`)('warns of what was not understood, and of nothing else', async () => {
    const { summary } = await runJob(exportedFile(file));
    expect(summary?.error).toBeUndefined();
    for (const warning of warnings) {
      expect(summary?.warnings).toContainEqual(expect.stringContaining(warning));
    }
    expect(summary?.warnings.filter((found) => !warnings.some((warning) => found.includes(warning)))).toEqual([]);
  });

  unlessKnown(`${file}: rows`)('gives every person the right outcome, and invites by the right address', async () => {
    const { outcomes, invitees } = await runJob(exportedFile(file));
    const invited = new Set(outcomes.filter(({ status }) => status === 'invited').map(({ row }) => row));
    const shouldBe = new Set(rows.filter(([, status]) => status === 'invited').map(([row]) => row));
    accounts.add(system, {
      recordsIn: rows.length,
      rowsOut: outcomes.length,
      wronglyRefused: [...shouldBe].filter((row) => !invited.has(row)).length,
      wronglyAccepted: [...invited].filter((row) => !shouldBe.has(row)).length,
    });
    expect(outcomes).toEqual(rows.map(([row, status]) => ({ row, status })));
    expect(invitees).toEqual(byEmail(rows.flatMap(([, , invitee]) => (invitee === undefined ? [] : [invitee]))));
  });

  unlessKnown(`${file}: retry`)('is taken again from retry.csv, unedited, after a run that failed', async () => {
    const failed = await runJob(exportedFile(file), (world) => {
      world.api.onInvite = () => ({ answer: serverError, effect: false });
    });
    expect(failed.outcomes.filter(({ status }) => status === 'invited')).toEqual([]);
    const first = await runJob(exportedFile(file));
    const again = await runJob(failed.retry);
    expect(again.summary?.reading).toMatchObject({ encoding: reading.encoding, delimiter: reading.delimiter });
    expect(again.invitees).toEqual(first.invitees);
    expect(again.invitees).toHaveLength(rows.filter(([, status]) => status === 'invited').length);
    expect(again.outcomes.filter(({ status }) => status !== 'invited')).toEqual([]);
  });

  unlessKnown(`${file}: results`)('is taken again from results.csv, with the same people', async () => {
    const first = await runJob(exportedFile(file));
    const again = await runJob(first.results);
    expect(again.invitees).toEqual(first.invitees);
    expect(again.outcomes.map(({ status }) => status)).toEqual(rows.map(([, status]) => status));
  });

  unlessKnown(`${file}: cells`)('has the same cells in the results.csv of its results.csv', async () => {
    const first = await runJob(exportedFile(file));
    const again = await runJob(first.results);
    expect(again.table).toEqual(first.table);
  });
});

const serverError = {
  kind: 'in_doubt',
  doubt: { reason: 'server_error', httpStatus: 500, detail: 'HTTP 500', mayBeOurs: true, mayStillHappen: false },
} as const;

/** Every test has the same directory, and knows what was sent. */
async function runJob(upload: Buffer, arrange: (world: World) => void = () => undefined) {
  const world = newWorld();
  world.api.users.set('greta.holm@northlight.example', { id: 'user-greta', status: 'active' });
  world.api.users.set('greta.gruenwald@nordlicht.example', { id: 'user-gruenwald', status: 'invited' });
  const sent: Invitee[] = [];
  world.api.onInvite = (invitee) => {
    sent.push(invitee);
    return undefined;
  };
  arrange(world);
  const { jobId, summary } = await wholeJob(world, upload);
  const file = (name: 'results.csv' | 'retry.csv') =>
    world.store.bytesOf(reportKey(`${incomingPrefix}people.csv`, jobId, name));
  const results = file('results.csv');
  const [header = [], ...lines] = readTable(results, summary?.reading?.delimiter ?? ',');
  const column = (name: string) => header.indexOf(name);
  return {
    summary,
    results,
    retry: file('retry.csv'),
    invitees: byEmail(sent),
    outcomes: lines.map((cells) => ({
      row: Number(cells[column('invite_row')]),
      status: cells[column('invite_status')] ?? '',
    })),
    /** What came from the upload. */
    table: [header, ...lines].map((cells) => cells.slice(0, column('invite_row'))),
  };
}

function readTable(bytes: Buffer, delimiter: string): string[][] {
  return parse(bytes, { bom: true, delimiter, relax_column_count: true });
}

function byEmail<T extends Partial<Invitee>>(invitees: readonly T[]): T[] {
  return [...invitees].sort((a, b) => ((a.email ?? '') < (b.email ?? '') ? -1 : 1));
}

function person(email: string, firstName: string, lastName: string, jobTitle?: string): Partial<Invitee> {
  return { email, firstName, lastName, ...(jobTitle === undefined ? {} : { jobTitle }) };
}

function unlessKnown(name: string) {
  return knownGaps.includes(name) ? test.fails : test;
}

// One damaged record among thirty.

interface Table {
  readonly delimiter: string;
  readonly isQuoted: boolean;
}

interface Damage {
  readonly what: string;
  /** The record's line, damaged. */
  readonly inflict: (cells: readonly string[], table: Table) => string | Buffer;
  /** How many rows the record may become, and whether the person may be invited all the same. */
  readonly rows: (table: Table) => number;
  readonly mayBeInvited: (table: Table) => boolean;
}

const mebibyte = 1024 * 1024;

const damages: readonly Damage[] = [
  refused('too few cells', (cells, table) => line(cells.slice(0, 3), table)),
  refused('too many cells', (cells, table) => line([...cells, 'surplus'], table)),
  {
    what: 'a quote within a cell',
    // Without quotes around the cell, it is a character like any other.
    inflict: (cells, table) => line(cells, table).replace('first-', 'fir"st-'),
    rows: () => 1,
    mayBeInvited: ({ isQuoted }) => !isQuoted,
  },
  refused('text behind a closing quote', (cells, table) =>
    table.isQuoted
      ? line(cells, table).replace('"last-', '"Dr" last-')
      : line(cells, table).replace('last-', '"Dr" last-'),
  ),
  refused('a quote opened and not closed', (cells, table) =>
    table.isQuoted
      ? line(cells, table).replace(/(first-\d+)"/u, '$1')
      : line(cells, table).replace('first-', '"first-'),
  ),
  refused('a quote opened in the last cell and not closed', (cells, table) =>
    table.isQuoted ? line(cells, table).slice(0, -1) : line(cells, table).replace('note-', '"note-'),
  ),
  refused('a NUL in the address', (cells, table) => line(cells, table).replace('@', '\0@')),
  refused('a line of a megabyte', (cells, table) =>
    line(cells, table).replace('note-', `note-${'x'.repeat(mebibyte)}`),
  ),
  refused('a byte that is not UTF-8 in the address', (cells, table) => {
    const bytes = Buffer.from(line(cells, table));
    const at = bytes.indexOf('@');
    return Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at)]);
  }),
  {
    what: 'a carriage return in the middle',
    inflict: (cells, table) => line(cells, table).replace('first-', 'fir\rst-'),
    // It ends a line, except between quotes, where it is a part of the cell.
    rows: ({ isQuoted }) => (isQuoted ? 1 : 2),
    mayBeInvited: ({ isQuoted }) => isQuoted,
  },
];

const delimiterNames = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' } as const;
const tables = Object.entries(delimiterNames).flatMap(([delimiter, name]) =>
  [false, true].map((isQuoted) => ({ delimiter, isQuoted, name: `${name}, ${isQuoted ? 'all quoted' : 'unquoted'}` })),
);
const recordCount = 30;
const places = [0, 14, 29] as const;

describe.each(tables)('In a table of thirty people ($name)', (table) => {
  test.each(damages)('$what in one record is told of that record and harms no other', async (damage) => {
    const people = peopleOf(table);
    const misses: string[] = [];
    for (const place of places) {
      const judged = await judgeFile(fileOf(people, table, place, damage));
      const name = `${damage.what}, ${table.isQuoted ? 'all quoted' : 'unquoted'}`;
      accounts.add(name, settle(judged, people, place, damage, table, misses));
    }
    expect(misses).toEqual([]);
  });
});

describe('An unclosed quote', () => {
  const table = { delimiter: ',', isQuoted: false };

  unlessKnown('two stray quotes in one column')(
    'refuses the rows up to a stray quote that closes it: they may stand in a cell of somebody else’s',
    async () => {
      const lines = peopleOf(table).map((cells) => line(cells, table));
      lines[4] = (lines[4] ?? '').replace('first-', '"first-');
      lines[20] = (lines[20] ?? '').replace('first-20', 'first-20"');
      await expectOnlyRefused('an unclosed quote, then a stray one in its column', lines, rowsFrom(6, 22));
    },
  );

  unlessKnown('a later cell that begins with the delimiter')(
    'refuses the rows up to a later quoted cell that begins with the delimiter and so closes it',
    async () => {
      const lines = peopleOf(table).map((cells) => line(cells, table));
      lines[4] = (lines[4] ?? '').replace('first-', '"first-');
      lines[20] = (lines[20] ?? '').replace(/last-[^,]*/u, '", $&"');
      await expectOnlyRefused('an unclosed quote, then a cell like ", x"', lines, rowsFrom(6, 22));
    },
  );

  test('does not swallow the rows up to a later quoted cell', async () => {
    const lines = peopleOf(table).map((cells) => line(cells, table));
    lines[4] = (lines[4] ?? '').replace('first-', '"first-');
    lines[20] = (lines[20] ?? '').replace(/last-[^,]*/u, '"$&, PhD"');
    await expectOnlyRefused('an unclosed quote, then a quoted cell', lines, [6]);
  });

  test('does not swallow the rows up to a later empty quoted cell', async () => {
    const lines = peopleOf(table).map((cells) => line(cells, table));
    lines[4] = (lines[4] ?? '').replace('first-', '"first-');
    lines[20] = (lines[20] ?? '').replace(/last-[^,]*/u, '""');
    await expectOnlyRefused('an unclosed quote, then an empty quoted cell', lines, [6]);
  });
});

function rowsFrom(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

async function expectOnlyRefused(name: string, lines: readonly string[], rows: readonly number[]): Promise<void> {
  const judged = await judgeFile(Buffer.from([header.join(','), ...lines, ''].join('\r\n')));
  const refusedRows = rowsRefused(judged);
  const sound = judged.filter(({ judgement }) => judgement.kind === 'invitee').map(({ record }) => record.row);
  const wronglyAccepted = rows.filter((row) => sound.includes(row)).length;
  accounts.add(name, {
    recordsIn: lines.length,
    rowsOut: judged.length,
    wronglyRefused: lines.length - rows.length - (sound.length - wronglyAccepted),
    wronglyAccepted,
  });
  expect(judged.map(({ record }) => record.row)).toEqual(lines.map((_, index) => index + 2));
  expect(refusedRows).toEqual(rows);
}

const header = ['Email', 'First name', 'Last name', 'Job title', 'Note'];

/** Some of it beyond ASCII; where everything is quoted, some notes have delimiters, quotes and line breaks. */
function peopleOf({ delimiter, isQuoted }: Table): readonly (readonly string[])[] {
  return Array.from({ length: recordCount }, (_, index) => {
    const note = isQuoted && index % 7 === 4 ? `note-${index}${delimiter} "so"\r\nand on` : `note-${index}`;
    return [`person-${index}@northlight.example`, `first-${index}`, `last-${index} Åström`, management, note];
  });
}

function line(cells: readonly string[], { delimiter, isQuoted }: Table): string {
  return cells.map((cell) => (isQuoted ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter);
}

function fileOf(people: readonly (readonly string[])[], table: Table, place: number, { inflict }: Damage): Buffer {
  const lines = people.map((cells, index) => (index === place ? inflict(cells, table) : line(cells, table)));
  return Buffer.concat([line(header, table), ...lines].flatMap((text) => [Buffer.from(text), Buffer.from('\r\n')]));
}

/** Compares what came out with what went in, and notes every miss. */
function settle(
  judged: readonly JudgedRow[],
  people: readonly (readonly string[])[],
  place: number,
  { rows, mayBeInvited }: Damage,
  table: Table,
  misses: string[],
) {
  const byRow = new Map(judged.map((row) => [row.record.row, row]));
  const damagedRows = Array.from({ length: rows(table) }, (_, index) => place + 2 + index);
  const surplus = damagedRows.length - 1;
  const harmed = people.flatMap((cells, index) => {
    if (index === place) return [];
    const row = index + 2 + (index > place ? surplus : 0);
    return isUnharmed(byRow.get(row), cells) ? [] : [row];
  });
  const accepted = damagedRows.filter((row) => byRow.get(row)?.judgement.kind === 'invitee');
  const wronglyAccepted = mayBeInvited(table) ? [] : accepted;
  if (harmed.length > 0) misses.push(`Damage in row ${place + 2} harmed rows ${harmed.join(', ')}.`);
  if (wronglyAccepted.length > 0) misses.push(`The damaged row ${wronglyAccepted.join(', ')} was accepted.`);
  const recordsIn = people.length + surplus;
  if (judged.length !== recordsIn) misses.push(`Damage in row ${place + 2}: ${recordsIn} in, ${judged.length} out.`);
  return {
    recordsIn,
    rowsOut: judged.length,
    wronglyRefused: harmed.length,
    wronglyAccepted: wronglyAccepted.length,
  };
}

function isUnharmed(row: JudgedRow | undefined, cells: readonly string[]): boolean {
  return row?.judgement.kind === 'invitee' && JSON.stringify(row.record.cells) === JSON.stringify(cells);
}

function rowsRefused(judged: readonly JudgedRow[]): number[] {
  return judged.filter(({ judgement }) => judgement.kind === 'settled').map(({ record }) => record.row);
}

function refused(what: string, inflict: Damage['inflict']): Damage {
  return { what, inflict, rows: () => 1, mayBeInvited: () => false };
}
