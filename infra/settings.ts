/**
 * The settings of a stack, from the context of the CDK: one by one as `-c name=value`, or many in a file that
 * `-c settings=acme.json` names. What is given one by one outranks the file.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { apiLimits, holdLimits, outageLimits, retentionLimits, selfStopLimits } from '../lambdas/core/limits.ts';
import { newPeopleMost, refusalOfStaleAfter, rosterSettingNames, rostersSchema } from './rosterSettings.ts';
import { setting, text, wholeNumber, yesOrNo } from './settingKinds.ts';
import { refusalOfAll, refusalOfDomains, settingSizes } from './settingSizes.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** For how many days CloudWatch can be told to keep logs. */
const logDaysAllowed = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** An uploads message is delivered 50 times, which at 15 minutes each is more than ten hours. */
const giveUpHoursMax = 10;
/** What a message is about must be there for as long as its dead letter may be redriven, also where the job was approved at the last moment. */
const uploadDaysMin = (holdLimits.approvableMs + retentionLimits.deadLetterMs) / dayMs + 1;

export const defaultStackName = 'bulk-invite';

const arn = (pattern: RegExp, what: string) => setting(z.string().regex(pattern), what);
const principal = arn(
  /^arn:aws[a-z-]*:iam::\d{12}:(?:root|user\/.+|role\/.+)$/u,
  'the ARN of an IAM role, user or account, such as arn:aws:iam::123456789012:role/hr-export',
);

const settingsSchema = z.strictObject({
  /** Name of the stack. Several stacks, one for each tenant, may be in one account and region. */
  stack: setting(
    z.string().regex(/^[a-z][a-z0-9-]{0,49}$/iu),
    'a letter, and then letters, digits and hyphens; 50 characters at most',
  ).default(defaultStackName),
  /** Base address of the DoiT API. */
  apiUrl: setting(z.url({ protocol: /^https$/u }), 'an https address, such as https://api.doit.com').default(
    'https://api.doit.com',
  ),
  /** Sent as `X-Tenant-Id`, for a key that reaches several customers. */
  tenantId: text('the id of a tenant').optional(),
  /** A secret that holds the API key and nothing else; without it, the stack makes an empty one. */
  apiKeySecretArn: arn(
    /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$/u,
    'the whole ARN of a secret, with the six characters at its end',
  ).optional(),
  /** The key of KMS that the secret is encrypted with, where it is one of your own. */
  apiKeySecretKmsKeyArn: arn(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/.+$/u,
    'the ARN of a key of KMS, such as arn:aws:kms:eu-west-1:123456789012:key/…',
  ).optional(),
  /** Worker invocations at once. Two is the least that Lambda takes. */
  workers: wholeNumber(2, 1000, 'worker invocations at once').default(2),
  /** API calls at once in each worker. */
  concurrency: wholeNumber(1, 100, 'API calls at once in each worker').default(5),
  /** Role for rows that name none: its name or id. */
  role: text('the name or the id of a role').optional(),
  /** Organization for rows that name none: its name or id. */
  organization: text('the name or the id of an organization').optional(),
  /** Domains, separated by commas: addresses of others are invalid. All domains where it is empty. */
  allowedDomains: setting(
    z
      .union([z.array(z.string()), z.string().transform((list) => list.split(/[\s,]+/u).filter(Boolean))])
      .pipe(z.array(z.string().regex(/^[^\s@,*]+\.[^\s@,*]+$/u))),
    'domains such as acme.com,acme.co.uk; sub-domains are named one by one',
  )
    .superRefine((domains, { addIssue }) => {
      const message = refusalOfDomains(domains);
      if (message !== undefined) addIssue({ code: 'custom', message });
    })
    .default([]),
  /** Whether people are invited whose row says that they have left or are disabled. */
  inviteGone: yesOrNo().default(false),
  /** More new people than this hold an upload until somebody approves it. */
  newPeopleMax: wholeNumber(0, newPeopleMost, 'people').default(holdLimits.newPeopleMax),
  /** A job stops itself where more of the last people are rejected than this, in percent. At 100, none does. */
  rejectedPercentMax: wholeNumber(1, 100, `percent of the last ${selfStopLimits.lastRows} people`).default(
    selfStopLimits.rejectedShareMax * 100,
  ),
  /** Files that are read at their times. Only in a settings file. */
  rosters: rostersSchema.default([]),
  /** How long one call to the API may take, in seconds. */
  callTimeoutSeconds: wholeNumber(1, 120, 'seconds').default(apiLimits.callTimeoutMs / 1000),
  /** How long the API may be down before a job gives up, in hours. */
  giveUpHours: wholeNumber(1, giveUpHoursMax, 'hours').default(outageLimits.giveUpMs / hourMs),
  /** For how long uploads and the records of jobs are kept, in days. */
  uploadDays: wholeNumber(uploadDaysMin, 3650, 'days').default(30),
  /** For how long reports are kept, in days. */
  reportDays: wholeNumber(1, 3650, 'days').default(90),
  /** For how long logs are kept, in days. They hold no names and no addresses of people. */
  logDays: setting(
    z.coerce.number().refine((days) => logDaysAllowed.includes(days)),
    `one of the numbers of days that CloudWatch knows: ${logDaysAllowed.join(', ')}`,
  ).default(30),
  /** Who gets the alarms by email. AWS asks that address to confirm. */
  alarmEmail: setting(z.email(), 'an email address').optional(),
  /** Where `docs/operating.md` can be read, for the links in the alarms. */
  runbookUrl: setting(
    z.string().trim().min(1).max(settingSizes.runbookCharactersMax),
    `an address or a path, of at most ${settingSizes.runbookCharactersMax} characters`,
  ).default('docs/operating.md'),
  /** Who may take a role that can only upload. */
  uploaderPrincipalArn: principal.optional(),
  /** Who may take a role that can only read reports. */
  readerPrincipalArn: principal.optional(),
  /** Who may take a role that can see, approve, reject and cancel jobs, and upload nothing. */
  approverPrincipalArn: principal.optional(),
});

export type Settings = z.output<typeof settingsSchema>;

export const settingNames = Object.keys(settingsSchema.shape);

/** A setting that a person can mend. */
export class SettingsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SettingsError';
  }
}

/** @throws SettingsError with a sentence for each setting that is wrong or unknown. */
export function readSettings(context: Readonly<Record<string, unknown>>): Settings {
  const { settings: file, ...given } = Object.fromEntries(
    // Keys of the CDK itself and of its feature flags have a colon, a slash or a hyphen in them.
    Object.entries(context).filter(([name]) => /^[a-zA-Z]+$/u.test(name)),
  );
  const result = settingsSchema.safeParse({ ...(file === undefined ? {} : readFile(String(file))), ...given });
  if (!result.success) throw new SettingsError(result.error.issues.map(sentence).join('\n'));
  const { apiKeySecretArn, apiKeySecretKmsKeyArn } = result.data;
  if (apiKeySecretKmsKeyArn !== undefined && apiKeySecretArn === undefined)
    throw new SettingsError('The setting “apiKeySecretKmsKeyArn” is of no use without “apiKeySecretArn”.');
  const { rosters, uploadDays } = result.data;
  const refusal = refusalOfStaleAfter(rosters, uploadDays) ?? refusalOfAll(toldOf(result.data));
  if (refusal !== undefined) throw new SettingsError(refusal);
  return result.data;
}

/** What ends in the environment of ingest, which is told most; numbers and switches are short. */
function toldOf(settings: Settings): Record<string, string> {
  const { apiUrl, tenantId = '', apiKeySecretArn = '', role = '', organization = '', allowedDomains } = settings;
  return { apiUrl, tenantId, apiKeySecretArn, role, organization, allowedDomains: allowedDomains.join(',') };
}

function readFile(path: string): object {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new SettingsError(
      `The settings in ${path} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new SettingsError(`The settings in ${path} must be like {"stack": "acme", "workers": 4}.`);
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => `“${key}”`).join(', ');
    return issue.path.length === 0
      ? `There is no setting ${unknown}. There are: ${settingNames.join(', ')}.`
      : `A roster has no setting ${unknown}. It has: ${rosterSettingNames.join(', ')}.`;
  }
  return `The setting “${issue.path.join('.')}” ${issue.message}`;
}
