/**
 * When a roster is run, as EventBridge Scheduler is told: `cron(…)` or `rate(…)`. What is wrong here would otherwise make a
 * deployment fail in its middle.
 *
 * Source: the EventBridge Scheduler User Guide, "Schedule types".
 */

interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** In the place of numbers, beginning with that of the least one. */
  readonly words?: readonly string[];
  /** Forms that only this field has. */
  readonly own?: RegExp;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const weekday = `(?:[1-7]|${weekdays.join('|')})`;

const cronFields: readonly CronField[] = [
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31, own: /^(?:\?|L|LW|(?:[1-9]|[12]\d|3[01])W)$/u },
  { name: 'month', min: 1, max: 12, words: months },
  {
    name: 'day of week',
    min: 1,
    max: 7,
    words: weekdays,
    own: new RegExp(`^(?:\\?|${weekday}?L|${weekday}#[1-5])$`, 'u'),
  },
  { name: 'year', min: 1970, max: 2199 },
];
const fieldNames = cronFields.map(({ name }) => name).join(', ');

const cronExample = 'cron(30 4 * * ? *) is every day at half past four.';

/** Says what is wrong with an expression; undefined where nothing is. */
export function refusalOfSchedule(expression: string): string | undefined {
  const [, kind, content = ''] = /^(cron|rate)\((.*)\)$/u.exec(expression) ?? [];
  if (kind === 'cron') return refusalOfCron(content.trim().split(/\s+/u));
  if (kind === 'rate') return refusalOfRate(content.trim());
  return `it must be a cron(…) or a rate(…): ${cronExample}`;
}

function refusalOfRate(content: string): string | undefined {
  if (/^(?:1 (?:minute|hour|day)|(?:[2-9]|[1-9]\d+) (?:minutes|hours|days))$/u.test(content)) return undefined;
  return 'a rate must be a whole number and then minutes, hours or days, such as rate(12 hours) or rate(1 day).';
}

function refusalOfCron(values: readonly string[]): string | undefined {
  if (values.length !== cronFields.length)
    return `it has ${values.length} fields, and a cron(…) must have ${cronFields.length}: ${fieldNames}. ${cronExample}`;
  const wrong = cronFields.find((field, index) => !isField(values[index] ?? '', field));
  if (wrong !== undefined) return `its field “${wrong.name}” must be ${expectedOf(wrong)}. ${cronExample}`;
  const [, , dayOfMonth, , dayOfWeek] = values;
  if ((dayOfMonth === '?') !== (dayOfWeek === '?')) return undefined;
  return `of its fields “day of month” and “day of week” exactly one must be a question mark. ${cronExample}`;
}

function isField(value: string, field: CronField): boolean {
  if (value === '*' || field.own?.test(value) === true) return true;
  return value.split(',').every((item) => isItem(item, field));
}

/** One value, a range of them, or a step through either. */
function isItem(item: string, field: CronField): boolean {
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/u.test(step))) return false;
  if (range === '*') return step !== undefined;
  const [first = '', last, ...others] = range.split('-');
  return others.length === 0 && isValue(first, field) && (last === undefined || isValue(last, field));
}

function isValue(value: string, { min, max, words = [] }: CronField): boolean {
  if (words.includes(value.toUpperCase())) return true;
  return /^\d{1,4}$/u.test(value) && Number(value) >= min && Number(value) <= max;
}

function expectedOf({ min, max, words, own }: CronField): string {
  const named = words === undefined ? '' : ` or ${words[0]} to ${words.at(-1)}`;
  return `${min} to ${max}${named}, or a list, a range or a step of them, or ${own === undefined ? '*' : '* or ?'}`;
}

/** Whether it is a name of the IANA database, in its own capitals. */
export function isTimeZone(name: string): boolean {
  if (name === 'UTC') return true;
  const known = Intl.supportedValuesOf('timeZone');
  if (known.includes(name)) return true;
  // Older and newer names of the same zone are known, too, but not listed; an offset such as +01:00 is no name.
  if (!/^[A-Z]/u.test(name) || known.some((zone) => zone.toLowerCase() === name.toLowerCase())) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
