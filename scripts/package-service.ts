import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bundle, bundleFunction } from './bundle.ts';
import { readFunctionList } from './function-list.ts';

export interface Package {
  readonly bundles: readonly Bundle[];
  /** Absolute path of the CloudFormation template. */
  readonly templatePath: string;
}

/** Which cluster's stack, and where; serverless.yml has the defaults. */
export interface Target {
  readonly stage?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * The framework's own environment, and nothing of the caller's account: packaging must not depend
 * on who packages.
 */
const frameworkEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  SLS_TELEMETRY_DISABLED: '1',
  SLS_NOTIFICATIONS_MODE: 'off',
});

const writeTemplate = async (serviceDir: string, { stage, region }: Target): Promise<void> => {
  const framework = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');
  const options = { cwd: serviceDir, env: frameworkEnvironment() };
  try {
    const where = [...(stage ? ['--stage', stage] : []), ...(region ? ['--region', region] : [])];
    await promisify(execFile)(process.execPath, [framework, 'package', ...where], options);
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`serverless.yml was refused:\n${stdout}${stderr}`, { cause: error });
  }
};

/**
 * Bundles every function and writes the CloudFormation template. Needs no account, credentials or
 * network.
 *
 * @param sourceDir the project: functions/ and what they import
 * @param serviceDir where serverless.yml, infra/ and statemachines/ lie and the output goes:
 *   `.build/` for bundles, `.serverless/` for the template. The project itself, or a copy.
 * @throws Error with the framework's output when it refuses the configuration
 */
export const packageService = async (
  sourceDir: string,
  serviceDir = sourceDir,
  target: Target = {},
): Promise<Package> => {
  const list = Object.entries(readFunctionList(serviceDir));
  const bundles: Bundle[] = [];
  for (const [name, entry] of list) {
    bundles.push(await bundleFunction(name, entry, { sourceDir, outDir: serviceDir }));
  }
  await writeTemplate(serviceDir, target);
  const templatePath = join(serviceDir, '.serverless/cloudformation-template-update-stack.json');
  return { bundles, templatePath };
};
