import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Files of libraries that are always bundled and can never run in these functions:
 *
 * - zod carries a JSON Schema writer with every schema;
 * - the SDK brings SHA-256 in JavaScript for a Node without crypto, a rate limiter for its adaptive
 *   retries (ours are in the workflow), and asks the instance it runs on for its region (there is
 *   no instance, and Lambda tells the region).
 */
const LEFT_OUT = [
  'zod/v4/core/to-json-schema',
  'zod/v4/core/json-schema-processors',
  '@smithy/core/.*/sha256/Sha256Js',
  '@smithy/core/.*/util-retry/AdaptiveRetryStrategy',
  '@smithy/core/.*/util-retry/DefaultRateLimiter',
  '@smithy/core/.*/regionConfig/getInstanceMetadataRegion',
];

/** The SDK looks for ~/.aws at every cold start; a function has none. */
const PROFILES = '@smithy/core/.*/shared-ini-file-loader/loadSharedConfigFiles';
const NO_PROFILES = `
  export { CONFIG_PREFIX_SEPARATOR } from './constants.js';
  export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });`;

/**
 * Every client is given a handler over the project's own door to the network (wiring.ts); the
 * SDK's own sockets, over 1,000 lines of them, are for clients that were given none.
 */
const SOCKETS = '@smithy/node-http-handler/.*/index';
const NO_SOCKETS = `
  export { streamCollector } from '@smithy/core/serde';
  export const NodeHttpHandler = {
    create: (given) => {
      if (typeof given?.handle === 'function') return given;
      throw new Error('an AWS client was made without the network door');
    },
  };`;

const filesLike = (...patterns: readonly string[]): RegExp =>
  new RegExp(`node_modules[\\\\/](?:${patterns.join('|').replaceAll('/', '[\\\\/]')})\\.js$`);

const EXPORTED = /^export (?:const|class|function|async function) (\w+)/gm;

/** The same exports, which refuse when they are called, constructed, or what they made is called. */
const refusing = (source: string, path: string): string => {
  const names = [...source.matchAll(EXPORTED)].map(([, name = '']) => name);
  const message = JSON.stringify(`${path.replace(/.*node_modules./, '')} is not in this bundle`);
  return [
    `const no = function () { throw new Error(${message}); };`,
    ...names.map(
      (name) => `export const ${name} = ${name.startsWith('create') ? '() => no' : 'no'};`,
    ),
  ].join('\n');
};

/** esbuild plugin: replaces what can never run by exports that refuse to. */
export const leftOut: Plugin = {
  name: 'left-out',
  setup(build) {
    build.onLoad({ filter: filesLike(...LEFT_OUT) }, async ({ path }) => ({
      contents: refusing(await readFile(path, 'utf8'), path),
      loader: 'js',
    }));
    build.onLoad({ filter: filesLike(SOCKETS) }, ({ path }) => ({
      contents: NO_SOCKETS,
      resolveDir: dirname(path),
      loader: 'js',
    }));
    build.onLoad({ filter: filesLike(PROFILES) }, () => ({ contents: NO_PROFILES, loader: 'js' }));
  },
};
