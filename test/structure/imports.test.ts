/**
 * Imports that must never happen. Each rule keeps one side replaceable: the decisions without a world around them, the
 * use cases without AWS, the functions without each other.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface Import {
  readonly from: string;
  /** A path from the root, or the name of a package. */
  readonly to: string;
}

interface Rule {
  readonly name: string;
  readonly from: RegExp;
  readonly allows: (to: string) => boolean;
}

const useCase = /^lambdas\/(ingest|worker|report|ledger)\/(?!handler\.ts)|^lambdas\/(consume|ports)\.ts/u;
const isSdk = (to: string) => /^@aws-(sdk|lambda-powertools|crypto)\/|^@smithy\//u.test(to);

const rules: readonly Rule[] = [
  {
    name: 'core imports nothing but itself and the hashing of Node',
    from: /^lambdas\/core\//u,
    allows: (to) => to.startsWith('lambdas/core/') || to === 'node:crypto',
  },
  {
    name: 'use cases import neither adapters nor SDKs',
    from: useCase,
    allows: (to) => !to.startsWith('lambdas/adapters/') && !isSdk(to),
  },
  {
    name: 'only adapters and handlers use SDKs',
    from: /^lambdas\/(?!adapters\/|\w+\/handler\.ts)/u,
    allows: (to) => !isSdk(to),
  },
  {
    name: 'lambdas import nothing of infra, cli, test and bench',
    from: /^lambdas\//u,
    allows: (to) => !/^(infra|cli|test|bench)\//u.test(to),
  },
  {
    name: 'ingest imports neither worker nor report',
    from: /^lambdas\/ingest\//u,
    allows: (to) => !/^lambdas\/(worker|report)\//u.test(to),
  },
  {
    name: 'worker imports neither ingest nor report',
    from: /^lambdas\/worker\//u,
    allows: (to) => !/^lambdas\/(ingest|report)\//u.test(to),
  },
  {
    name: 'report imports neither ingest nor worker',
    from: /^lambdas\/report\//u,
    allows: (to) => !/^lambdas\/(ingest|worker)\//u.test(to),
  },
  {
    name: 'adapters import no use case',
    from: /^lambdas\/adapters\//u,
    allows: (to) => !/^lambdas\/(ingest|worker|report|ledger)\//u.test(to),
  },
  {
    name: 'infra imports nothing of lambdas but names and limits',
    from: /^infra\//u,
    allows: (to) =>
      !to.startsWith('lambdas/') ||
      /^lambdas\/core\/(apiKeySecret|columns|keys|limits|metrics|outcome|roster)\.ts$/u.test(to),
  },
];

const imports = ['lambdas', 'infra'].flatMap(filesBelow).flatMap(importsOf);

test('the imports of the functions were found', () => {
  expect(imports).toContainEqual({ from: 'lambdas/worker/inviteRows.ts', to: 'p-retry' });
  expect(imports).toContainEqual({ from: 'lambdas/ingest/ingest.ts', to: 'lambdas/core/jobId.ts' });
  expect(imports).toContainEqual({ from: 'infra/queues.ts', to: 'lambdas/core/limits.ts' });
});

test.each(rules)('$name', ({ from, allows }) => {
  const forbidden = imports.filter((found) => from.test(found.from) && !allows(found.to));
  expect(forbidden).toEqual([]);
});

function filesBelow(folder: string): string[] {
  return readdirSync(root, { withFileTypes: true }).some((entry) => entry.name === folder)
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name))
    : [];
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/gu)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => ({ from: file, to: resolved(file, specifier) }));
}

function resolved(file: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier;
}
