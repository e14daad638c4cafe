import { registerHooks } from 'node:module';

/** The packages and, in each, the class that is replaced; all else in them stays the SDK's. */
const CLIENTS: Readonly<Record<string, string>> = {
  'client-auto-scaling': 'AutoScalingClient',
  'client-dynamodb': 'DynamoDBClient',
  'client-ec2': 'EC2Client',
  'client-eventbridge': 'EventBridgeClient',
  'client-lambda': 'LambdaClient',
  'client-secrets-manager': 'SecretsManagerClient',
  'client-sfn': 'SFNClient',
  'client-sns': 'SNSClient',
};

const PACKAGE = /\/@aws-sdk\/([\w-]+)\/dist-\w+\/index\.js$/;
const MARK = '?lean=';
const leanUrl = new URL('./client.ts', import.meta.url).href;

const moduleAround = (real: string, name: string): string => `
  import { ${name} as Real } from ${JSON.stringify(real)};
  import { leanClient } from ${JSON.stringify(leanUrl)};
  export * from ${JSON.stringify(real)};
  export const ${name} = leanClient(Real);
`;

let installed = false;

/**
 * From now on this thread's modules get lean clients from the SDK's packages. What is loaded
 * already keeps the SDK's own.
 */
export const installLeanSdk = (): void => {
  if (installed) return;
  installed = true;
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const name = CLIENTS[PACKAGE.exec(found.url)?.[1] ?? ''];
      // The module around the SDK's own imports that one.
      if (name === undefined || context.parentURL?.includes(MARK)) return found;
      return { url: `${found.url}${MARK}${name}`, format: 'module' };
    },
    load: (url, context, next) => {
      const [real = url, name] = url.split(MARK);
      if (name === undefined) return next(url, context);
      return { format: 'module', source: moduleAround(real, name), shortCircuit: true };
    },
  });
};
