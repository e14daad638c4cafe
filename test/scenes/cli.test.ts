import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'scenes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const start = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', './scripts/require-node.mjs', 'emulator/scene-cli.ts', ...args],
    { cwd: root, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
};

const file = (name: string, content: string | object): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const fixture = (name: string): string => join(root, 'test/fixtures/events', name);
const event = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

describe('npm start', () => {
  it('tells the story in lines of at most 80 columns, without colours in a pipe', () => {
    const { status, stdout } = start();
    expect(status).toBe(0);
    for (const line of stdout.split('\n').map((text) => text.trimEnd())) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
    expect(stdout).not.toContain('\u001b[');
    for (const told of [
      'task /mysql',
      'task /shop/web',
      '/dev/xvdb',
      'verdict Impaired',
      'two reads agree',
      'released, epoch 1',
      'RECOVERED  /mysql',
      'above that floor',
      '0 lost, 0 foreign writes',
    ]) {
      expect(stdout).toContain(told);
    }
  });

  it('says what the README shows of it, line by line, and as fast', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, shown = ''] = readme.split('```text\n').flatMap((part) => part.split('```')[0] ?? []);
    const told = shown.split('\n').filter((line) => line.trim() !== '' && line.trim() !== '...');
    expect(told.length).toBeGreaterThan(30);
    const printed = start()
      .stdout.split('\n')
      .map((line) => line.trimEnd());
    expect(told.filter((line) => !printed.includes(line))).toEqual([]);
  });

  it.each(['hung', 'stopped', 'terminated'])('is as fast with %s as the README says', (scene) => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, seconds] =
      new RegExp(`^\\| \`${scene}\`: .*? healthy after ([0-9.]+) s`, 'm').exec(readme) ?? [];
    expect(start('--scene', scene).stdout).toContain(`after ${seconds} s`);
  });

  it('is paced for the eye, and coloured, in a terminal', () => {
    const run = `import os, pty, sys
os.environ['TERM'] = 'xterm'
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))`;
    const began = performance.now();
    const { status, stdout } = spawnSync(
      'python3',
      [
        '-c',
        run,
        process.execPath,
        '--import',
        './scripts/require-node.mjs',
        'emulator/scene-cli.ts',
      ],
      { cwd: root, encoding: 'utf8' },
    );
    expect(status).toBe(0);
    expect(stdout).toContain('RECOVERED');
    expect(stdout).toContain('\u001b[');
    // Whatever the machine: somebody can follow it, and need not wait for it.
    expect(performance.now() - began).toBeGreaterThan(5_000);
  }, 60_000);

  it('prints one document with --json, equal for equal seeds', () => {
    const once = start('--json', '--seed', '5');
    const again = start('--json', '--seed', '5');
    expect(once.status).toBe(0);
    expect(again.stdout).toBe(once.stdout);
    expect(Object.keys(JSON.parse(once.stdout))).toEqual([
      'scene',
      'seed',
      'outcome',
      'incident',
      'agent',
      'fence',
      'volumes',
      'apps',
      'data',
      'phasesMs',
      'floorMs',
      'overheadMs',
      'calls',
      'retries',
    ]);
  });

  it('shows the retries of stock DC/OS with --without', () => {
    const { status, stdout } = start('--without');
    expect(status).toBe(0);
    expect(stdout).toContain('resource not found');
    expect(stdout).toMatch(/DOWN {2}\/mysql: \d+ launches failed/);
  });
});

describe('an event somebody has at hand', () => {
  it.each([
    ['ec2-stopped.json', 'stopped', 'recovered'],
    ['ec2-terminated.json', 'terminated', 'recovered'],
    ['alarm-system.json', 'hung', 'recovered'],
    ['health-issue.json', 'hung', 'recovered'],
    ['ec2-running.json', 'none', 'cancelled'],
    ['alarm-ok.json', 'none', 'cancelled'],
    ['health-closed.json', 'none', 'cancelled'],
    // Announced, and no read confirms it: the machine of this world is nobody's Spot Instance.
    ['spot-warning.json', 'none', 'cancelled'],
  ])('%s plays %s and ends %s', (name, scene, outcome) => {
    const { status, stdout } = start('--json', '--event', fixture(name));
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ scene, outcome });
    expect(status).toBe(0);
    const text = readFileSync(fixture(name), 'utf8');
    if (scene !== 'none') expect(text).toContain(report.agent.instanceId);
    expect(report.agent.availabilityZone.startsWith(event(name).region)).toBe(true);
  });
});

describe('bad input', () => {
  const stopped = event('ec2-stopped.json');
  const { id: _id, source: _source, ...withoutSource } = stopped;
  it.each([
    ['an unknown scene', ['--scene', 'flood'], 'Allowed choices'],
    ['an unknown option', ['--secne', 'hung'], 'unknown option'],
    ['an argument too many', ['hung'], 'too many arguments'],
    ['a seed that is no number', ['--seed', 'many'], '--seed'],
    ['a DC/OS nobody knows', ['--dcos', '3.7'], 'unknown DC/OS version'],
    ['a file that is not there', ['--event', 'nowhere.json'], 'nowhere.json'],
    ['malformed JSON', ['--event', file('bad.json', '{"source"')], 'not JSON'],
    ['JSON that is no event', ['--event', file('list.json', [])], 'no EventBridge event'],
    ['an event without source', ['--event', file('s.json', withoutSource)], "'source' is missing"],
    [
      'an account that is none',
      ['--event', file('a.json', { ...stopped, account: '1' })],
      'digits',
    ],
    ['a time that is none', ['--event', file('t.json', { ...stopped, time: 'noon' })], 'no time'],
    ['an app without volumes', ['--app', file('app.json', { id: '/web' })], 'no external volume'],
    [
      'an app Marathon refuses',
      [
        '--app',
        file('two.json', {
          id: '/pg',
          instances: 2,
          cpus: 1,
          mem: 64,
          container: {
            type: 'MESOS',
            volumes: [
              {
                containerPath: 'd',
                mode: 'RW',
                external: { name: 'd', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
              },
            ],
          },
        }),
      ],
      'Number of instances',
    ],
  ])('%s: one line on stderr, exit 2, nothing run', (_title, args, says) => {
    const { status, stdout, stderr } = start(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(says);
  });
});
