import type * as z from 'zod';

/** What is wrong, on one line: `input.instanceId: must be ...; token: ...`. Never echoes a value. */
export const problemOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
