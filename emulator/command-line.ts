import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { UnknownReleaseError } from './dcos/release.ts';
import { InfraError } from './infra.ts';
import { appIdOf, externalVolumeNames } from './scenes/apps.ts';
import { BadInput } from './scenes/given-event.ts';

/** A whole number from 0 to `most`. Throws BadInput, which names the option. */
export const wholeNumber =
  (option: string, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= most) return value;
    const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` from 0 to ${most}`;
    throw new BadInput(`${option} takes a whole number${upTo}, not '${text}'`);
  };

/** Collects `--set NAME=VALUE`, which may be given again. Throws BadInput. */
export const setting = (
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new BadInput(`--set takes NAME=VALUE, not '${text}'`);
  }
  return { ...before, [name]: value };
};

/** Throws BadInput, which names the file. */
export const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new BadInput(`cannot read ${file}: ${code}`, { cause: error });
  }
};

const parseJson = (text: string, file: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new BadInput(`${file} is not JSON: ${problem}`, { cause: error });
  }
};

/** A Marathon app definition with external volumes. Throws BadInput, which names the file. */
export const readApp = (file: string): object => {
  const definition = parseJson(readText(file), file);
  if (typeof definition !== 'object' || definition === null || !('id' in definition)) {
    throw new BadInput(`${file} is no Marathon app: it has no id`);
  }
  if (externalVolumeNames(definition).length === 0) {
    throw new BadInput(`${file}: ${appIdOf(definition)} has no external volume to move`);
  }
  return definition;
};

const isBadInput = (error: unknown): error is Error =>
  error instanceof BadInput ||
  error instanceof UnknownReleaseError ||
  error instanceof InfraError ||
  error instanceof CommanderError ||
  (error instanceof Error && error.name === 'InvalidAppError');

/** Commander without its own way out: what it finds wrong is thrown, and said by `endWith`. */
export const strict = (command: Command): Command =>
  command
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });

/**
 * Sets the exit code that `run` resolves to; 2 and one line on stderr for bad input, 0 for
 * `--help`. Every other error ends the process with its stack: it is a mistake of ours.
 */
export const endWith = async (run: () => Promise<number>): Promise<void> => {
  // Whoever read along has seen enough: `| head` is no mistake of anybody's.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  try {
    process.exitCode = await run();
  } catch (error) {
    if (!isBadInput(error)) throw error;
    const asked = error instanceof CommanderError && error.exitCode === 0;
    if (!asked) process.stderr.write(`${error.message.replace(/\s+/g, ' ')}\n`);
    process.exitCode = asked ? 0 : 2;
  }
};
