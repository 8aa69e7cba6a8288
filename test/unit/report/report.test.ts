import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { endedKey, ingestPartKey } from '../../../lambdas/core/keys.ts';
import { workerLimits } from '../../../lambdas/core/limits.ts';
import { reportFiles, runIngest, runReports, runWorkers, upload, wholeJob } from '../../support/wholeJob.ts';
import { newWorld } from '../../support/world.ts';

const added =
  'invite_row,invite_status,invite_code,invite_column,invite_message,invite_user_id,invite_http_status,invite_attempts';

/** For each row of a report: its number and status. */
function rowsOf(results: string): string[] {
  return results
    .trimEnd()
    .split(/\r?\n/u)
    .slice(1)
    .map(
      (line) =>
        /(\d+),(\w+),\w+,[^,]*,(?:"(?:[^"]|"")*"|[^,]*),[^,]*,\d*,\d+/u.exec(line)?.slice(1, 3).join(' ') ?? line,
    );
}

describe('a report', () => {
  test('has every row once, in order, with its own columns as they were', async () => {
    const world = newWorld();
    world.api.users.set('old@acme.example', { id: 'user-7', status: 'active' });
    const text =
      'name,email\nAda,a@acme.example\nOld,old@acme.example\nBad,nobody\n"Q ""x"", y",A@ACME.example\nBo,b@acme.example\n';
    const { results, summary } = await wholeJob(world, text);
    expect(results.split('\n')[0]).toBe(`\ufeffname,email,${added}`);
    expect(rowsOf(results)).toEqual(['2 invited', '3 already_active', '4 invalid', '5 duplicate', '6 invited']);
    expect(results).toContain('\n"Q ""x"", y",A@ACME.example,5,duplicate');
    expect(summary?.counts).toMatchObject({ invited: 2, already_active: 1, invalid: 1, duplicate: 1, failed: 0 });
    expect(summary?.columns).toEqual({ used: { email: 'email' }, ignored: ['name'] });
  });

  test('counts rows as a spreadsheet does: blank lines and line breaks in cells included', async () => {
    const { results } = await wholeJob(newWorld(), 'email,note\n\na@acme.example,"two\nlines"\n\n\nb@acme.example,x\n');
    expect(results).toContain('"two\nlines",3,invited');
    expect(results).toContain('x,6,invited');
  });

  test.each([
    ['LF', '\n', ''],
    ['CRLF', '\r\n', ''],
    ['CR', '\r', ''],
    ['CRLF and a byte order mark', '\r\n', '\ufeff'],
  ])('keeps the line ending of the upload, and its byte order mark: %s', async (_name, newline, mark) => {
    const world = newWorld();
    world.api.onInvite = () => ({ answer: serverError, effect: false });
    const text = `${mark}email,name${newline}a@acme.example,"Ada, B."${newline}`;
    const { results, retry } = await wholeJob(world, text);
    expect(results.startsWith('\ufeffemail,name,')).toBe(true);
    expect(results.endsWith(newline)).toBe(true);
    expect(retry).toBe(text);
  });

  test('has only the rows worth another try in retry.csv, to the letter', async () => {
    const world = newWorld();
    world.api.onInvite = ({ email }) => (email.startsWith('bad') ? { answer: serverError, effect: false } : undefined);
    const { retry, summary } = await wholeJob(
      world,
      'email , "name"\n bad1@acme.example ,  "x"\nok@acme.example,y\nnobody,z\nbad2@acme.example,"a ""b"""\n',
    );
    expect(retry).toBe('email , "name"\n bad1@acme.example ,  "x"\nbad2@acme.example,"a ""b"""\n');
    expect(summary?.files.find(({ name }) => name === 'retry.csv')?.rows).toBe(2);
  });

  test('makes cells harmless that a spreadsheet would run as a formula', async () => {
    const { results } = await wholeJob(
      newWorld(),
      'email,note\na@acme.example,=HYPERLINK(1)\nb@acme.example,@x\nc@acme.example,+47 1\n',
    );
    expect(results).toContain("a@acme.example,'=HYPERLINK(1)");
    expect(results).toContain("b@acme.example,'@x");
    expect(results).toContain("c@acme.example,'+47 1");
  });

  test('can be uploaded again: the columns that it added mean nothing then', async () => {
    const first = await wholeJob(newWorld(), 'email,name\na@acme.example,Ada\n');
    const again = await wholeJob(newWorld(), first.results);
    expect(again.results.split('\n')[0]).toBe(`\ufeffemail,name,${added}`);
    expect(rowsOf(again.results)).toEqual(['2 invited']);
  });

  test('invites nobody from a damaged row when it comes back in a report', async () => {
    const first = await wholeJob(
      newWorld(),
      'email,status,name\nshort@acme.example\n"a@acme.example"x,active,A\nb@acme.example,active,B\n',
    );
    expect(rowsOf(first.results)).toEqual(['2 invalid', '3 invalid', '4 invited']);
    const world = newWorld();
    const again = await wholeJob(world, first.results);
    expect(rowsOf(again.results)).toEqual(['2 invalid', '3 invalid', '4 invited']);
    expect(again.results).toContain('too_few_cells');
    expect([...world.api.users.keys()]).toEqual(['b@acme.example']);
  });

  test('keeps the cells that a row has too many, behind its own columns', async () => {
    const { results } = await wholeJob(
      newWorld(),
      'email,name\na@acme.example,Ada,Lovelace\nb@acme.example\nc@acme.example,Cy\n',
    );
    expect(rowsOf(results)).toEqual(['2 invalid', '3 invalid', '4 invited']);
    expect(results).toMatch(/a@acme\.example,Ada,2,invalid,too_many_cells.*,Lovelace\n/u);
  });

  test('names every other file with its rows and checksum in the summary', async () => {
    const { summary, results, retry, html } = await wholeJob(newWorld(), 'email\na@acme.example\n');
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(summary?.files).toEqual([
      { name: 'results.csv', rows: 1, sha256: sha256(results) },
      { name: 'retry.csv', rows: 0, sha256: sha256(retry) },
      { name: 'report.html', sha256: sha256(html) },
    ]);
  });

  test('shows text of the upload and of the API as text in its page', async () => {
    const world = newWorld();
    world.api.onInvite = () => ({
      answer: { kind: 'refused', httpStatus: 400, message: '<script>alert(1)</script>' },
      effect: false,
    });
    const { html } = await wholeJob(world, 'email\na@acme.example\n<b>x</b>\n');
    expect(html).toContain('&#60;script&#62;alert(1)');
    expect(html).not.toMatch(/<script|<b>/u);
  });

  test('says what a person should know of the whole file, in the page and in the summary', async () => {
    const { html, summary } = await wholeJob(
      newWorld(),
      'email,status\na@acme.example,<wandering>\nb@acme.example,terminated\n',
    );
    expect(summary?.warnings).toEqual([expect.stringContaining('“<wandering>”')]);
    expect(html).toContain('&#60;wandering&#62;');
    expect(summary?.counts).toMatchObject({ invited: 1, skipped: 1 });
  });

  test('notes that the job has ended, later where an attempt may still take effect', async () => {
    for (const isUnknown of [false, true]) {
      const world = newWorld();
      const doubt = { reason: 'no_answer', detail: 'no answer', mayBeOurs: true, mayStillHappen: true } as const;
      if (isUnknown) {
        world.api.onInvite = () => ({ answer: { kind: 'in_doubt', doubt }, effect: false });
        world.api.onFind = () => ({ kind: 'refused', httpStatus: 403, message: 'no.' });
      }
      const { jobId } = await wholeJob(world, 'Email\nann@example.com\n');
      const endsAtMs = world.clock.now() + (isUnknown ? workerLimits.lateEffectMs : 0);
      expect([...world.store.texts().keys()]).toContain(endedKey(jobId, endsAtMs));
    }
  });

  test('is not built twice, and a second message changes nothing', async () => {
    const world = newWorld();
    const { summary } = await wholeJob(world, 'email\na@acme.example\n');
    const modified = async () => await Promise.all([...world.store.texts().keys()].map((key) => world.store.head(key)));
    const before = await modified();
    world.clock.advance(1000);
    world.reportsQueue.bodies.push(JSON.stringify({ jobId: summary?.jobId }));
    await runReports(world);
    expect(await modified()).toEqual(before);
  });

  test('is refused where a row has no outcome: no row is lost silently', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\nnobody\na@acme.example\n'));
    await runWorkers(world);
    const { jobId } = reportFiles(world);
    const part = world.store.texts().get(ingestPartKey(jobId)) ?? '';
    const empty = part.split('\n').slice(1).join('\n').replace('"outcomes":1', '"outcomes":0');
    await world.store.put(ingestPartKey(jobId), empty, { kind: 'always' });
    await expect(runReports(world)).rejects.toThrow('Row 2');
    expect(reportFiles(world).summary).toBeUndefined();
  });

  test('is refused where there is an outcome of a row that is not in the upload', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\nnobody\na@acme.example\n'));
    await runWorkers(world);
    const { jobId } = reportFiles(world);
    const [first = '', end = ''] = (world.store.texts().get(ingestPartKey(jobId)) ?? '').split('\n');
    const more = [first, first.replace('"row":2', '"row":99'), end.replace('"outcomes":1', '"outcomes":2'), ''].join(
      '\n',
    );
    await world.store.put(ingestPartKey(jobId), more, { kind: 'always' });
    await expect(runReports(world)).rejects.toThrow('row 99, which is not in the upload');
  });

  test('is refused where a part has fewer outcomes than its last line says', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\nnobody\na@acme.example\n'));
    await runWorkers(world);
    const { jobId } = reportFiles(world);
    const part = (world.store.texts().get(ingestPartKey(jobId)) ?? '').replace('"outcomes":1', '"outcomes":2');
    await world.store.put(ingestPartKey(jobId), part, { kind: 'always' });
    await expect(runReports(world)).rejects.toThrow('holds 1 outcomes, and its last line says 2');
  });

  test('offers no row for another try where the same file would fail again', async () => {
    const { retry, results } = await wholeJob(newWorld(), 'name\nAda\n');
    expect(results).toContain('Ada,2,not_attempted,no_email_column');
    expect(retry).toBe('name\n');
  });

  test('is refused where a part was cut off', async () => {
    const world = newWorld();
    await runIngest(world, await upload(world, 'email\nnobody\nnothing\na@acme.example\n'));
    await runWorkers(world);
    const { jobId } = reportFiles(world);
    const part = world.store.texts().get(ingestPartKey(jobId)) ?? '';
    await world.store.put(ingestPartKey(jobId), part.split('\n').slice(0, 2).join('\n'), { kind: 'always' });
    await expect(runReports(world)).rejects.toThrow('its last line says nothing');
  });
});

const serverError = {
  kind: 'in_doubt',
  doubt: { reason: 'server_error', httpStatus: 500, detail: 'status 500', mayBeOurs: true, mayStillHappen: false },
} as const;
