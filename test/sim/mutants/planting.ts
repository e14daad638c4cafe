import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Mutant } from './mutant.ts';

const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** What ships and can be broken on purpose; the emulator and the checker stay as they are. */
const shippedUrls = ['src/', 'functions/'].map((folder) => {
  return pathToFileURL(join(projectRoot, folder)).href;
});

/** The file with every patch of the mutant in place. Throws when one does not apply exactly once. */
const mutate = (mutant: Mutant, file: string, source: string): string =>
  mutant.patches
    .filter((patch) => patch.file === file)
    .reduce((text, { exact, replacement }) => {
      const found = text.split(exact).length - 1;
      if (found !== 1) {
        throw new RangeError(
          `${mutant.name}: its patch of ${file} applies ${found} times, not once`,
        );
      }
      return text.replace(exact, () => replacement);
    }, source);

/** Throws unless every patch of the mutant applies to the files as they are now. */
export const checkPatches = (mutant: Mutant): void => {
  for (const { file } of mutant.patches) {
    mutate(mutant, file, readFileSync(join(projectRoot, file), 'utf8'));
  }
};

/**
 * Lets this process load the shipped modules anew for each mutant, patched on the way in: nothing
 * on disk changes, nothing that is loaded already is touched. Answers the switch; `undefined`
 * means the modules as they are.
 */
export const createPlanting = (): ((mutant: Mutant | undefined) => void) => {
  let current: Mutant | undefined;
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const isShipped = shippedUrls.some((prefix) => found.url.startsWith(prefix));
      if (current === undefined || !isShipped) return found;
      const url = new URL(found.url);
      url.search = `?mutant=${encodeURIComponent(current.name)}`;
      return { ...found, url: url.href };
    },
    load: (url, context, next) => {
      const loaded = next(url, context);
      const { pathname, searchParams, protocol } = new URL(url);
      if (current === undefined || protocol !== 'file:' || !searchParams.has('mutant'))
        return loaded;
      const file = decodeURIComponent(pathname).slice(projectRoot.length);
      return { ...loaded, source: mutate(current, file, String(loaded.source)) };
    },
  });
  return (mutant) => {
    current = mutant;
  };
};
