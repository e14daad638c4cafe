import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Other people's programs that some tests look through. No test installs one: without it a test is
 * skipped and says so. `.ci/run` installs what is missing where it may.
 */

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The first of these names that is on PATH, as a path. */
const onPath = (names: readonly string[], { PATH = '' }: NodeJS.ProcessEnv): string | undefined =>
  names
    .flatMap((name) =>
      PATH.split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, name)),
    )
    .find(isProgram);

/** As distributions and vendors call it. */
const browsers = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The installed Chromium: what CHROMIUM_PATH names, or the first on PATH. Undefined: there is none. */
export const findChromium = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env.CHROMIUM_PATH || onPath(browsers, env);

/** The installed AWS CLI, if it runs. */
export const findAwsCli = (env: NodeJS.ProcessEnv = process.env): string | undefined => {
  const aws = onPath(['aws'], env);
  return aws !== undefined && spawnSync(aws, ['--version']).status === 0 ? aws : undefined;
};

/** A Python that has boto3: a distribution's packages are its own Python's only. */
export const findBoto3 = (env: NodeJS.ProcessEnv = process.env): string | undefined => {
  const has = (python: string) => spawnSync(python, ['-c', 'import boto3']).status === 0;
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders
    .map((folder) => join(folder, 'python3'))
    .filter(isProgram)
    .find(has);
};

interface Tool {
  readonly name: string;
  /** Debian's. */
  readonly package: string;
  readonly find: () => string | undefined;
}

const tools: readonly Tool[] = [
  { name: 'Chromium', package: 'chromium', find: findChromium },
  // Either of the two drives the same tests.
  { name: 'boto3', package: 'python3-boto3', find: () => findBoto3() ?? findAwsCli() },
];

export interface Machine {
  readonly isRoot: boolean;
  /** Runs it; answers whether that went well. */
  readonly run: (command: string, args: readonly string[]) => boolean;
  readonly say: (line: string) => void;
}

/** Installs what is missing, as far as this machine allows, and says what stays missing. Never fails. */
export const installMissing = (
  { isRoot, run, say }: Machine,
  wanted: readonly Tool[] = tools,
): void => {
  const missing = wanted.filter(({ find }) => find() === undefined);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.package);
  if (isRoot && run('apt-get', ['--version']) && run('apt-get', ['update', '--quiet'])) {
    run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...packages]);
  }
  for (const { find, name, package: from } of missing) {
    if (find() === undefined) {
      say(`${name} is not installed (package ${from}): the tests that need it are skipped`);
    }
  }
};
