/**
 * The DoiT API key: from a secret where the functions run on AWS, and from the variable that DoiT's own command-line tool
 * uses where they run on one machine. Nothing here says its value.
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { fillSecretCommand } from '../core/apiKeySecret.ts';
import { apiKeyLimits } from '../core/limits.ts';
import type { Clock, Log } from '../ports.ts';
import { systemClock } from './systemClock.ts';

/**
 * Gives the key. Once a key is known it is given at once, so that no call has to wait for it.
 *
 * @param refusedKey The key that the API has just refused: then the secret is read again, and the answer is another key
 * where another one is there by now.
 * @throws Error that says what to do, where there is no key.
 */
export type ReadKey = (refusedKey?: string) => Promise<string>;

export interface ApiKeySettings {
  readonly DCI_API_KEY?: string | undefined;
  readonly BULK_INVITE_API_KEY_SECRET_ARN?: string | undefined;
}

export function apiKeyReader(settings: ApiKeySettings, log: Log): ReadKey {
  const { DCI_API_KEY: key, BULK_INVITE_API_KEY_SECRET_ARN: secretArn } = settings;
  if (secretArn === undefined) return keyFromEnvironment(key);
  const timeoutMs = apiKeyLimits.readTimeoutMs;
  const client = new SecretsManagerClient({
    region: regionOf(secretArn),
    requestHandler: { connectionTimeout: timeoutMs, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
  });
  return keyFromSecret(client, secretArn, { clock: systemClock, log });
}

function keyFromEnvironment(key: string | undefined): ReadKey {
  return async () => {
    if (key === undefined) throw new Error('DCI_API_KEY is not set. It must hold the API key.');
    return key;
  };
}

/** Reads the secret when the key is first asked for, after a refusal, and beside the calls when the key has grown old. */
export function keyFromSecret(
  client: Pick<SecretsManagerClient, 'send'>,
  secretArn: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ReadKey {
  let known: string | undefined;
  let refreshAtMs = 0;
  let reading: Promise<string> | undefined;

  return async (refusedKey) => {
    if (known === undefined) return await readOnce();
    if (refusedKey !== undefined) return await keyAfterRefusal(refusedKey, known);
    if (reading === undefined && clock.now() >= refreshAtMs) readOnce().catch(keepKnownKey);
    return known;
  };

  /** One read at a time, however many ask. */
  function readOnce(): Promise<string> {
    reading ??= readSecret(client, secretArn)
      .then((key) => {
        known = key;
        refreshAtMs = clock.now() + apiKeyLimits.refreshAfterMs;
        return key;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  }

  async function keyAfterRefusal(refusedKey: string, knownKey: string): Promise<string> {
    try {
      // A read that was under way before the refusal may still give the old key.
      const current = (await reading) ?? knownKey;
      return current === refusedKey ? await readOnce() : current;
    } catch (error) {
      keepKnownKey(error);
      return knownKey;
    }
  }

  function keepKnownKey(error: unknown): void {
    refreshAtMs = clock.now() + apiKeyLimits.retryAfterMs;
    log.error('api_key_not_refreshed', {}, error);
  }
}

async function readSecret(client: Pick<SecretsManagerClient, 'send'>, secretArn: string): Promise<string> {
  let text: string | undefined;
  try {
    text = (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString;
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : 'unknown error';
    // A secret that was never filled is answered like one that does not exist.
    if (name !== 'ResourceNotFoundException')
      throw new Error(`The secret ${secretArn} could not be read: ${name}.`, { cause });
  }
  const key = text?.trim() ?? '';
  if (key === '') throw new Error(`There is no API key in the secret ${secretArn} yet. ${next(secretArn)}`);
  if (!/^[\x21-\x7e]+$/u.test(key) || key.startsWith('{'))
    throw new Error(
      `The secret ${secretArn} must be the API key and nothing else: no JSON, no blanks, no line breaks. ${next(secretArn)}`,
    );
  return key;
}

function next(secretArn: string): string {
  const command = fillSecretCommand(secretArn, regionOf(secretArn));
  return `To put the key into it, run this command, paste the key, and end with Enter and Ctrl-D: ${command}`;
}

function regionOf(secretArn: string): string {
  return secretArn.split(':')[3] ?? '';
}
