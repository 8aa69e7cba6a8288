import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { duration, fileName, newPeopleLimit, percent, rowNumber } from '../../../cli/commandLine/parse.ts';
import { refuseSettings } from '../../../cli/commandLine/placeCommands.ts';
import { status } from '../../../cli/commands/status.ts';
import { linkLimits } from '../../../cli/limits.ts';
import { withPlace } from '../../../cli/place/openPlace.ts';
import { optionsText } from '../../../cli/place/optionsText.ts';
import { UserError } from '../../../cli/userError.ts';
import type { JobId } from '../../../lambdas/core/jobId.ts';
import { readJob } from '../../../lambdas/ledger/job.ts';

const silent = { result: () => undefined, document: () => undefined, say: () => undefined, progress: () => undefined };

describe('the options of the commands', () => {
  test('a time has a unit, and is neither too short nor longer than S3 takes', () => {
    const expiry = duration(linkLimits.expirySecondsMin, linkLimits.expirySecondsMax);
    expect(['1m', '90m', '12h', '7d'].map(expiry)).toEqual([60, 5400, 43_200, 604_800]);
    for (const text of ['0m', '8d', '169h', '30', 'm', '1w', '-1h', '1.5h', ''])
      expect(() => expiry(text), text).toThrow('such as 30m, 12h or 2d, from 1m to 7d');
  });

  test('a percentage has its sign, so that nobody takes it for a number of rows', () => {
    const share = percent(1, 100);
    expect(['1%', '50%', '50 %', ' 100% '].map(share)).toEqual([1, 50, 50, 100]);
    for (const text of ['0%', '101%', '1000%', '50', '0.5', '0.5%', '-1%', '+5%', '%', 'half', '', '50%%'])
      expect(() => share(text), text).toThrow('such as 50%: a whole number with % behind it, from 1% to 100%.');
    expect(percent(0, 100)('0%')).toBe(0);
  });

  test('new people are limited to a number of them or to a share of the users', () => {
    const limit = newPeopleLimit(1000);
    expect(['0', '1000'].map(limit)).toEqual([{ newPeopleMax: 0 }, { newPeopleMax: 1000 }]);
    expect(['0%', '29%', '100 %'].map(limit)).toEqual([
      { newPeopleShare: 0 },
      { newPeopleShare: 0.29 },
      { newPeopleShare: 1 },
    ]);
    for (const text of ['1001', '-1', '0.3', '101%', '0.3%', '-1%', '%', 'many', '', '3e2'])
      expect(() => limit(text), text).toThrow(
        'a whole number of people from 0 to 1000, or a percentage of the users such as 30%, from 0% to 100%.',
      );
  });

  test('the name of an upload is no path, no mapping and nothing that a shell could take for its own', () => {
    for (const name of ['people.csv', 'Grüße.csv', 'new people.csv.gz']) expect(fileName(name)).toBe(name);
    for (const name of [
      '../x.csv',
      'a/b.csv',
      'mapping.json',
      '.csv',
      '-x.csv',
      'a"b.csv',
      'a$(b).csv',
      'a`b`.csv',
      '',
    ])
      expect(() => fileName(name), name).toThrow('a file name such as people.csv');
  });

  test('several rows may be asked for', () => {
    expect(rowNumber('3', rowNumber('2'))).toEqual([2, 3]);
    expect(() => rowNumber('0')).toThrow('whole number');
  });

  test('are repeated in hints as a person would type them', () => {
    expect(optionsText({ stack: 'acme', region: undefined })).toBe(' --stack acme');
    expect(optionsText({ local: true, data: 'my data' })).toBe(' --local --data "my data"');
  });

  test('that belong together are asked for', async () => {
    const use = async () => undefined;
    await expect(withPlace({ local: false, data: 'x' }, silent, use)).rejects.toThrow('Add --local');
    await expect(withPlace({ local: true, data: 'no/such/folder' }, silent, use)).rejects.toThrow(
      /There is no data folder .+no\/such\/folder.+--data/u,
    );
    const rows = { local: true, limit: 1, row: [3], rows: false, json: false };
    await expect(status(undefined, rows)).rejects.toThrow('name the job, too, for example “latest”');
  });

  test('lead to a place, and what cannot be understood there is told in a sentence', async () => {
    // A place sends what libraries print to a log of its own.
    const { stdout, stderr } = process;
    const writes = [stdout.write, stderr.write] as const;
    const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-place-'));
    const notUnderstood = withPlace({ local: true, data: folder }, silent, async ({ store }) => {
      await store.put('jobs/x/job.json', '{"from":"the future"}', { kind: 'always' });
      return await readJob(store, 'x' as JobId);
    });
    await expect(notUnderstood).rejects.toBeInstanceOf(UserError);
    await expect(notUnderstood).rejects.toThrow(/cannot be understood: jobs\/x\/job\.json .+use that version/u);
    [stdout.write, stderr.write] = writes;
    rmSync(folder, { recursive: true });
  });

  test('that are settings of a deployed stack are refused by name', () => {
    expect(() => refuseSettings({ allowDomain: [], inviteGone: false })).not.toThrow();
    const given = { apiUrl: 'x', tenant: 'x', role: 'x', organization: 'x', allowDomain: ['x'], inviteGone: true };
    expect(() => refuseSettings(given)).toThrow(
      '--api-url, --tenant, --role, --organization, --allow-domain, --invite-gone cannot be chosen',
    );
    expect(() => refuseSettings({ role: 'x' })).toThrow(UserError);
  });
});
