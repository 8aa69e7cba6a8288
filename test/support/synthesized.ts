/**
 * The stack as the CDK makes it, without its bundles: they take longer than all the rest and change nothing of the template.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { z } from 'zod';
import { readSettings } from '../../infra/settings.ts';
import { bulkInviteStack } from '../../infra/stack.ts';

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

export type Resource = z.output<typeof resourceSchema>;

export interface Synthesized {
  readonly app: App;
  readonly stack: Stack;
  readonly template: z.output<typeof templateSchema>;
  /** By logical id. */
  ofType(type: string): [id: string, resource: Resource][];
}

/** @param settings As they would be given with `-c`. */
export function synthesize(settings: Readonly<Record<string, unknown>> = {}): Synthesized {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-invite-synth-'));
  try {
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'index.mjs'), '');
    const app = new App({ context: featureFlags(), outdir: join(folder, 'cdk.out') });
    const stack = bulkInviteStack(app, readSettings(settings), () => bundle);
    const template = templateSchema.parse(app.synth().getStackArtifact(stack.artifactId).template);
    const ofType = (type: string) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
    return { app, stack, template, ofType };
  } finally {
    rmSync(folder, { recursive: true });
  }
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
