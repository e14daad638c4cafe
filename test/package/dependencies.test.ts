import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDir } from '../support/project-files.ts';

type Versions = Record<string, string>;
interface Manifest {
  dependencies: Versions;
  devDependencies: Versions;
  optionalDependencies: Versions;
}
const read = (path: string): string => readFileSync(join(projectDir, path), 'utf8');
const manifest: Manifest = JSON.parse(read('package.json'));
const wanted: Versions = {
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
};

type Packages = Record<string, Partial<Manifest>>;
const lock: { packages: Packages } = JSON.parse(read('package-lock.json'));

/** Packages for other platforms that the lockfile promises and does not hold. */
const missingPlatforms = (packages: Packages): string[] => {
  const present = Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, ''));
  const promised = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies),
  );
  return promised.filter((name) => !present.includes(name));
};

/** `[package, reason]` of each row of the tables. */
const justified = [...read('docs/dependencies.md').matchAll(/^\| (\S+) \| (.+) \|$/gm)]
  .map(([, name = '', reason = '']) => ({ name, reason }))
  .filter(({ name }) => name !== 'package');

describe('dependencies', () => {
  it('are justified, each of them, and nothing else is', () => {
    expect(justified.map(({ name }) => name).sort()).toEqual(Object.keys(wanted).sort());
  });

  it('are justified by a sentence', () => {
    expect(justified.filter(({ reason }) => !/^[A-Z].{15,}\.$/.test(reason))).toEqual([]);
  });

  it('have exact versions, so that a clone of next year is the clone of today', () => {
    const loose = Object.values(wanted).filter((v) => !/^(?:npm:[a-z]+@)?\d+\.\d+\.\d+$/.test(v));
    expect(loose).toEqual([]);
  });

  it('are the ones in the lockfile', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    expect(lock.packages['']).toMatchObject({
      dependencies,
      devDependencies,
      optionalDependencies,
    });
  });

  it('are locked for every platform: npm ci refuses a lockfile with a gap', () => {
    expect(missingPlatforms(lock.packages)).toEqual([]);
  });

  it('would not pass with a gap', () => {
    const packages: Packages = {
      'node_modules/parser': { optionalDependencies: { '@parser/linux': '1', '@parser/mac': '1' } },
      'node_modules/@parser/linux': {},
    };
    expect(missingPlatforms(packages)).toEqual(['@parser/mac']);
  });
});
