/**
 * Policies as they stand in a template, and what they allow.
 */
import { z } from 'zod';
import { textOf } from './synthesized.ts';

const listOf = (item: z.ZodType) => z.union([z.array(item), item.transform((one) => [one])]).pipe(z.array(item));
const textsSchema = listOf(z.string()).pipe(z.array(z.string()));
const conditionSchema = z.record(z.string(), z.record(z.string(), z.unknown()));
const documentSchema = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: textsSchema,
      Resource: listOf(z.unknown()).transform((resources) => resources.map(textOf)),
      Condition: conditionSchema.default({}),
      Principal: z.unknown().optional(),
    }),
  ),
});

export type Statement = z.output<typeof documentSchema>['Statement'][number];

export function statementsOf(document: unknown): Statement[] {
  return documentSchema.parse(document).Statement;
}

export interface Call {
  readonly action: string;
  readonly resource: string;
  /** What is listed, or the key that was asked for and is not there. */
  readonly prefix?: string;
}

/** One action on one resource; where a list is limited by prefixes, one of them. */
export interface Permission extends Call {}

/** All pairs of an action and a resource that the statements allow. */
export function permissionsIn(statements: readonly Statement[]): Permission[] {
  return statements.flatMap(({ Effect, Action, Resource, Condition }) => {
    if (Effect !== 'Allow') throw new Error(`A statement says ${Effect}, which is not expected here.`);
    const prefixes = textsSchema.optional().parse(Condition['StringLike']?.['s3:prefix']);
    return Action.flatMap((action) =>
      Resource.flatMap((resource) =>
        prefixes === undefined ? [{ action, resource }] : prefixes.map((prefix) => ({ action, resource, prefix })),
      ),
    );
  });
}

export function allows(permission: Permission, call: Call): boolean {
  if (!isLike(call.action, permission.action) || !isLike(call.resource, permission.resource)) return false;
  return permission.prefix === undefined || (call.prefix !== undefined && isLike(call.prefix, permission.prefix));
}

/** Source: IAM User Guide, wildcards in policies. */
function isLike(text: string, pattern: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/gu, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'u').test(text);
}
