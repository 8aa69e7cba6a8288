/**
 * The API key: when it is read, when it is read again, and what is said where there is none.
 */
import { describe, expect, test } from 'vitest';
import { apiKeyReader, keyFromSecret } from '../../../lambdas/adapters/apiKey.ts';
import { apiKeyLimits } from '../../../lambdas/core/limits.ts';
import { newWorld } from '../../support/world.ts';

const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme-key-AbCdEf';

/** A secret that a test fills; reads are answered when the test says so, or at once. */
function secret(first: string | undefined) {
  const state = { value: first, fault: undefined as Error | undefined, reads: 0, isHeld: false };
  let release: (() => void)[] = [];
  const client = {
    send: async () => {
      state.reads += 1;
      const { value, fault } = state;
      if (state.isHeld) await new Promise<void>((resolve) => release.push(resolve));
      if (fault !== undefined) throw fault;
      return { SecretString: value };
    },
  };
  const letGo = async () => {
    state.isHeld = false;
    for (const resolve of release.splice(0)) resolve();
    release = [];
    await new Promise(setImmediate);
  };
  return { state, client: client as unknown as Parameters<typeof keyFromSecret>[0], letGo };
}

function named(name: string): Error {
  return Object.assign(new Error('the text of the SDK'), { name });
}

function reader(first: string | undefined) {
  const world = newWorld();
  const kept = secret(first);
  return { ...kept, world, readKey: keyFromSecret(kept.client, arn, world) };
}

describe('the key in a secret', () => {
  test('is read once, without the line break that was pasted with it', async () => {
    const { readKey, state } = reader('key-1\n');
    expect(await readKey()).toBe('key-1');
    expect(await readKey()).toBe('key-1');
    expect(state.reads).toBe(1);
  });

  test('is read once though many calls ask for it at the same time', async () => {
    const { readKey, state } = reader('key-1');
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => readKey())))).toEqual(new Set(['key-1']));
    expect(state.reads).toBe(1);
  });

  test('is read again after a while, and no call waits for it', async () => {
    const { readKey, state, world, letGo } = reader('key-1');
    await readKey();
    Object.assign(state, { value: 'key-2', isHeld: true });
    world.clock.advance(apiKeyLimits.refreshAfterMs - 1);
    await readKey();
    expect(state.reads).toBe(1);
    world.clock.advance(1);
    expect(await Promise.all([readKey(), readKey(), readKey()])).toEqual(['key-1', 'key-1', 'key-1']);
    expect(state.reads).toBe(2);
    await letGo();
    expect(await readKey()).toBe('key-2');
    expect(state.reads).toBe(2);
  });

  test('stays in use while it cannot be read again, which is tried once a minute and no more often', async () => {
    const { readKey, state, world, letGo } = reader('key-1');
    await readKey();
    state.fault = named('InternalServiceError');
    world.clock.advance(apiKeyLimits.refreshAfterMs);
    for (let call = 0; call < 5; call += 1) {
      expect(await readKey()).toBe('key-1');
      await letGo();
    }
    expect(state.reads).toBe(2);
    expect(world.log.lines).toEqual([expect.stringMatching(/^api_key_not_refreshed /u)]);
    world.clock.advance(apiKeyLimits.retryAfterMs);
    await readKey();
    expect(state.reads).toBe(3);
  });

  test('is read again after a refusal, once for all calls that were refused', async () => {
    const { readKey, state } = reader('key-1');
    await readKey();
    state.value = 'key-2';
    expect(await Promise.all([readKey('key-1'), readKey('key-1'), readKey('key-1')])).toEqual([
      'key-2',
      'key-2',
      'key-2',
    ]);
    expect(await readKey('key-1')).toBe('key-2');
    expect(state.reads).toBe(2);
  });

  test('that changes while it is being read is not missed after a refusal', async () => {
    const { readKey, state, world, letGo } = reader('key-1');
    await readKey();
    state.isHeld = true;
    world.clock.advance(apiKeyLimits.refreshAfterMs);
    await readKey();
    state.value = 'key-2';
    const afterRefusal = readKey('key-1');
    await letGo();
    expect(await afterRefusal).toBe('key-2');
  });

  test('that is refused and is still the same is given as it is; so is one that cannot be read', async () => {
    const { readKey, state, world } = reader('key-1');
    await readKey();
    expect(await readKey('key-1')).toBe('key-1');
    state.fault = named('InternalServiceError');
    expect(await readKey('key-1')).toBe('key-1');
    expect(world.log.lines).toEqual([expect.stringMatching(/^api_key_not_refreshed /u)]);
  });

  test.each([
    ['was never filled', undefined, 'ResourceNotFoundException'],
    ['is empty', '', undefined],
    ['holds blanks', ' \n', undefined],
  ])('that %s says the one command that fills it', async (_name, value, fault) => {
    const { readKey, state } = reader(value);
    if (fault !== undefined) state.fault = named(fault);
    await expect(readKey()).rejects.toThrow(
      `There is no API key in the secret ${arn} yet. To put the key into it, run this command, paste the key, and end with ` +
        `Enter and Ctrl-D: aws secretsmanager put-secret-value --region eu-west-1 --secret-id ${arn} --secret-string file:///dev/stdin`,
    );
  });

  test('may be filled later: the next call finds it', async () => {
    const { readKey, state } = reader(undefined);
    await expect(readKey()).rejects.toThrow('There is no API key');
    state.value = 'key-1';
    expect(await readKey()).toBe('key-1');
  });

  test.each(['{"key":"secret-word"}', 'secret-word and more', 'secret-wörd'])(
    'that holds more than a key is refused without being quoted',
    async (value) => {
      const error: unknown = await reader(value)
        .readKey()
        .catch((thrown) => thrown);
      expect(String(error)).toContain('must be the API key and nothing else');
      expect(String(error)).not.toContain('secret-w');
    },
  );

  test('that may not be read says so, with the kind of error and no advice that would not help', async () => {
    const { readKey, state } = reader('key-1');
    state.fault = named('AccessDeniedException');
    await expect(readKey()).rejects.toThrow(/^The secret \S+ could not be read: AccessDeniedException\.$/u);
  });
});

describe('the key of a local run', () => {
  const { log } = newWorld();

  test('comes from DCI_API_KEY', async () => {
    expect(await apiKeyReader({ DCI_API_KEY: 'key-1' }, log)()).toBe('key-1');
    expect(await apiKeyReader({ DCI_API_KEY: 'key-1' }, log)('key-1')).toBe('key-1');
  });

  test('is missed in words that say where it belongs', async () => {
    await expect(apiKeyReader({}, log)()).rejects.toThrow('DCI_API_KEY is not set. It must hold the API key.');
  });
});
