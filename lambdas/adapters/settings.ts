/**
 * The settings of a function, from its environment variables.
 */
import * as z from 'zod';
import { apiLimits, holdLimits, outageLimits, selfStopLimits, workerLimits } from '../core/limits.ts';
import type { DoitApiSettings } from './doitClient.ts';

const text = z.string().min(1);
const seconds = z.coerce.number().positive().max(86_400);
/** A call must fit into an invocation several times. */
const callSeconds = z.coerce.number().positive().max(120);

const settingsSchema = z.object({
  BULK_INVITE_BUCKET: text,
  BULK_INVITE_UPLOADS_QUEUE_URL: text,
  BULK_INVITE_CHUNKS_QUEUE_URL: text,
  BULK_INVITE_REPORTS_QUEUE_URL: text,
  /** Base address of the DoiT API. */
  BULK_INVITE_API_URL: z.url(),
  /** The API key, where it is not in a secret. */
  DCI_API_KEY: text.optional(),
  /** The secret with the API key. */
  BULK_INVITE_API_KEY_SECRET_ARN: text.optional(),
  /** For a key that reaches several customers. */
  BULK_INVITE_TENANT_ID: text.optional(),
  /** Worker invocations at once. */
  BULK_INVITE_WORKERS: z.coerce.number().int().min(1).max(1000).default(2),
  /** Calls at once in each of them. */
  BULK_INVITE_CONCURRENCY: z.coerce.number().int().min(1).max(100).default(5),
  /** For rows that name none: an id or a name. */
  BULK_INVITE_ROLE: text.optional(),
  BULK_INVITE_ORGANIZATION: text.optional(),
  /** People whose row says that they have left or are disabled are invited, too. */
  BULK_INVITE_INVITE_GONE: z.stringbool().default(false),
  /** Domains, separated by commas: addresses of others are invalid. */
  BULK_INVITE_ALLOWED_DOMAINS: z.string().default(''),
  /** More new people than this hold an upload until somebody approves it. */
  BULK_INVITE_NEW_PEOPLE_MAX: z.coerce.number().int().nonnegative().default(holdLimits.newPeopleMax),
  /** More rejected rows among the last ones than this, in percent, stop a job. 100 stops none. */
  BULK_INVITE_REJECTED_PERCENT_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(selfStopLimits.rejectedShareMax * 100),
  /** How long one call may take. */
  BULK_INVITE_CALL_TIMEOUT_SECONDS: callSeconds.default(apiLimits.callTimeoutMs / 1000),
  /** The first delay before a row is tried again; it doubles. */
  BULK_INVITE_RETRY_DELAY_SECONDS: seconds.default(workerLimits.retryDelayMinMs / 1000),
  /** How long a worker stays away from an API that is down at first; it doubles. */
  BULK_INVITE_OUTAGE_DELAY_SECONDS: seconds.default(outageLimits.firstDelayMs / 1000),
  /** How long the API may be down before a job gives up. */
  BULK_INVITE_GIVE_UP_SECONDS: seconds.default(outageLimits.giveUpMs / 1000),
  /** What a person adds to a command to mean this place. */
  BULK_INVITE_COMMAND_OPTIONS: z.string().default(''),
});

export const ingestSettings = settingsSchema.omit({
  BULK_INVITE_CONCURRENCY: true,
  BULK_INVITE_REJECTED_PERCENT_MAX: true,
  BULK_INVITE_RETRY_DELAY_SECONDS: true,
  BULK_INVITE_COMMAND_OPTIONS: true,
});
export const workerSettings = settingsSchema.omit({
  BULK_INVITE_COMMAND_OPTIONS: true,
  BULK_INVITE_UPLOADS_QUEUE_URL: true,
  BULK_INVITE_WORKERS: true,
  BULK_INVITE_ROLE: true,
  BULK_INVITE_INVITE_GONE: true,
  BULK_INVITE_ALLOWED_DOMAINS: true,
  BULK_INVITE_ORGANIZATION: true,
  BULK_INVITE_NEW_PEOPLE_MAX: true,
});
export const reportSettings = settingsSchema.pick({
  BULK_INVITE_BUCKET: true,
  BULK_INVITE_REPORTS_QUEUE_URL: true,
  BULK_INVITE_COMMAND_OPTIONS: true,
});

type ApiVariables = 'BULK_INVITE_API_URL' | 'BULK_INVITE_TENANT_ID' | 'BULK_INVITE_CALL_TIMEOUT_SECONDS';

/** @throws Error that names every variable that is missing or wrong, without its value. */
export function readSettings<T>(schema: z.ZodType<T>, environment: NodeJS.ProcessEnv): T {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`Environment variables are missing or wrong. ${wrong.join('; ')}`);
}

export function apiSettings(settings: Pick<z.output<typeof settingsSchema>, ApiVariables>): DoitApiSettings {
  return {
    apiUrl: settings.BULK_INVITE_API_URL,
    callTimeoutMs: settings.BULK_INVITE_CALL_TIMEOUT_SECONDS * 1000,
    ...given('tenantId', settings.BULK_INVITE_TENANT_ID),
  };
}

/** A property only where there is a value for it. */
export function given<K extends string, T>(name: K, value: T | undefined): { readonly [key in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]: T });
}
