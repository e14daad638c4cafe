import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDir } from '../support/project-files.ts';

/** Starts an entry point that prints "ran", on a Node that calls itself `version`. */
const start = (version: string) => {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`;
  const disguise = `Object.defineProperty(process, 'versions', ${versions})`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...['--import', `data:text/javascript,${encodeURIComponent(disguise)}`],
      ...['--import', './scripts/require-node.mjs'],
      ...['--eval', "process.stdout.write('ran')"],
    ],
    { cwd: projectDir, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
};

describe('require-node', () => {
  it.each(['20.20.2', '9.0.0'])('says in one sentence why Node %s will not do', (version) => {
    const { status, stdout, stderr } = start(version);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^ebs-failover needs Node 24 or newer and this is .*: [^\n]*\.\n$/);
    expect(stderr).toContain(version);
  });

  it.each(['24.0.0', '100.0.0'])('lets Node %s pass without a word', (version) => {
    expect(start(version)).toEqual({ status: 0, stdout: 'ran', stderr: '' });
  });

  it('stands before the command line, in a file that an older Node can read', () => {
    const { bin }: { bin: Record<string, string> } = JSON.parse(
      readFileSync(join(projectDir, 'package.json'), 'utf8'),
    );
    expect(Object.values(bin)).toEqual(['cli/ebs-failover.mjs']);
    for (const path of Object.values(bin)) {
      const lines = readFileSync(join(projectDir, path), 'utf8').split('\n');
      const imports = lines.filter((line) => /\bimport\b/.test(line));
      expect(imports[0]).toBe("import '../scripts/require-node.mjs';");
      // Whatever else is loaded waits for it.
      expect(imports.slice(1).every((line) => line.includes('await import('))).toBe(true);
    }
  });

  it('stands before every entry point that npm starts', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(projectDir, 'package.json'), 'utf8'),
    );
    const entryPoints = Object.values(scripts).filter((script) => script.startsWith('node '));
    expect(entryPoints.length).toBeGreaterThan(0);
    for (const script of entryPoints) {
      expect(script).toMatch(
        /^node (?:--always-sparkplug )?--import \.\/scripts\/require-node\.mjs /,
      );
    }
  });
});
