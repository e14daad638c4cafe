import { pathToFileURL } from 'node:url';
import { type FunctionSpec, loadInfra } from '../../emulator/infra.ts';
import type { FunctionModule } from '../../src/runtime/function-module.ts';
import { projectDir } from '../support/project-files.ts';

export interface Deployed extends FunctionModule {
  readonly key: string;
  readonly spec: FunctionSpec;
  /** Its own variables, and those Lambda gives every function. */
  readonly environment: Readonly<Record<string, string>>;
}

const infra = loadInfra({
  folder: `${projectDir}/infra`,
  account: '123456789012',
  region: 'us-east-1',
  stack: 'ebs-failover-demo',
  parameters: {
    ClusterName: 'demo',
    DcosUrl: 'https://dcos.internal',
    SlackChannel: 'C0FAILOVER',
    SlackTokenSecretId: 'slack/token',
    SlackSigningSecretId: 'slack/signing',
    SlackOperators: 'U0ANA,S0ONCALL',
  },
});

const lambdaVariables = {
  AWS_REGION: infra.region,
  AWS_ACCESS_KEY_ID: 'ASIAFUNCTION',
  AWS_SECRET_ACCESS_KEY: 'hush',
  AWS_SESSION_TOKEN: 'hush-hush',
};

/** Every function of infra/functions.yml with the module it names, loaded as Lambda loads it. */
export const deployed: readonly Deployed[] = await Promise.all(
  infra.functions.map(async (spec) => {
    const { key, handler, environment } = spec;
    const path = `${projectDir}/${handler.replace(/\.handler$/, '.ts')}`;
    const module: FunctionModule = await import(pathToFileURL(path).href);
    const own = { ...lambdaVariables, AWS_LAMBDA_FUNCTION_NAME: spec.name };
    return { ...module, key, spec, environment: { ...environment, ...own } };
  }),
);
