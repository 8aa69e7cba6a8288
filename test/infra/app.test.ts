/**
 * The CDK app as the CDK runs it: in a process of its own, with the bundles.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-app-'));
const { app, context } = z
  .object({ app: z.string(), context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));

afterAll(() => rmSync(folder, { recursive: true }));

/** As the command line of the CDK does it, on the Node that runs this test. */
function synth(name: string, settings: Readonly<Record<string, unknown>> = {}) {
  const [, ...args] = app.split(' ');
  const out = join(folder, name);
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...settings }) },
  });
  return { status, stderr, out };
}

describe('a synth', () => {
  let first: ReturnType<typeof synth>;

  beforeAll(() => {
    first = synth('first', { stack: 'acme' });
  });

  const assetsIn = (out: string) => readdirSync(out).filter((name) => name.startsWith('asset.'));

  test('makes the template of the stack that is named, breaks no rule, and has nothing to say', () => {
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(first.out)).toContain('acme.template.json');
  });

  test('bundles each function into one module below 1.2 MB', () => {
    const bundles = assetsIn(first.out).map((name) => join(first.out, name));
    expect(bundles).toHaveLength(3);
    for (const bundle of bundles) {
      expect(readdirSync(bundle)).toEqual(['index.mjs', 'index.mjs.map']);
      expect(statSync(join(bundle, 'index.mjs')).size).toBeLessThan(1_200_000);
    }
  });

  test('makes the same bundles again, so that nothing is deployed that has not changed', () => {
    expect(assetsIn(synth('second', { stack: 'acme' }).out)).toEqual(assetsIn(first.out));
  });
});

test('a wrong setting is told in a sentence, and nothing else is', () => {
  const { status, stderr } = synth('wrong', { workers: '1' });
  expect(status).toBe(1);
  expect(stderr).toBe(
    'The setting “workers” is "1"; it must be a whole number from 2 to 1000 (worker invocations at once).\n',
  );
});

describe('destroy', () => {
  const destroy = (...args: string[]) =>
    spawnSync(process.execPath, ['infra/destroy.ts', '--force', ...args], { cwd: root, encoding: 'utf8' });
  /** In the place of ours. */
  const brokenApp = ['--app', 'node --eval "process.exit(1)"'];

  test.each([
    ['of the usual name', [], 'bulk-invite'],
    ['that an option names', ['-c', 'stack=acme'], 'acme'],
    ['that a file names', [`--context=settings=${join(folder, 'globex.json')}`], 'globex'],
  ])('names the stack %s and what it keeps before it asks, and fails where the CDK fails', (_name, options, stack) => {
    writeFileSync(join(folder, 'globex.json'), '{"stack": "globex", "workers": 4}');
    const { status, stderr } = destroy(...options, ...brokenApp);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`This removes the stack “${stack}”: .*It keeps two buckets: .*exited with error 1`, 'su'),
    );
  });

  test('does nothing where a setting is wrong', () => {
    const { status, stderr } = destroy('-c', 'workers=1');
    expect(status).toBe(1);
    expect(stderr).toBe(
      'The setting “workers” is "1"; it must be a whole number from 2 to 1000 (worker invocations at once).\n',
    );
  });
});
