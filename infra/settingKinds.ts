/**
 * Kinds of settings: whatever is wrong with a value, the answer is what it should be.
 */
import { z } from 'zod';

/** @param expected Goes on after “it must be”. */
export function setting<T>(schema: z.ZodType<T>, expected: string) {
  return z.unknown().transform((value, context): T => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    context.addIssue({ code: 'custom', message: `${found(value)}; it must be ${expected}.` });
    return z.NEVER;
  });
}

/** The beginning of a sentence about a value that is refused; the name of the setting stands before it. */
export function found(value: unknown): string {
  return value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
}

export const wholeNumber = (min: number, max: number, unit: string) =>
  setting(
    // Nothing at all would be turned into 0.
    z.union([z.number(), z.string().trim().min(1)]).pipe(z.coerce.number<string | number>().int().min(min).max(max)),
    `a whole number from ${min} to ${max} (${unit})`,
  );

export const text = (what: string) => setting(z.string().trim().min(1), what);

export const yesOrNo = () => setting(z.union([z.boolean(), z.stringbool()]), 'true or false');
