/**
 * The settings of rosters: named sources of truth, each a file that is refreshed by somebody and read at its times.
 */
import { z } from 'zod';
import { fields } from '../lambdas/core/columns.ts';
import { isUploadKey, rosterUploadsPrefix } from '../lambdas/core/keys.ts';
import { ledgerLimits, rosterLimits } from '../lambdas/core/limits.ts';
import { isRosterName, rosterNameExpected } from '../lambdas/core/roster.ts';
import { rosterMessageOf } from './rosterMessage.ts';
import { isTimeZone, refusalOfSchedule } from './scheduleExpression.ts';
import { found, setting, text, wholeNumber, yesOrNo } from './settingKinds.ts';
import { jsonBytes, settingSizes } from './settingSizes.ts';

const hourMs = 3_600_000;
const dayHours = 24;
const yearHours = 365 * dayHours;
/** An invitation is sent again no more often. */
const resendAfterHoursMin = 48;
/** Nobody has more. */
export const newPeopleMost = 1_000_000;

const header = z.string().min(1).optional();
const mappingSchema = z.strictObject({
  email: header,
  firstName: header,
  lastName: header,
  jobTitle: header,
  role: header,
  organization: header,
} satisfies Record<(typeof fields)[number], z.ZodType>);

const rosterShape = {
  /** Of the roster; in the reports and in the messages about it. */
  name: setting(z.string().refine(isRosterName), rosterNameExpected),
  /** Where its file is put, again and again. */
  key: setting(
    z.string().startsWith(rosterUploadsPrefix).refine(isUploadKey).refine(fits),
    `the key of a file under ${rosterUploadsPrefix}, such as ${rosterUploadsPrefix}acme.csv`,
  ).optional(),
  /** When it is run, as EventBridge Scheduler is told. */
  schedule: z.unknown().transform((value, context) => {
    const refusal = refusalOfSchedule(typeof value === 'string' ? value : '');
    if (typeof value === 'string' && refusal === undefined) return value;
    context.addIssue({ code: 'custom', message: `${found(value)}; ${refusal}` });
    return z.NEVER;
  }),
  /** Whose clock the schedule goes by. */
  timeZone: setting(z.string().refine(isTimeZone), 'a time zone by its name, such as Europe/Berlin or UTC').default(
    'UTC',
  ),
  /** The headers of the columns that are to be taken, by field. */
  mapping: setting(mappingSchema, `like {"email": "Work Email"}; the fields are ${fields.join(', ')}`).optional(),
  /** Role for rows that name none: its name or id. In the place of that of the stack. */
  role: text('the name or the id of a role').optional(),
  /** Organization for rows that name none: its name or id. In the place of that of the stack. */
  organization: text('the name or the id of an organization').optional(),
  /** Nobody is invited: the reports say who would be. */
  dryRun: yesOrNo().optional(),
  /** More new people than this hold a run; without it, their share of the users does. */
  newPeopleMax: wholeNumber(0, newPeopleMost, 'people').optional(),
  /** That share, in percent. However small it is, a few people hold no run. */
  newPeoplePercent: wholeNumber(0, 100, 'percent of the users').optional(),
  /** A file with fewer rows than this, in percent of the last completed run's, holds a run. At 0, none does. */
  rowsPercentMin: wholeNumber(0, 100, 'percent of the rows of the last completed run').optional(),
  /** More invalid rows than this, in percent of all, hold a run. At 100, none do. */
  invalidPercentMax: wholeNumber(0, 100, 'percent of the rows').optional(),
  /** A file that was not refreshed for longer is not run, in hours. */
  staleAfterHours: wholeNumber(1, yearHours, 'hours').optional(),
  /** An invitation that is open for longer is listed as drift, in hours. */
  openAfterHours: wholeNumber(1, yearHours, 'hours').optional(),
  /** An invitation that is open for longer is sent again, in hours. Without it, none is. */
  resendAfterHours: wholeNumber(resendAfterHoursMin, yearHours, 'hours').optional(),
};

export const rosterSettingNames = Object.keys(rosterShape);

const rosterSchema = z
  .strictObject(rosterShape, {
    error: ({ code, input }) => (code === 'invalid_type' ? `${found(input)}; ${expectedOfOne}` : undefined),
  })
  .transform((roster) => ({ ...roster, key: roster.key ?? `${rosterUploadsPrefix}${roster.name}.csv` }));

const exampleOfOne = '{"name": "acme", "schedule": "cron(30 4 * * ? *)"}';
const expectedOfOne = `it must be like ${exampleOfOne}.`;

export type RosterSettings = z.output<typeof rosterSchema>;

export const rostersSchema = z
  .array(rosterSchema, {
    error: ({ input }) => `${found(input)}; it must be a list in the settings file, like [${exampleOfOne}].`,
  })
  .superRefine((rosters, { addIssue }) => {
    const refusals = [refusalOfNumber, refusalOfTwins, refusalOfTwoLimits, refusalOfSize];
    const message = refusals.map((refusalOf) => refusalOf(rosters)).find((refusal) => refusal !== undefined);
    if (message !== undefined) addIssue({ code: 'custom', message });
  });

/** Says so where a file would be deleted before it counts as too old. */
export function refusalOfStaleAfter(rosters: readonly RosterSettings[], uploadDays: number): string | undefined {
  const late = rosters.find(({ staleAfterHours = defaultStaleAfterHours }) => staleAfterHours >= uploadDays * dayHours);
  if (late === undefined) return undefined;
  const { name, staleAfterHours = defaultStaleAfterHours } = late;
  return (
    `The roster “${name}” may be ${staleAfterHours} hours old (“staleAfterHours”), and uploads are deleted after ${uploadDays} days ` +
    `(“uploadDays”), which are ${uploadDays * dayHours} hours. Make the first shorter or the second longer.`
  );
}

const defaultStaleAfterHours = rosterLimits.staleAfterMs / hourMs;

function refusalOfNumber(rosters: readonly RosterSettings[]): string | undefined {
  const { rostersMax } = settingSizes;
  if (rosters.length <= rostersMax) return undefined;
  return `has ${rosters.length} rosters, and at most ${rostersMax} fit into a stack. Share them among several stacks.`;
}

/** Two rosters of one name would take each other's runs for their own; two of one file would contradict each other. */
function refusalOfTwins(rosters: readonly RosterSettings[]): string | undefined {
  for (const part of ['name', 'key'] as const) {
    const values = rosters.map((roster) => roster[part]);
    const twin = values.find((value, index) => values.indexOf(value) !== index);
    if (twin !== undefined) return `has two rosters whose ${part} is “${twin}”. Each needs one of its own.`;
  }
  return undefined;
}

function refusalOfTwoLimits(rosters: readonly RosterSettings[]): string | undefined {
  const both = rosters.find(
    ({ newPeopleMax, newPeoplePercent }) => newPeopleMax !== undefined && newPeoplePercent !== undefined,
  );
  if (both === undefined) return undefined;
  return (
    `has a roster “${both.name}” with both “newPeopleMax” and “newPeoplePercent”, and one of the two decides. ` +
    'Leave out “newPeoplePercent” for a number of people, or “newPeopleMax” for a share of the users.'
  );
}

function refusalOfSize(rosters: readonly RosterSettings[]): string | undefined {
  const { rosterBytesMax } = settingSizes;
  for (const roster of rosters) {
    const bytes = jsonBytes(rosterMessageOf(roster));
    if (bytes > rosterBytesMax)
      return `has a roster “${roster.name}” whose settings take ${bytes} bytes, and at most ${rosterBytesMax} fit. Shorten the longest.`;
  }
  return undefined;
}

function fits(key: string): boolean {
  return Buffer.byteLength(key) <= ledgerLimits.keyBytesMax;
}
