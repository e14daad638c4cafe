import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findAwsCli, findBoto3, findChromium, installMissing } from '../../scripts/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'tools-'));
afterAll(() => rmSync(folder, { recursive: true }));
/** A program that ends with this code. */
const program = (name: string, code: number): string => {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nexit ${code}\n`);
  chmodSync(path, 0o755);
  return path;
};

describe('a tool is found', () => {
  it('by its names on PATH, and Chromium by the one that the environment gives', () => {
    const chromium = program('chromium-browser', 0);
    expect(findChromium({ PATH: `${folder}/none:${folder}` })).toBe(chromium);
    expect(findChromium({ PATH: folder, CHROMIUM_PATH: '/opt/browser' })).toBe('/opt/browser');
  });

  it('only if it is one', () => {
    writeFileSync(join(folder, 'chromium'), 'no program');
    program('aws', 1);
    program('python3', 1);
    expect(findChromium({ PATH: `${folder}/none` })).toBeUndefined();
    expect(findChromium({ PATH: folder })).toBe(join(folder, 'chromium-browser'));
    expect(findAwsCli({ PATH: folder })).toBeUndefined();
    expect(findBoto3({ PATH: folder })).toBeUndefined();
    const [aws, python] = [program('aws', 0), program('python3', 0)];
    expect(findAwsCli({ PATH: folder })).toBe(aws);
    expect(findBoto3({ PATH: folder })).toBe(python);
  });
});

describe('what is missing', () => {
  const machine = (isRoot: boolean, installs: boolean) => {
    const ran: string[] = [];
    const said: string[] = [];
    let isThere = false;
    const run = (command: string, args: readonly string[]) => {
      ran.push([command, ...args].join(' '));
      if (args[0] === 'install') isThere = installs;
      return true;
    };
    const tool = { name: 'A', package: 'a', find: () => (isThere ? '/a' : undefined) };
    installMissing({ isRoot, run, say: (line) => said.push(line) }, [
      tool,
      { name: 'B', package: 'b', find: () => '/b' },
    ]);
    return { ran, said };
  };

  it('is installed by root, and nothing else is', () => {
    const { ran, said } = machine(true, true);
    expect(ran.at(-1)).toMatch(/^apt-get install .* a$/);
    expect(said).toEqual([]);
  });

  it('is told where it cannot be installed', () => {
    const note = 'A is not installed (package a): the tests that need it are skipped';
    expect(machine(true, false).said).toEqual([note]);
    expect(machine(false, false)).toEqual({ ran: [], said: [note] });
  });

  it('is nothing where everything is there', () => {
    const never = () => {
      throw new Error('nothing was to be done');
    };
    installMissing({ isRoot: true, run: never, say: never }, []);
  });
});
