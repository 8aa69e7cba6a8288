/**
 * The stack as the CDK makes it; usually without its bundles, which take longer than all the rest and change nothing of the template.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { z } from 'zod';
import { bundleHandler } from '../../infra/bundling.ts';
import { functionNames } from '../../infra/functions.ts';
import { readSettings } from '../../infra/settings.ts';
import { bulkInviteStack } from '../../infra/stack.ts';
import type { FunctionName } from '../../lambdas/core/limits.ts';

const root = join(import.meta.dirname, '..', '..');
const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.array(z.string()).default([]),
  DeletionPolicy: z.string().optional(),
});
const templateSchema = z.object({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});

const lambdaSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Handler: z.string(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});

type Settings = Readonly<Record<string, unknown>>;

export type Resource = z.output<typeof resourceSchema>;

export interface Synthesized {
  readonly app: App;
  readonly stack: Stack;
  readonly template: z.output<typeof templateSchema>;
  /** As it is sent to CloudFormation. */
  readonly templateBytes: number;
  /** By logical id. */
  ofType(type: string): [id: string, resource: Resource][];
}

/** @param settings As they would be given with `-c`. */
export function synthesize(settings: Settings = {}): Synthesized {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-synth-'));
  try {
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'index.mjs'), '');
    return synthesizeInto(join(folder, 'cdk.out'), settings, () => bundle);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A function as it would be deployed. */
export interface DeployedCode {
  /** What is packed for Lambda. */
  readonly folder: string;
  /** Module and export, as Lambda is told. */
  readonly handler: string;
  /** References as `textOf` gives them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** With its bundles, in a folder that stays. */
export async function synthesizeWithBundles(
  folder: string,
  settings: Settings = {},
): Promise<(name: FunctionName) => DeployedCode> {
  const bundleFolder = (name: FunctionName) => join(folder, 'bundles', name);
  await Promise.all(functionNames.map((name) => bundleHandler(name, bundleFolder(name))));
  const out = join(folder, 'cdk.out');
  const { ofType } = synthesizeInto(out, settings, bundleFolder);
  return (name) => {
    const [, lambda] = ofType('AWS::Lambda::Function').find(([id]) => id.toLowerCase().startsWith(name)) ?? [];
    const { Code, Handler, Environment } = lambdaSchema.parse(lambda?.Properties);
    const variables = Object.entries(Environment.Variables);
    return {
      folder: join(out, `asset.${Code.S3Key.replace(/\.zip$/u, '')}`),
      handler: Handler,
      environment: Object.fromEntries(variables.map(([variable, value]) => [variable, textOf(value)])),
    };
  };
}

function synthesizeInto(outdir: string, settings: Settings, bundleFolder: (name: FunctionName) => string): Synthesized {
  const app = new App({ context: featureFlags(), outdir });
  const stack = bulkInviteStack(app, readSettings(settings), bundleFolder);
  const artifact = app.synth().getStackArtifact(stack.artifactId);
  const template = templateSchema.parse(artifact.template);
  const templateBytes = statSync(artifact.templateFullPath).size;
  const ofType = (type: string) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
  return { app, stack, template, templateBytes, ofType };
}

/** What `cdk.json` sets: it changes what the constructs make. */
function featureFlags(): Record<string, unknown> {
  return z
    .object({ context: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context;
}

/** A value of the template as text: `<Id>` for a reference, `<Id.Arn>` for an attribute. */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[operation, operand] = []] = Object.entries(value);
  switch (operation) {
    case 'Ref':
      return `<${operand}>`;
    case 'Fn::GetAtt':
      return `<${operand.join('.')}>`;
    case 'Fn::Join':
      return operand[1].map(textOf).join(operand[0]);
    default:
      throw new Error(`The template has ${operation}, which is not expected here.`);
  }
}
