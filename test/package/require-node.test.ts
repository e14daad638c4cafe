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
