import type * as z from 'zod';
import { ConfigError } from '../domain/errors.ts';
import type { Environment } from './environment.ts';
import type { Section } from './sections.ts';

/** What was read, by section. */
export type Config<Sections> = {
  readonly [Name in keyof Sections]: Sections[Name] extends z.ZodType<infer Value>
    ? Readonly<Value>
    : never;
};

const freeze = <Value>(value: Value): Value => {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
};

/**
 * Reads the named sections from the environment, all at once, and freezes what it read:
 * `loadConfig(env, { ledger, policy }).policy.impairedGraceMs`. There are no defaults here: those
 * are the parameters' in infra/parameters.yml, where an operator sees them.
 *
 * @throws ConfigError naming every missing or wrong variable, what is wrong and the fix; never
 *   what the variable holds.
 */
export const loadConfig = <Sections extends Readonly<Record<string, Section>>>(
  env: Environment,
  sections: Sections,
): Config<Sections> => {
  const problems = new Set<string>();
  const config: Record<string, unknown> = {};
  for (const [name, section] of Object.entries(sections)) {
    const parsed = section.safeParse(env);
    config[name] = parsed.data;
    for (const { path, message } of parsed.error?.issues ?? []) {
      problems.add(`${path.join('.')} ${message}`);
    }
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
  return freeze(config) as Config<Sections>;
};
