import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { LookOutput } from '../../src/contracts/look.ts';
import { launchReady, type Running } from '../local/process.ts';
import { bare, type Ended, ended, program, root, spawnCli } from './process-kit.ts';

let local: Running;
let failing = '';
beforeAll(async () => {
  local = await launchReady('--port', '0', '--seed', '2');
  failing = local.variables.INSTANCE_ID ?? '';
});
afterAll(() => void local.child.kill('SIGINT'));

const colours = new RegExp(`${String.fromCharCode(27)}\\[\\d*m`, 'g');

const usual = (): NodeJS.ProcessEnv => ({ ...bare(), ...local.variables });

const start = (argv: readonly string[], env = usual()): ChildProcess => spawnCli(argv, env);
const cli = (...argv: string[]): Promise<Ended> => ended(start(argv));
const json = async (...argv: string[]): Promise<unknown> => {
  const { code, stderr, stdout } = await cli(...argv, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};
/** A page for people that nobody watches: plain, and no wider than a terminal. */
const page = async (...argv: string[]): Promise<string> => {
  const { code, stderr, stdout } = await cli(...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('\u001b');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  return stdout;
};

const inTerminal = `import os, pty, sys
os.environ['TERM'] = 'xterm'
answer = (sys.argv[1] + '\\n').encode() if sys.argv[1] != '' else b''
asked = False
def read(fd):
    global asked
    data = os.read(fd, 4096)
    if b'Type yes' in data and not asked:
        asked = True
        os.write(fd, answer)
    return data
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[2:], read)))`;
/** The same in a terminal, where a person answers what is asked. */
const watched = (answer: string, ...argv: string[]): Promise<Ended> => {
  const words = ['-c', inTerminal, answer, process.execPath, program, ...argv];
  const stdio: ['pipe', 'pipe', 'pipe'] = ['pipe', 'pipe', 'pipe'];
  return ended(spawn('python3', words, { cwd: root, env: usual(), stdio }));
};

describe('on a quiet day', () => {
  it('status shows the cluster: agents, volumes with their owners, no incident, no brake', async () => {
    const shown = await page('status');
    expect(shown).toMatch(/^Cluster demo at /);
    expect(shown).toMatch(new RegExp(`${failing} .* running +active +/mysql`));
    expect(shown).toMatch(new RegExp(`vol-\\w+ +mysql +owned +0 +${failing}`));
    expect(shown).toMatch(/No open incident\.[\s\S]*No brake is on\./);
    expect(LookOutput.parse(await json('status'))).toMatchObject({ kind: 'status', trouble: [] });
  });

  it('is coloured in a terminal', async () => {
    const { code, stdout } = await watched('', 'status');
    expect(code).toBe(0);
    expect(stdout).toContain('\u001b[32mrunning');
  });

  it('incidents has none', async () => {
    expect(await page('incidents')).toBe('No incident in cluster demo.\n');
    expect(await json('incidents', '--all')).toMatchObject({ incidents: [] });
  });

  it('explain says why nothing is done', async () => {
    const shown = (await page('explain', failing)).replace(/\s+/g, ' ');
    expect(shown).toContain('nothing to do');
    expect(shown).toContain('guards none speaks against it');
    expect(await json('explain', failing)).toMatchObject({ action: 'none', guards: [] });
  });

  it('history has the volume as it was adopted', async () => {
    const { volumes } = Object(await json('status'));
    const { volumeId } = volumes[0];
    expect(await page('history', volumeId)).toMatch(new RegExp(`0 +owned +${failing}`));
    expect(await json('history', volumeId)).toMatchObject({ epochs: [{ epoch: 0 }] });
  });

  it.each(['failover', 'drain'])(
    'plan shows what a %s would do, and does nothing',
    async (mode) => {
      const argv = ['plan', failing, '--mode', mode, '--as', 'ana'];
      const words = (await page(...argv)).replace(/\s+/g, ' ');
      expect(words).toMatch(new RegExp(`^dry run of a ${mode} of ${failing}, nothing was done`));
      expect(words).toMatch(/would move mysql \(vol-\w+\) of \/mysql could run \/mysql: [\d.]+/);
      const { plan, status } = Object(await json(...argv));
      expect(status).toBe('planned');
      expect(plan.calls.length).toBeGreaterThan(1);
      expect(await json('incidents', '--all')).toMatchObject({ incidents: [] });
    },
  );

  it('watch looks as often as it is told', async () => {
    const { code, stdout } = await cli('watch', '--looks', '2', '--interval', '1');
    expect(code).toBe(0);
    expect(stdout.match(/Cluster demo/g)).toHaveLength(1);
    const { stdout: documents } = await cli('watch', '--json', '--looks', '1');
    expect(JSON.parse(documents)).toMatchObject({ kind: 'status' });
  });

  it('watch ends on Ctrl-C', async () => {
    const child = start(['watch']);
    child.stdout?.once('data', () => child.kill('SIGINT'));
    expect(await ended(child)).toMatchObject({ code: 130, stderr: '' });
  });

  it('completion is a script', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect((await cli('completion', shell)).stdout).toContain('ebs-failover');
    }
  });

  it('--help names every command and exit code', async () => {
    const help = await page('--help');
    for (const name of ['status', 'explain', 'failover', 'maintenance', 'unfence', 'watch']) {
      expect(help).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
    for (const code of [0, 1, 2, 3, 4, 5])
      expect(help).toMatch(new RegExp(`^ {2}${code} {2}`, 'm'));
  });
});

describe('what is wrong is one line and an exit code', () => {
  const unknown = 'i-0000000000000dead';
  it.concurrent.each<[string, readonly string[], NodeJS.ProcessEnv, number, RegExp]>([
    ['no command of that name', ['fly'], {}, 2, /unknown command 'fly' \(see --help\)/],
    ['an argument too few', ['show'], {}, 2, /missing required argument 'incident'/],
    ['an id that is none', ['explain', 'agent-1'], {}, 2, /'agent-1' is no instance\. It is i-/],
    ['an unknown instance', ['explain', unknown], {}, 3, /neither EC2 nor the ledger knows i-/],
    ['an unknown incident', ['show', `demo#${unknown}#1`], {}, 3, /the ledger has no incident/],
    ['another cluster', ['show', `blue#${unknown}#1`], {}, 3, /of another cluster than demo/],
    ['a page nobody said where to put', ['report', unknown], {}, 2, /say where: --html FILE/],
    [
      'a page of an unknown incident',
      ['report', unknown, '--html', '-'],
      {},
      3,
      /the ledger knows no incident of/,
    ],
    ['an unknown volume', ['history', 'vol-00000000'], {}, 3, /knows nothing of vol-00000000/],
    [
      'no credentials',
      ['status'],
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      4,
      /no AWS credentials: set AWS_PROFILE/,
    ],
    [
      'no region',
      ['status'],
      { AWS_REGION: '', AWS_DEFAULT_REGION: '' },
      4,
      /no AWS region: set AWS_REGION/,
    ],
    [
      'another region',
      ['status'],
      { AWS_REGION: 'eu-west-1' },
      4,
      /does not accept the credentials/,
    ],
    [
      'no right',
      ['status'],
      { AWS_ACCESS_KEY_ID: 'ASIALookRole' },
      4,
      /not allowed, ask for lambda:InvokeFunction on ebs-failover-main-look: /,
    ],
    [
      'an unknown profile',
      ['status', '--profile', 'nobody'],
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      4,
      /no AWS credentials in profile nobody: /,
    ],
    [
      'a deployment that is not there',
      ['status', '--cluster', 'blue'],
      {},
      5,
      /no function ebs-failover-blue-look in us-east-1: .*--cluster/,
    ],
    [
      'an endpoint nobody serves',
      ['status'],
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      5,
      /cannot reach http:\/\/127\.0\.0\.1:9, check AWS_ENDPOINT_URL/,
    ],
  ])('%s', async (_, argv, change, code, words) => {
    const set = Object.entries({ ...usual(), ...change }).filter(([, value]) => value !== '');
    const answer = await ended(start(argv, Object.fromEntries(set)));
    expect(answer).toMatchObject({ code, stdout: '' });
    expect(answer.stderr).toMatch(/^ebs-failover: [^\n]+\n$/);
    expect(answer.stderr).toMatch(words);
  });

  it('a failover that nobody confirms', async () => {
    const order = ['failover', failing, '--reason', 'drill'];
    const refused = await cli(...order);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('repeat it with --yes');
    const { code, stdout } = await watched('no', ...order);
    expect(code).toBe(1);
    expect(stdout).toContain('of cluster demo, which has mysql of /mysql?');
    expect(stdout).toContain('nothing was done');
    expect(await json('incidents', '--all')).toMatchObject({ incidents: [] });
  });

  it('a failover without the right to start one', async () => {
    const env = { ...usual(), AWS_ACCESS_KEY_ID: 'ASIASweepRole' };
    // The sweep may start it, and may not look.
    const argv = ['failover', failing, '--reason', 'drill', '--yes'];
    const { code, stderr } = await ended(start(argv, env));
    expect(code).toBe(4);
    expect(stderr).toContain('lambda:InvokeFunction on ebs-failover-main-look');
  });
});

describe('orders', () => {
  const order = async (...argv: string[]): Promise<string> => {
    const { code, stderr, stdout } = await cli(...argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };

  it('pause holds everything until unpause, and status tells who said so', async () => {
    expect(await order('pause', '--reason', 'game day', '--for', '2h', '--as', 'ana')).toMatch(
      /^demo is paused until /,
    );
    const shown = (await page('status')).replace(/\s+/g, ' ');
    expect(shown).toMatch(/Brake: paused by ana: game day, until 2/);
    expect(await json('explain', failing)).toMatchObject({
      action: 'none',
      guards: [{ reason: 'paused' }],
    });
    expect(await json('unpause')).toMatchObject({ kind: 'done' });
    expect(await json('unpause')).toMatchObject({ kind: 'unchanged' });
    expect(await page('status')).toContain('No brake is on.');
  });

  it('maintenance begins and ends for one instance', async () => {
    const began = await order('maintenance', 'begin', failing, '--reason', 'fan', '--for', '1h');
    expect(began).toContain(failing);
    expect(await page('status')).toContain(`maintenance of ${failing}`);
    expect(await json('maintenance', 'end', failing)).toMatchObject({ kind: 'done' });
    expect(await page('status')).toContain('No brake is on.');
  });

  it('maintenance of an instance nobody knows is refused', async () => {
    const unknown = 'i-0000000000000dead';
    const argv = ['maintenance', 'begin', unknown, '--reason', 'fan', '--for', '1h'];
    expect(await cli(...argv)).toMatchObject({ code: 3, stdout: '' });
  });

  it('what is over already, or too long, is refused in one line', async () => {
    const argv = ['pause', '--reason', 'x', '--until', '2020-01-01T00:00Z'];
    const { code, stderr } = await cli(...argv);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ebs-failover: [^\n]*is over already[^\n]*\n$/);
  });

  it('everything behind the storm brake is let through for a while', async () => {
    const said = await order('ack', 'storm', '--for', '15m', '--reason', 'rack', '--yes');
    expect(said).toMatch(/until/);
    expect((await page('status')).replace(/\s+/g, ' ')).toContain('storm let through by');
  });

  it('cannot be given by whoever may only look', async () => {
    const argv = ['pause', '--reason', 'x'];
    const { code, stderr } = await ended(
      start(argv, { ...usual(), AWS_ACCESS_KEY_ID: 'ASIALookRole' }),
    );
    expect(code).toBe(4);
    expect(stderr).toContain('ask for lambda:InvokeFunction on ebs-failover-main-operate');
  });
});

describe('a failover by hand', () => {
  it('is followed to its end, in the name of who asked', async () => {
    const { code, stderr, stdout } = await watched('yes', 'failover', failing, '--reason', 'drill');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Longer lines are wrapped, and colours stand between the words.
    const told = stdout.replace(colours, '').replace(/\s+/g, ' ');
    expect(told).toContain('user/local asked for a failover: drill');
    expect(told).toMatch(/StopInstances[\s\S]*is free under epoch 1[\s\S]*\/mysql runs on/);
    expect(told).toMatch(/1 volume moved, \/mysql -> [\d.]+ in [\d.]+ s $/);
  }, 120_000);

  it('is shown with evidence, phases and every call with its request', async () => {
    const shown = (await page('show', failing)).replace(/\s+/g, ' ');
    expect(shown).toMatch(/^demo#i-\w+#1 recovered /);
    expect(shown).toMatch(/Verdict Ordered .*for .*asked for a failover: drill/);
    expect(shown).toMatch(/fence [\d.]+ s #+/);
    expect(shown).toMatch(/StopInstances i-\w+ .*accepted, request [0-9a-f-]{36}/);
    const shownAs = IncidentDocument.parse(await json('show', `demo#${failing}#1`));
    expect(shownAs.calls.map(({ call }) => call)).toContain('DetachVolume');
    expect(shownAs.calls.filter(({ outcome }) => outcome !== 'accepted')).toEqual([]);
    expect(shownAs.phases.map(({ phase }) => phase)).toEqual([
      'assess',
      'fence',
      'release',
      'hand-off',
      'verify',
    ]);
  });

  it('is written down as one page for the post-mortem', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    const file = join(folder, 'incident.html');
    const written = await cli('report', failing, '--html', file);
    expect(written).toEqual({
      code: 0,
      stdout: `Report of demo#${failing}#1 (recovered): ${file}\n`,
      stderr: '',
    });
    const read = readFileSync(file, 'utf8');
    expect(read).toMatch(/^<!doctype html>[\s\S]*Downtime[\s\S]*StopInstances[\s\S]*<\/html>\n$/);
    const { stdout } = await cli('report', `demo#${failing}#1`, '--html', '-');
    const readAt = /Read from the ledger at<\/dt><dd>.*<\/dd>/;
    expect(stdout.trim().replace(readAt, '')).toBe(read.trim().replace(readAt, ''));
    const { calls } = IncidentDocument.parse(await json('report', failing));
    for (const { requestId } of calls) if (requestId) expect(read).toContain(requestId);
    rmSync(folder, { recursive: true });
  });

  it('is past, and the volume has its new owner under a new epoch', async () => {
    expect(await page('incidents')).toBe('No incident in cluster demo.\n');
    expect(await page('incidents', '--all')).toMatch(/demo#i-\w+#1 +recovered/);
    const { volumes } = Object(await json('status'));
    expect(volumes[0]).toMatchObject({ epoch: 1, ownership: 'owned' });
    expect(volumes[0].owner).not.toBe(failing);
    const { epochs } = Object(await json('history', volumes[0].volumeId));
    expect(epochs).toMatchObject([{ epoch: 0, owner: failing }, { epoch: 1 }]);
  });

  it('leaves its host in quarantine, which only a checked un-fence ends', async () => {
    expect(await page('status')).toContain(`quarantine of ${failing}`);
    const { code, stdout } = await cli('unfence', failing, '--reason', 'new fan', '--yes');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/out of quarantine/),
    });
    const again = await cli('unfence', failing, '--reason', 'new fan', '--yes', '--json');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/is not in quarantine/) });
    expect(JSON.parse(again.stdout)).toMatchObject({ kind: 'refused' });
  });
});

describe('a drain by hand', () => {
  it('of an agent that has nothing ends otherwise than asked', async () => {
    const status = LookOutput.parse(await json('status'));
    const agents = status.kind === 'status' ? status.agents : [];
    const idle = agents.find(
      ({ mesos, volumeIds }) => mesos === 'active' && volumeIds.length === 0,
    );
    const argv = ['drain', idle?.instanceId ?? '', '--reason', 'drill', '--as', 'ana', '--yes'];
    const { code, stderr, stdout } = await cli(...argv, '--json');
    expect(code).toBe(1);
    expect(stderr).toMatch(/ebs-failover: it ended cancelled\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'ended',
      status: 'cancelled',
      incident: { mode: 'drain', signals: [{ says: expect.stringMatching(/ana/) }] },
    });
  });
});

describe('orders about an incident', () => {
  const reasons = (text: unknown): string[] =>
    IncidentDocument.parse(text).orders.map(({ action, outcome }) => `${action} ${outcome}`);

  it('that is over are refused, and kept all the same', async () => {
    for (const [action, ...more] of [['hold'], ['resume', '--yes'], ['ack', '--yes']]) {
      const { code, stderr } = await cli(action ?? '', failing, ...more);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^ebs-failover: .*is over: it was recovered\n$/);
    }
    expect(reasons(await json('show', failing))).toEqual([
      'hold refused',
      'resume refused',
      'acknowledge refused',
    ]);
  });

  it('stop one that is at work before its next change, and let it go on', async () => {
    const { brakes, volumes } = Object(await json('status'));
    expect(brakes.quarantined).toEqual([]);
    const owner: string = volumes[0].owner;
    await cli('failover', owner, '--reason', 'drill', '--as', 'ana', '--yes', '--no-wait');
    const opened = async (): Promise<number | null> =>
      (await cli('hold', owner, '--as', 'ben')).code;
    await expect.poll(opened, { timeout: 20_000, interval: 200 }).toBe(0);
    const shown = (await page('show', owner)).replace(/\s+/g, ' ');
    expect(shown).toContain('Held: operator-hold: ben holds this incident');
    expect(await page('incidents')).toMatch(/ held /);
    expect(Object(await json('explain', owner)).guards[0]).toMatchObject({
      reason: 'operator-hold',
    });
    expect(await cli('approve', owner, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/asks for no approval\n$/),
    });
    const resumed = await cli('resume', owner, '--as', 'ben', '--yes');
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringMatching(/goes on/) });
    expect(reasons(await json('show', owner))).toEqual(['hold done', 'resume done']);
  }, 60_000);
});
