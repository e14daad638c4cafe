import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout. */
export const projectDir = fileURLToPath(new URL('../..', import.meta.url));

export interface ProjectFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const NOT_OURS = new Set(['node_modules', '.git', '.build', '.serverless', 'coverage']);

const walk = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.has(name))
    .flatMap((entry) =>
      entry.isDirectory() ? walk(join(dir, entry.name)) : [join(dir, entry.name)],
    );

/** Every file of the project that people write, in a fixed order. */
export const projectFiles = (): ProjectFile[] =>
  walk(projectDir)
    .map((file) => ({
      path: relative(projectDir, file).replaceAll('\\', '/'),
      text: readFileSync(file, 'utf8'),
    }))
    .filter(({ path }) => path !== 'package-lock.json')
    .sort((a, b) => (a.path < b.path ? -1 : 1));
