import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

/** One entry of infra/functions.yml, as far as packaging needs it. */
const Entry = z.looseObject({
  /** Path without extension, dot, name of the export. */
  handler: z.string().regex(/^functions\/[a-z-]+\.handler$/),
  package: z.strictObject({ artifact: z.string() }),
});
export type FunctionEntry = z.infer<typeof Entry>;

/**
 * The functions of the service by key, in the order of the file.
 *
 * @throws ZodError when an entry names no handler or no artifact
 */
export const readFunctionList = (projectDir: string): Record<string, FunctionEntry> => {
  const text = readFileSync(join(projectDir, 'infra/functions.yml'), 'utf8');
  return z.record(z.string(), Entry).parse(parse(text, { merge: true }));
};
