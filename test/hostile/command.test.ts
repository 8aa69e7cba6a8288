/**
 * What the command prints and keeps of hostile files, file names and answers: nothing that a terminal obeys, and nothing of
 * people in its log.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, type Ended, openDesk } from '../support/command.ts';
import { hostileTexts, mark, obeyed } from '../support/hostileTexts.ts';

const texts = Object.values(hostileTexts);
/** As a file can be named; with a mark of its own, because the log may not have it either. */
const name = `p\u001b[31m\r\n\u202e${mark}\u009b2J\u0007\b&amp;%41$(x).csv`;
const header = ['email', 'first name', 'role', 'status', texts.join('')].map(csvCell).join(',');
const rows = texts.flatMap((text, index) => [
  [`p${index}@acme.example`, text, '', 'active', text],
  [`${text.replaceAll(/[\r\n]/gu, ' ')}@acme.example`, 'Ada', '', 'active', ''],
  [`r${index}@acme.example`, 'Ada', text, 'active', ''],
  [`s${index}@acme.example`, 'Ada', '', text, ''],
]);
const people = [header, ...rows.map((cells) => cells.map(csvCell).join(',')), ''].join('\n');

let desk: Desk;
let file: string;
let server: Server;
let apiUrl: string;
let isKeyRefused = false;

beforeAll(async () => {
  desk = openDesk();
  file = desk.file(name, people);
  server = createServer((request, response) => {
    const status = isKeyRefused ? 401 : request.method === 'POST' ? 400 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    const lists = { users: [], roles: texts.map((text) => ({ id: text, name: text })), organizations: [] };
    const read = { email: 'owner@acme.example', domain: 'acme.example', ...lists };
    response.end(JSON.stringify(status === 200 ? read : { error: texts.join('') }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  desk.close();
});

function csvCell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function expectInert({ stdout, stderr }: Ended): void {
  expect(stdout).not.toMatch(obeyed);
  expect(stderr).not.toMatch(obeyed);
  expect(stderr).not.toContain('    at ');
}

describe('bulk-invite check', () => {
  test('shows a hostile file under a hostile name, and the terminal obeys none of it', async () => {
    const ended = await desk.run(['check', file]);
    expectInert(ended);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toContain(mark);
    // Each line is one of ours: what is foreign stands within it.
    for (const line of ended.stdout.split('\n')) expect(line).not.toMatch(/^(?:evil@|\{"level")/u);
  });

  test('gives it to machines whole, and does nothing on a terminal on the way', async () => {
    const ended = await desk.run(['check', file, '--json']);
    expectInert(ended);
    const result = JSON.parse(ended.stdout);
    expect(result.file).toBe(name);
    expect(result.columns.ignored).toEqual([texts.join('')]);
  });

  test('names a file that is not there, and the terminal obeys none of it', async () => {
    const ended = await desk.run(['check', `no ${name}`]);
    expect(ended.code).toBe(1);
    expectInert(ended);
    expect(ended.stderr).toContain('There is no file');
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('bulk-invite local', () => {
  test('runs a hostile file against a hostile API, prints nothing that is obeyed, and logs nothing of people', async () => {
    const command = ['local', file, '--api-url', apiUrl, '--out', 'out', '--verbose'];
    const ended = await desk.run(command, { DCI_API_KEY: 'test' });
    expectInert(ended);
    // Every row is rejected, so the job stops itself.
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/ rejected /u);
    const log = readFileSync(join(desk.folder, '.bulk-invite', 'bulk-invite.log'), 'utf8');
    expect(log).toContain('job_reported');
    expect(log).not.toContain(mark);
    expect(readdirSync(join(desk.folder, 'out')).sort()).toEqual([
      'report.html',
      'results.csv',
      'retry.csv',
      'summary.json',
    ]);
    expect(readFileSync(join(desk.folder, 'out', 'report.html'), 'utf8')).not.toMatch(obeyed);
    expect(readdirSync(desk.folder).sort()).toEqual(['.bulk-invite', name, 'out'].sort());

    isKeyRefused = true;
    const again = await desk.run(command, { DCI_API_KEY: 'test' });
    expectInert(again);
    expect(again.stderr).toContain('New job');
    expect(again.stdout).toContain('The API key is wrong');
    expect(again.code).toBe(1);
  });
});
