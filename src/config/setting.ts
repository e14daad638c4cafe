import * as z from 'zod';

/** A variable, with what to set it to if it is missing or does not look like `pattern`. */
export const setting = (pattern: RegExp, fix: string): z.ZodString =>
  z
    .string({ error: () => `is missing: set it to ${fix}` })
    .regex(pattern, `is wrong: set it to ${fix}`);

export const seconds = (min: number, max: number) => {
  const fix = `whole seconds from ${min} to ${max}`;
  return setting(/^\d{1,9}$/, fix)
    .transform((text) => Number(text) * 1_000)
    .refine((ms) => ms >= min * 1_000 && ms <= max * 1_000, `is wrong: set it to ${fix}`);
};

export const count = (min: number, max: number) => {
  const fix = `a whole number from ${min} to ${max}`;
  return setting(/^\d{1,9}$/, fix)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `is wrong: set it to ${fix}`);
};

export const oneOf = <const Value extends string>(...values: readonly Value[]) =>
  z.enum(values, {
    error: ({ input }) =>
      `is ${input === undefined ? 'missing' : 'wrong'}: set it to ${values.join(' or ')}`,
  });

export const secretId = (what: string) =>
  setting(/^[\w+=.@:/-]{1,2048}$/, `the Secrets Manager id of ${what}, or "none"`);

export const functionName = /^[\w:-]{1,170}$/;
