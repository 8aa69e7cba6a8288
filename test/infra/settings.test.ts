/**
 * The settings of a stack, as they are given and as they are refused.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { outputNames } from '../../infra/outputs.ts';
import { rosterSettingNames } from '../../infra/rosterSettings.ts';
import { readSettings, SettingsError, settingNames } from '../../infra/settings.ts';
import { rosterLimits } from '../../lambdas/core/limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-settings-'));

afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, 'acme.json');
  writeFileSync(path, content);
  return path;
}

/** Two domains that take so many bytes with the comma between them. */
function domainsOf(bytes: number): string {
  return `acme.example,${'d'.repeat(bytes - 'acme.example,.example'.length)}.example`;
}

const hourMs = 3_600_000;
const roster = { name: 'acme', schedule: 'cron(30 4 * * ? *)' };

function rosterWith(more: Readonly<Record<string, unknown>>) {
  return { rosters: [{ ...roster, ...more }] };
}

const defaults = {
  stack: 'bulk-invite',
  apiUrl: 'https://api.doit.com',
  workers: 2,
  concurrency: 5,
  allowedDomains: [],
  inviteGone: false,
  newPeopleMax: 10000,
  rejectedPercentMax: 50,
  rosters: [],
  callTimeoutSeconds: 30,
  giveUpHours: 6,
  uploadDays: 30,
  reportDays: 90,
  logDays: 30,
  runbookUrl: 'docs/operating.md',
};

describe('settings', () => {
  test('have defaults, and what the CDK puts into its context is none of them', () => {
    expect(readSettings({ '@aws-cdk/core:checkSecretUsage': true, 'cli-telemetry': false, 'aws:cdk:x': 1 })).toEqual(
      defaults,
    );
  });

  test('come as text from the command line, and as numbers and words from a file', () => {
    const given = { workers: '4', inviteGone: 'true', allowedDomains: 'acme.com, acme.co.uk', stack: 'acme' };
    const same = { workers: 4, inviteGone: true, allowedDomains: ['acme.com', 'acme.co.uk'], stack: 'acme' };
    expect(readSettings(given)).toEqual({ ...defaults, ...same });
    expect(readSettings({ settings: file(JSON.stringify(same)) })).toEqual({ ...defaults, ...same });
  });

  test('that are given one by one outrank those of the file', () => {
    const settings = file('{"workers": 4, "concurrency": 8}');
    expect(readSettings({ settings, workers: '6' })).toMatchObject({ workers: 6, concurrency: 8 });
  });

  test.each([
    [
      { workers: '1' },
      'The setting “workers” is "1"; it must be a whole number from 2 to 1000 (worker invocations at once).',
    ],
    [
      { workers: 'many' },
      'The setting “workers” is "many"; it must be a whole number from 2 to 1000 (worker invocations at once).',
    ],
    [
      { stack: '1st stack' },
      'The setting “stack” is "1st stack"; it must be a letter, and then letters, digits and hyphens; 50 characters at most.',
    ],
    [
      { apiUrl: 'http://api.doit.com' },
      'The setting “apiUrl” is "http://api.doit.com"; it must be an https address, such as https://api.doit.com.',
    ],
    [{ giveUpHours: 11 }, 'The setting “giveUpHours” is 11; it must be a whole number from 1 to 10 (hours).'],
    [{ uploadDays: 21 }, 'The setting “uploadDays” is 21; it must be a whole number from 22 to 3650 (days).'],
    [{ alarmEmail: 'ops' }, 'The setting “alarmEmail” is "ops"; it must be an email address.'],
    [
      { allowedDomains: '@acme.com' },
      'The setting “allowedDomains” is "@acme.com"; it must be domains such as acme.com,acme.co.uk; sub-domains are named one by one.',
    ],
    [{ inviteGone: 'perhaps' }, 'The setting “inviteGone” is "perhaps"; it must be true or false.'],
    [
      { logDays: 31 },
      /^The setting “logDays” is 31; it must be one of the numbers of days that CloudWatch knows: 1, 3, /u,
    ],
    [
      { apiKeySecretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:doit' },
      /it must be the whole ARN of a secret, with the six characters at its end\.$/u,
    ],
    [
      { uploaderPrincipalArn: '*' },
      /it must be the ARN of an IAM role, user or account, such as arn:aws:iam::123456789012:role\/hr-export\.$/u,
    ],
    [{ wrkers: 4 }, /^There is no setting “wrkers”\. There are: stack, apiUrl, /u],
    [
      { apiKeySecretKmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1' },
      'The setting “apiKeySecretKmsKeyArn” is of no use without “apiKeySecretArn”.',
    ],
  ])('%j is refused with a sentence that helps', (context, message) => {
    expect(() => readSettings(context)).toThrow(SettingsError);
    expect(() => readSettings(context)).toThrow(message);
  });

  test.each([
    [
      'more domains than fit into the environment of a function',
      { allowedDomains: domainsOf(2501) },
      'The setting “allowedDomains” has 2 domains, which take 2501 bytes, and at most 2500 fit into the environment of a ' +
        'function. Name fewer, share them among several stacks, or leave the setting out: then addresses of all domains are taken.',
    ],
    [
      'texts that do not fit there together',
      { allowedDomains: domainsOf(2500), role: 'r'.repeat(300), organization: '“"Acme"'.repeat(8) },
      'The settings that a function is told in its environment take 2908 bytes (“allowedDomains” 2500, “role” 300, ' +
        '“organization” 88, “apiUrl” 20), and at most 2900 fit. Shorten the longest.',
    ],
    [
      'an address that does not fit into the description of an alarm',
      { runbookUrl: 'r'.repeat(901) },
      /^The setting “runbookUrl” is "r+"; it must be an address or a path, of at most 900 characters\.$/u,
    ],
  ])('refuse %s', (_name, context, message) => {
    expect(() => readSettings(context)).toThrow(SettingsError);
    expect(() => readSettings(context)).toThrow(message);
  });

  test.each([
    [{ newPeopleMax: -1 }, 'The setting “newPeopleMax” is -1; it must be a whole number from 0 to 1000000 (people).'],
    [
      { rejectedPercentMax: 0 },
      'The setting “rejectedPercentMax” is 0; it must be a whole number from 1 to 100 (percent of the last 50 people).',
    ],
    [{ rejectedPercentMax: 101 }, /^The setting “rejectedPercentMax” is 101; it must be a whole number from 1 to 100/u],
    [{ rejectedPercentMax: 0.5 }, /^The setting “rejectedPercentMax” is 0\.5; it must be a whole number/u],
    [
      rosterWith({ newPeoplePercent: 101 }),
      'The setting “rosters.0.newPeoplePercent” is 101; it must be a whole number from 0 to 100 (percent of the users).',
    ],
    [rosterWith({ newPeoplePercent: 0.3 }), /^The setting “rosters\.0\.newPeoplePercent” is 0\.3; it must be a whole/u],
    [
      rosterWith({ rowsPercentMin: '90%' }),
      'The setting “rosters.0.rowsPercentMin” is "90%"; it must be a whole number from 0 to 100 (percent of the rows of the last completed run).',
    ],
    [
      rosterWith({ invalidPercentMax: -1 }),
      'The setting “rosters.0.invalidPercentMax” is -1; it must be a whole number from 0 to 100 (percent of the rows).',
    ],
    [
      rosterWith({ newPeopleMax: 50, newPeoplePercent: 30 }),
      'The setting “rosters” has a roster “acme” with both “newPeopleMax” and “newPeoplePercent”, and one of the two decides. ' +
        'Leave out “newPeoplePercent” for a number of people, or “newPeopleMax” for a share of the users.',
    ],
    [{ newPeopleMax: null }, /^The setting “newPeopleMax” is null; it must be a whole number/u],
    [{ newPeopleMax: ' ' }, /^The setting “newPeopleMax” is " "; it must be a whole number/u],
    [
      { rosters: 'acme' },
      'The setting “rosters” is "acme"; it must be a list in the settings file, like [{"name": "acme", "schedule": "cron(30 4 * * ? *)"}].',
    ],
    [
      { rosters: ['acme'] },
      'The setting “rosters.0” is "acme"; it must be like {"name": "acme", "schedule": "cron(30 4 * * ? *)"}.',
    ],
    [
      rosterWith({ name: 'Acme' }),
      'The setting “rosters.0.name” is "Acme"; it must be small letters, digits and hyphens; 40 characters at most.',
    ],
    [
      { rosters: [{ schedule: 'rate(1 day)' }] },
      /^The setting “rosters\.0\.name” is missing; it must be small letters/u,
    ],
    [
      { rosters: [{ name: 'acme' }] },
      /^The setting “rosters\.0\.schedule” is missing; it must be a cron\(…\) or a rate/u,
    ],
    [
      rosterWith({ schedule: 'rate(1 days)' }),
      'The setting “rosters.0.schedule” is "rate(1 days)"; a rate must be a whole number and then minutes, hours or days, such as rate(12 hours) or rate(1 day).',
    ],
    [
      rosterWith({ key: 'incoming/acme.csv' }),
      'The setting “rosters.0.key” is "incoming/acme.csv"; it must be the key of a file under incoming/rosters/, such as incoming/rosters/acme.csv.',
    ],
    [rosterWith({ key: 'incoming/rosters/mapping.json' }), /“rosters\.0\.key”/u],
    [rosterWith({ key: `incoming/rosters/${'k'.repeat(1008)}` }), /“rosters\.0\.key”/u],
    [
      rosterWith({ timeZone: 'Berlin' }),
      'The setting “rosters.0.timeZone” is "Berlin"; it must be a time zone by its name, such as Europe/Berlin or UTC.',
    ],
    [
      rosterWith({ mapping: { mail: 'Work Email' } }),
      'The setting “rosters.0.mapping” is {"mail":"Work Email"}; it must be like {"email": "Work Email"}; the fields are email, firstName, lastName, jobTitle, role, organization.',
    ],
    [
      rosterWith({ resendAfterHours: 47 }),
      'The setting “rosters.0.resendAfterHours” is 47; it must be a whole number from 48 to 8760 (hours).',
    ],
    [rosterWith({ wait: 1 }), /^A roster has no setting “wait”\. It has: name, key, schedule, timeZone, /u],
    [
      { rosters: [roster, { ...roster, key: 'incoming/rosters/other.csv' }] },
      'The setting “rosters” has two rosters whose name is “acme”. Each needs one of its own.',
    ],
    [
      { rosters: [roster, { ...roster, name: 'other', key: 'incoming/rosters/acme.csv' }] },
      'The setting “rosters” has two rosters whose key is “incoming/rosters/acme.csv”. Each needs one of its own.',
    ],
    [
      rosterWith({ staleAfterHours: 720 }),
      'The roster “acme” may be 720 hours old (“staleAfterHours”), and uploads are deleted after 30 days (“uploadDays”), which are 720 hours. Make the first shorter or the second longer.',
    ],
    [
      rosterWith({ mapping: { email: 'e'.repeat(2000) } }),
      'The setting “rosters” has a roster “acme” whose settings take 2150 bytes, and at most 2048 fit. Shorten the longest.',
    ],
    [
      { rosters: Array.from({ length: 201 }, (_, index) => ({ ...roster, name: `acme-${index}` })) },
      'The setting “rosters” has 201 rosters, and at most 200 fit into a stack. Share them among several stacks.',
    ],
  ])('of rosters that cannot be are refused with a sentence that helps (%#)', (context, message) => {
    expect(() => readSettings(context)).toThrow(SettingsError);
    expect(() => readSettings(context)).toThrow(message);
  });

  test('of rosters lie at the limits', () => {
    const atLimit = { ...roster, staleAfterHours: 719, resendAfterHours: 48, newPeopleMax: 0, dryRun: 'true' };
    expect(readSettings({ rosters: [atLimit] }).rosters).toEqual([
      { ...atLimit, key: 'incoming/rosters/acme.csv', timeZone: 'UTC', dryRun: true },
    ]);
    for (const percent of [0, 100]) {
      const limits = { newPeoplePercent: percent, rowsPercentMin: percent, invalidPercentMax: percent };
      expect(readSettings(rosterWith(limits)).rosters).toMatchObject([limits]);
    }
    const longestKey = `incoming/rosters/${'k'.repeat(1007)}`;
    expect(readSettings(rosterWith({ key: longestKey })).rosters).toMatchObject([{ key: longestKey }]);
  });

  test('that are wrong are all named at once', () => {
    expect(() => readSettings({ workers: 1, concurrency: 0 })).toThrow(/“workers”.*\n.*“concurrency”/u);
  });

  test.each([
    ['{"workers": 4', /^The settings in \S+acme\.json could not be read: .+JSON/u],
    ['[]', /^The settings in \S+acme\.json must be like \{"stack": "acme", "workers": 4\}\.$/u],
    ['{"settings": "other.json"}', /^There is no setting “settings”\./u],
  ])('in a file that holds %s are refused', (content, message) => {
    expect(() => readSettings({ settings: file(content) })).toThrow(message);
  });

  test('in a file that is not there are missed by its name', () => {
    expect(() => readSettings({ settings: join(folder, 'none.json') })).toThrow(
      /none\.json could not be read: ENOENT/u,
    );
  });
});

describe('docs/deploy.md', () => {
  const guide = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'deploy.md'), 'utf8');
  const sectionOf = (title: string) => new RegExp(`^## ${title}$(.+?)^## `, 'msu').exec(guide)?.[1] ?? '';
  const rowsOf = (title: string) =>
    [...sectionOf(title).matchAll(/^\| `(\w+)` \|.*\|([^|]*)\|$/gmu)].map(([, name = '', value = '']) => ({
      name,
      value: value.trim(),
    }));

  test('tells of every way in that the stack has an output for', () => {
    const section = sectionOf('Ways in');
    const ways = Object.values(outputNames).filter((name) => /(Policy|Role)Arn$/u.test(name));
    expect(ways.length).toBeGreaterThan(0);
    expect(ways.filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
    const principals = settingNames.filter((name) => name.endsWith('PrincipalArn'));
    expect(principals.filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
  });

  test('lists every setting with its default', () => {
    const rows = rowsOf('Settings');
    expect(rows.map(({ name }) => name)).toEqual(settingNames);
    for (const { name, value } of rows) {
      const known = defaults[name as keyof typeof defaults];
      const expected = known === undefined || String(known) === '' ? '' : `\`${known}\``;
      expect(`${name}: ${value}`).toBe(`${name}: ${expected}`);
    }
  });

  test('lists every setting of a roster, and its example is a file of settings that are taken', () => {
    const rows = rowsOf('Rosters');
    expect(rows.map(({ name }) => name)).toEqual(rosterSettingNames);
    const defaultOf = (setting: string) => Number.parseInt(rows.find(({ name }) => name === setting)?.value ?? '', 10);
    expect(defaultOf('staleAfterHours') * hourMs).toBe(rosterLimits.staleAfterMs);
    expect(defaultOf('openAfterHours') * hourMs).toBe(rosterLimits.invitationLivesMs);
    const [, example = ''] = /```json\n(.+?)```/su.exec(sectionOf('Rosters')) ?? [];
    expect(readSettings({ settings: file(example) }).rosters).not.toEqual([]);
  });
});
