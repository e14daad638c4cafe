import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { launch } from './process.ts';

const notAnApp = fileURLToPath(new URL('../fixtures/events/ec2-stopped.json', import.meta.url));
const noJson = fileURLToPath(import.meta.url);

/** Marathon itself would answer 422 for it. */
const impossibleApp = {
  id: '/mysql',
  cpus: -1,
  mem: 1024,
  instances: 1,
  cmd: 'mysqld',
  container: {
    type: 'MESOS',
    volumes: [
      {
        containerPath: 'data',
        mode: 'RW',
        external: { name: 'mysql', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
      },
    ],
  },
};

describe('npm run local', () => {
  it.each([
    [
      'a port that is no number',
      ['--port', 'http'],
      "--port takes a whole number from 0 to 65535, not 'http'",
    ],
    [
      'a port that no machine has',
      ['--port', '65536'],
      '--port takes a whole number from 0 to 65535',
    ],
    ['a seed that is no number', ['--seed', '-1'], '--seed'],
    ['a release that nobody made', ['--dcos', '9.9'], '9.9'],
    ['a file that is not there', ['--app', 'missing.json'], 'cannot read missing.json: ENOENT'],
    ['a file that is no JSON', ['--app', noJson], 'is not JSON'],
    ['a file that is no app', ['--app', notAnApp], 'no external volume'],
    [
      'a setting without a value',
      ['--set', 'WeakFence'],
      "--set takes NAME=VALUE, not 'WeakFence'",
    ],
    ['a setting that is none', ['--set', 'Weak=hold'], 'parameter Weak is not declared'],
    ['a wrong setting', ['--set', 'WeakFence=no'], 'parameter WeakFence does not accept no'],
    ['an option it does not have', ['--prot', '1'], '--prot'],
    ['a word too many', ['4566'], 'too many arguments'],
  ])('refuses %s in one line and starts nothing', async (_, argv, words) => {
    const { ended, stderr, stdout } = launch('--port', '0', ...argv);
    expect(await ended).toBe(2);
    expect(stderr()).toContain(words);
    expect(stderr().split('\n')).toHaveLength(2);
    expect(stdout()).toBe('');
  });

  it('refuses an app that Marathon would not take, and lets go of the port', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'local-'));
    const file = join(folder, 'app.json');
    writeFileSync(file, JSON.stringify(impossibleApp));
    const { ended, stderr } = launch('--port', '0', '--app', file);
    expect(await ended).toBe(2);
    expect(stderr()).toContain('cpus');
    expect(stderr().split('\n')).toHaveLength(2);
    rmSync(folder, { recursive: true });
  });

  it('explains itself', async () => {
    const { ended, stdout } = launch('--help');
    expect(await ended).toBe(0);
    expect(stdout()).toContain('--port <n>');
  });
});
