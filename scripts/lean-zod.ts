import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

const EXPORTED = /^export (?:const|function) (\w+)/gm;

/** Exports of the same names that refuse to work, when called or when what they made is called. */
const refusing = (source: string): string => {
  const names = [...source.matchAll(EXPORTED)].map(([, name = '']) => name);
  const lines = names.map((name) =>
    name.startsWith('create') ? `export const ${name} = () => no;` : `export const ${name} = no;`,
  );
  return [`const no = () => { throw new Error('JSON Schema is not bundled'); };`, ...lines].join(
    '\n',
  );
};

/** esbuild plugin: zod without its JSON Schema writer, which every schema carries along. */
export const leanZod: Plugin = {
  name: 'lean-zod',
  setup(build) {
    const filter = /zod[\\/]v4[\\/]core[\\/](?:to-json-schema|json-schema-processors)\.js$/;
    build.onLoad({ filter }, async ({ path }) => ({
      contents: refusing(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};
