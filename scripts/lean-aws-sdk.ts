import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Plugin, PluginBuild } from 'esbuild';

/**
 * Names the SDK gives to strings it uses often: `const _eQN = "ec2QueryName";`. They save bytes in
 * the package and cost far more in a bundle: a schema with a computed key `{ [_eQN]: ... }` might
 * have side effects, so the bundler keeps all 3,000 shapes of EC2 for the ten that are used.
 */
const NAMED_STRING = /^const (_\w+) = ("(?:[^"\\]|\\.)*");$/gm;
const COMPUTED_KEY = /\[(_\w+)\]:/g;

const namedStrings = (source: string): ReadonlyMap<string, string> =>
  new Map([...source.matchAll(NAMED_STRING)].map(([, name = '', literal = '']) => [name, literal]));

/** Writes the named strings back into the computed keys of a schema file of the SDK. */
export const inlineComputedKeys = (source: string): string => {
  const strings = namedStrings(source);
  return source.replace(COMPUTED_KEY, (key, name: string) => {
    const literal = strings.get(name);
    return literal === undefined ? key : `${literal}:`;
  });
};

const EC2_NAMES = /"ec2QueryName": `(\w+)`,\s*("xmlName": (_\w+))/g;

/**
 * EC2 names a member twice where its request and its answer differ only in the first letter's case.
 * The protocol makes the first name from the second by itself, so that one goes.
 */
export const dropDerivedNames = (source: string): string => {
  const strings = namedStrings(source);
  return source.replace(EC2_NAMES, (both, query: string, xml: string, name: string) => {
    const inAnswers = JSON.parse(strings.get(name) ?? '""');
    return inAnswers.charAt(0).toUpperCase() + inAnswers.slice(1) === query ? xml : both;
  });
};

const PLAIN_ERROR =
  /(= \[-3, n0, \w+,\s*\{ "error": \w+(?:, "httpError": \d+)? \},\s*\[[_\w, ]*\],\s*\[[0, ]*\]\s*\];)\s*n0_registry\.registerError\(.*\);/g;

/**
 * Each client registers a class for every error of its service, used or not. An error that carries
 * nothing but strings does without: the SDK then makes one of the service's base class, with the
 * same name, message and strings. `instanceof` would miss it, so adapters look at names
 * (test/tidy.test.ts).
 */
export const forgetPlainErrors = (source: string): string => source.replace(PLAIN_ERROR, '$1');

/**
 * Parts of the SDK that can never run in these functions, and what stands in for them.
 *
 * - Credentials come from the environment in Lambda; the default chain also brings single sign-on,
 *   profiles, web identity and the clients all of these need.
 * - No operation used here streams events.
 * - EventBridge's client can sign for several regions at once, for global endpoints; ours has one.
 * - DynamoDB in AWS is found by its region, never by asking it for its endpoints.
 */
const STAND_INS: ReadonlyMap<string, string> = new Map([
  [
    '@aws-sdk/credential-provider-node',
    `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';`,
  ],
  [
    '@smithy/core/event-streams',
    `export const eventStreamSerdeProvider = undefined, EventStreamSerde = undefined;
     export const resolveEventStreamSerdeConfig = (config) => config;`,
  ],
  [
    '@aws-sdk/signature-v4-multi-region',
    `export { SignatureV4 as SignatureV4MultiRegion } from '@smithy/signature-v4';`,
  ],
  [
    '@aws-sdk/middleware-endpoint-discovery',
    `export const resolveEndpointDiscoveryConfig = (config) => config;
     export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
       environmentVariableSelector: () => false, configFileSelector: () => false, default: false,
     };`,
  ],
]);

const standIns = (build: PluginBuild): void => {
  const filter = new RegExp(`^(?:${[...STAND_INS.keys()].join('|')})$`);
  build.onResolve({ filter }, async (asked) => {
    if (asked.pluginData === 'real') return undefined;
    const { importer, kind, namespace, resolveDir } = asked;
    const real = await build.resolve(asked.path, {
      importer,
      kind,
      namespace,
      resolveDir,
      pluginData: 'real',
    });
    // A stand-in resolves its own imports from where the real module lies: a package of the SDK
    // need not be reachable from the project's root.
    return { path: asked.path, namespace: 'stand-in', pluginData: dirname(real.path) };
  });
  build.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path, pluginData }) => ({
    contents: STAND_INS.get(path) ?? '',
    resolveDir: String(pluginData),
  }));
};

const slimmed = (schemas: string): string =>
  forgetPlainErrors(dropDerivedNames(inlineComputedKeys(schemas)));

/** esbuild plugin: of the AWS SDK, only what the operations in use need. */
export const leanAwsSdk: Plugin = {
  name: 'lean-aws-sdk',
  setup(build) {
    build.onLoad({ filter: /dist-es[\\/]schemas[\\/]schemas_\d+\.js$/ }, async ({ path }) => ({
      contents: slimmed(await readFile(path, 'utf8')),
      loader: 'js',
    }));
    // Each client imports its own package.json, for the version in the user agent.
    build.onLoad({ filter: /@aws-sdk[\\/]client-[\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
    standIns(build);
  },
};
