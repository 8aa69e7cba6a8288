/**
 * What the DoiT API answers with. Unknown fields are normal.
 */
import * as z from 'zod';

/** A list is absent or `null` when it is empty. */
const listOf = <T>(item: z.ZodType<T>) =>
  z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);

const id = z
  .string()
  .nullish()
  .transform((text) => text ?? '');

const userSchema = z
  .object({
    id: z.string(),
    email: z.string(),
    status: z
      .string()
      .nullish()
      .transform((status) => status ?? ''),
    roleId: id,
    organizationId: id,
  })
  .transform(({ roleId, organizationId, ...user }) => ({
    ...user,
    ...(roleId === '' ? {} : { roleId }),
    ...(organizationId === '' ? {} : { organizationId }),
  }));
const namedSchema = z.object({ id: z.string(), name: z.string() });

export const usersSchema = z
  .object({ users: listOf(userSchema), rowCount: z.number().nullish() })
  // A list that was cut short would have people invited again.
  .refine(({ users, rowCount }) => rowCount === null || rowCount === undefined || rowCount === users.length);

export const rolesSchema = z.object({ roles: listOf(namedSchema) });

export const organizationsSchema = z.object({ organizations: listOf(namedSchema) });

export const keyOwnerSchema = z.object({ email: z.string(), domain: z.string() });

export const invitedSchema = z.object({
  user: z.object({ id: z.string().min(1), email: z.string(), status: z.string().nullish() }),
});
