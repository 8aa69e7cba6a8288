/**
 * Which schedules and time zones EventBridge Scheduler would take.
 */
import { describe, expect, test } from 'vitest';
import { isTimeZone, refusalOfSchedule } from '../../infra/scheduleExpression.ts';

const example = 'cron(30 4 * * ? *) is every day at half past four.';

describe('a schedule', () => {
  test.each([
    'cron(30 4 * * ? *)',
    'cron(0/15 3,4 L * ? 2026-2030)',
    'cron(0 3 ? JAN,MAR 2#1 *)',
    'cron(0 3 ? * MON-FRI *)',
    'cron(0 3 ? * FRIL *)',
    'cron(*/5 * 15W * ? *)',
    'cron(59 23 31 12 ? 2199)',
    'cron(0 0 1 1 ? 1970)',
    'cron(0  3  *  *  ?  *)',
    'rate(1 minute)',
    'rate(1 day)',
    'rate(12 hours)',
  ])('%s is taken', (expression) => {
    expect(refusalOfSchedule(expression)).toBeUndefined();
  });

  test.each([
    ['', `it must be a cron(…) or a rate(…): ${example}`],
    ['at(2026-01-01T00:00:00)', `it must be a cron(…) or a rate(…): ${example}`],
    ['30 4 * * ? *', `it must be a cron(…) or a rate(…): ${example}`],
    [
      'cron(30 4 * * *)',
      `it has 5 fields, and a cron(…) must have 6: minutes, hours, day of month, month, day of week, year. ${example}`,
    ],
    [
      'cron(60 3 * * ? *)',
      `its field “minutes” must be 0 to 59, or a list, a range or a step of them, or *. ${example}`,
    ],
    ['cron(? 3 * * ? *)', /^its field “minutes”/u],
    ['cron(0-60 3 * * ? *)', /^its field “minutes”/u],
    ['cron(0/0 3 * * ? *)', /^its field “minutes”/u],
    ['cron(0/5/5 3 * * ? *)', /^its field “minutes”/u],
    ['cron(0-5-9 3 * * ? *)', /^its field “minutes”/u],
    ['cron(0, 3 * * ? *)', /^its field “minutes”/u],
    ['cron(0 24 * * ? *)', /^its field “hours” must be 0 to 23,/u],
    ['cron(0 3 32 * ? *)', /^its field “day of month” must be 1 to 31, .* or \* or \?\./u],
    ['cron(0 3 0 * ? *)', /^its field “day of month”/u],
    ['cron(0 3 32W * ? *)', /^its field “day of month”/u],
    ['cron(0 3 * 13 ? *)', /^its field “month” must be 1 to 12 or JAN to DEC,/u],
    ['cron(0 3 * MON ? *)', /^its field “month”/u],
    ['cron(0 3 ? * 8 *)', /^its field “day of week” must be 1 to 7 or SUN to SAT,/u],
    ['cron(0 3 ? * XXXL *)', /^its field “day of week”/u],
    ['cron(0 3 ? * 2#6 *)', /^its field “day of week”/u],
    ['cron(0 3 * * ? 1969)', /^its field “year” must be 1970 to 2199,/u],
    [
      'cron(0 3 * * * *)',
      `of its fields “day of month” and “day of week” exactly one must be a question mark. ${example}`,
    ],
    ['cron(0 3 1 * MON *)', /exactly one must be a question mark/u],
    ['cron(0 3 ? * ? *)', /exactly one must be a question mark/u],
    [
      'rate(1 days)',
      'a rate must be a whole number and then minutes, hours or days, such as rate(12 hours) or rate(1 day).',
    ],
    ['rate(2 day)', /^a rate must be/u],
    ['rate(0 days)', /^a rate must be/u],
    ['rate(1.5 hours)', /^a rate must be/u],
    ['rate(1 week)', /^a rate must be/u],
  ])('%s is refused', (expression, refusal) => {
    if (typeof refusal === 'string') expect(refusalOfSchedule(expression)).toBe(refusal);
    else expect(refusalOfSchedule(expression)).toMatch(refusal);
  });
});

describe('a time zone', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata', 'Asia/Calcutta'])(
    '%s is known',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  test.each(['', 'europe/berlin', 'Europe/berlin', 'Berlin', '+01:00', 'Europe/Atlantis', 'utc'])(
    '%s is not',
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
});
