import { posix } from 'node:path';
import type { ProjectFile } from './project-files.ts';

/** One import of one file. */
export interface Import {
  readonly from: string;
  /** A path from the project's root, or the name of a package, or `node:...`. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*['"`]([^'"`]+)['"`]/g;

const target = (path: string, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;

/** Every import and re-export, dynamic ones with a literal path included. */
export const importsOf = ({ path, text }: ProjectFile): Import[] => [
  ...[...text.matchAll(STATIC)].map(([, type, specifier = '']) => ({
    from: path,
    to: target(path, specifier),
    typeOnly: type !== undefined,
  })),
  ...[...text.matchAll(DYNAMIC)].map(([, specifier = '']) => ({
    from: path,
    to: target(path, specifier),
    typeOnly: false,
  })),
];
