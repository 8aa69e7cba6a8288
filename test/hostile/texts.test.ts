/**
 * Names, addresses, headers and answers that a spreadsheet, a browser, a terminal, a shell or a log would obey: wherever they
 * appear, they are shown and not obeyed, and no log has them at all.
 */

import type { Context, SQSRecord } from 'aws-lambda';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { consume, type HandleMessage } from '../../lambdas/consume.ts';
import type { InviteAnswer } from '../../lambdas/core/answers.ts';
import { restore } from '../../lambdas/core/formula.ts';
import { chunkKey, jobKey, manifestKey, reportKey, stopKey } from '../../lambdas/core/keys.ts';
import { plain } from '../../lambdas/core/quote.ts';
import { hostileTexts, mark, obeyed } from '../support/hostileTexts.ts';
import { reportFiles, runIngest, runReports, runWorkers, upload, useCasesOf } from '../support/wholeJob.ts';
import { newWorld, type World } from '../support/world.ts';

const texts = Object.values(hostileTexts);
/** What a spreadsheet runs. */
const formula = /^[\s"'\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r]/u;

function csvCell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Every text as a name, an address, a title, a role and a status, under headers that are hostile, too. */
function uploadOf(headers: readonly string[]): string {
  const lines = texts.flatMap((text, index) => [
    [`p${index}@acme.example`, text, 'x', text, '', 'active', text],
    [text, 'Ada', text, '', '', 'active', text],
    // With a line break in front of it, it would be taken for a row by itself.
    [`${text.replaceAll(/[\r\n]/gu, ' ')}@acme.example`, 'Ada', 'x', '', '', 'active', ''],
    [`r${index}@acme.example`, 'Ada', 'x', '', text, 'active', ''],
    [`s${index}@acme.example`, 'Ada', 'x', '', '', text, ''],
  ]);
  return [headers, ...lines].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

async function run(world: World, content: string, key = `incoming/${texts.join('')}.csv`) {
  await runIngest(world, await upload(world, content, key));
  await runWorkers(world);
  await runReports(world);
  return reportFiles(world, key);
}

const plainHeaders = ['email', 'first name', 'last name', 'job title', 'role', 'status', 'note'];

function expectInertPage(html: string): void {
  expect(html).not.toMatch(obeyed);
  const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/giu)].map((match) => match[1]));
  expect([...tags].sort()).toEqual(
    [...tags]
      .filter((tag) => /^(?:html|meta|title|style|h1|h2|p|table|thead|tbody|tr|th|td|ul|li)$/u.test(tag ?? ''))
      .sort(),
  );
  // Foreign text stands between tags, never within one.
  for (const [tag] of html.matchAll(/<[^>]*>/gu)) expect(tag).not.toContain(mark);
  expect(html).not.toMatch(/&(?!#\d+;)/u);
}

describe('hostile cells', () => {
  test('are a spreadsheet’s text in results.csv, and come in whole', async () => {
    const content = uploadOf(plainHeaders);
    const { results } = await run(newWorld(), content);
    const written = z.array(z.array(z.string())).parse(parse(results, { bom: true, relax_column_count: true }));
    const sent = z.array(z.array(z.string())).parse(parse(content));
    expect(written).toHaveLength(sent.length);
    for (const [index, cells] of written.entries()) {
      for (const cell of cells) expect(cell.startsWith("'") || !formula.test(cell), JSON.stringify(cell)).toBe(true);
      expect(cells.slice(0, plainHeaders.length).map(restore)).toEqual(sent[index]);
    }
    for (const cells of written.slice(1)) expect(cells.slice(plainHeaders.length).join('')).not.toMatch(obeyed);
  });

  test('stand in retry.csv to the letter', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({
      answer: {
        kind: 'in_doubt',
        doubt: {
          reason: 'server_error',
          httpStatus: 500,
          detail: 'status 500',
          mayBeOurs: true,
          mayStillHappen: false,
        },
      },
      effect: false,
    });
    const content = uploadOf(plainHeaders);
    const { retry, summary } = await run(world, content);
    const rows = summary?.files.find(({ name }) => name === 'retry.csv')?.rows ?? 0;
    expect(rows).toBeGreaterThan(texts.length);
    const [header = '', ...records] = recordsOf(content);
    expect(retry.startsWith(header)).toBe(true);
    const kept = records.filter((record) => retry.includes(record));
    expect(header + kept.join('')).toBe(retry);
    expect(kept).toHaveLength(rows);
  });

  test('are text in report.html, under hostile headers and a hostile name', async () => {
    const world = newWorld();
    const hostile = (field: string) => `${field} [${texts.join('')}]`;
    const { html } = await run(
      world,
      uploadOf(['Email', 'First name', 'Last name', 'Job title', 'Role', 'Status'].map(hostile).concat('note')),
    );
    expect(html).toContain(mark);
    expectInertPage(html);
  });

  test('do nothing on a terminal that shows summary.json, and are whole when it is read', async () => {
    const headers = [...plainHeaders.slice(0, -1), texts.join('')];
    const key = `incoming/${texts.join('')}.csv`;
    const world = newWorld();
    const { jobId, summary } = await run(world, uploadOf(headers), key);
    const text = world.store.texts().get(`reports/${key.slice(9)}/${jobId}/summary.json`) ?? '';
    expect(text).not.toMatch(obeyed);
    expect(summary?.columns.ignored).toEqual([texts.join('')]);
    expect(summary?.source.name).toBe(key.slice(9));
  });

  test('are sent to the API only where they are a name, and no name has controls in it', async () => {
    const world = newWorld();
    const sent: string[] = [];
    world.api.onInvite = (invitee) => {
      sent.push(JSON.stringify(invitee));
      for (const value of Object.values(invitee)) expect(value).not.toMatch(obeyed);
      return undefined;
    };
    await run(world, uploadOf(plainHeaders));
    expect(sent.length).toBeGreaterThan(texts.length);
  });

  test('are in no line of the log, whatever goes wrong', async () => {
    const world = newWorld();
    const key = `incoming/${texts.join('')}.csv`;
    const message = await upload(world, uploadOf(plainHeaders), key);
    const foreign = JSON.stringify({ [texts.join('')]: texts, columns: { used: { [mark]: texts } } });
    const { uploads, chunks, reports } = useCasesOf(world);
    const deliver = async (useCase: HandleMessage, ...bodies: string[]) => {
      const handle = consume(
        useCase,
        { hide: async () => Promise.reject(new Error('The queue is gone.')) },
        world.log,
        world.metrics,
      );
      await handle({ Records: [...bodies, foreign, texts.join('')].map(recordOf) }, context);
    };
    await deliver(uploads, message, message);
    await deliver(chunks, ...world.chunksQueue.bodies);
    const asked = [...world.reportsQueue.bodies];
    const { jobId } = reportFiles(world, key);
    for (const name of [
      reportKey(key, jobId, 'summary.json'),
      stopKey(jobId),
      chunkKey(jobId, 0),
      manifestKey(jobId),
      jobKey(jobId),
    ]) {
      await world.store.put(name, foreign, { kind: 'always' });
      await deliver(uploads, message);
      await deliver(chunks, ...world.chunksQueue.bodies);
      await deliver(reports, ...asked);
    }
    expect(world.log.lines.filter((line) => line.startsWith('message_failed')).length).toBeGreaterThan(20);
    for (const line of world.log.lines) expect(line).not.toContain(mark);
  });
});

/**
 * A cell with line breaks, of which one line is as a row of this file would be, cannot be told from an unclosed quote that
 * meets a later one. All its lines are damaged then: whoever may fill such a cell could add a row otherwise, with any role.
 */
test('a cell that holds a line like a row invites nobody', async () => {
  const world = newWorld();
  const note = 'Ann,Standard User\nevil@acme.example,Eve,role-1\nx,Cy';
  await run(world, `email,name,role\n"a@acme.example",${csvCell(note)},"Standard User"\n`, 'incoming/people.csv');
  expect([...world.api.users.keys()]).not.toContain('evil@acme.example');
});

describe('a column that is suggested in a command', () => {
  const hostile = [
    '$(touch x) email',
    '`touch x` email',
    'e"; touch x; email',
    'email \\',
    'email!!',
    '%PATH% email',
    'email \u001b[31m',
    'email \u202e',
  ];

  test.each(hostile)('is named by its place where a shell or a terminal would obey its name: %j', async (header) => {
    const content = [
      [header, 'Email'],
      ['a@acme.example', 'b@acme.example'],
    ]
      .map((cells) => `${cells.map(csvCell).join(',')}\n`)
      .join('');
    const { summary } = await run(newWorld(), content, 'incoming/people.csv');
    const told = [summary?.error?.message, ...(summary?.warnings ?? [])].join(' ');
    expect(told).toContain('--map email="#1"');
  });

  test('is named by its name where that is harmless', async () => {
    const { summary } = await run(
      newWorld(),
      'Regional e-mail (o’clock),Email\na@acme.example,b@acme.example\n',
      'incoming/people.csv',
    );
    expect(summary?.warnings.join('')).toContain('--map email="Regional e-mail (o’clock)"');
  });
});

describe('hostile words of the API', () => {
  test('are text in every file of the report', async () => {
    const world = newWorld();
    const answers = texts.map(
      (text): InviteAnswer => ({ kind: 'refused', httpStatus: 400, message: plain(text, 300) }),
    );
    world.api.onInvite = () => ({
      answer: answers.pop() ?? { kind: 'invited', httpStatus: 201, userId: texts.join('') },
      effect: false,
    });
    world.api.users.set('old@acme.example', { id: texts[0] ?? '', status: texts.join('') });
    const people = Array.from({ length: texts.length + 3 }, (_, index) => `p${index}@acme.example\n`).join('');
    const { html, results, summary } = await run(world, `email\nold@acme.example\n${people}`, 'incoming/people.csv');
    expect(summary?.counts).toMatchObject({ rejected: texts.length, invited: 3, already_exists: 1 });
    expectInertPage(html);
    for (const cells of z.array(z.array(z.string())).parse(parse(results, { bom: true }))) {
      for (const cell of cells) expect(cell.startsWith("'") || !formula.test(cell), JSON.stringify(cell)).toBe(true);
      expect(cells.at(-4)).not.toMatch(obeyed);
    }
  });
});

/** A record ends at a line feed behind a quote. */
function recordsOf(content: string): string[] {
  const ends = [...content.matchAll(/"\r\n(?="(?:p|r|s)?\d*@?|$)/gu)].map(({ index }) => index + 3);
  return ends.map((end, index) => content.slice(ends[index - 1] ?? 0, end));
}

function recordOf(body: string): SQSRecord {
  return { messageId: 'a', receiptHandle: 'a', body, attributes: { ApproximateReceiveCount: '1' } } as SQSRecord;
}

const context = { awsRequestId: 'a', getRemainingTimeInMillis: () => 300_000 } as Context;
