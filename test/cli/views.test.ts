import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { changesBetween } from '../../cli/changes.ts';
import { problemOf } from '../../cli/cloud-problems.ts';
import { table } from '../../cli/terminal.ts';
import { showIncident } from '../../cli/views/incident.ts';
import { showStatus } from '../../cli/views/status.ts';
import { agoOf, spanOf } from '../../cli/words.ts';
import type { Status } from '../../src/contracts/look.ts';
import { agent, at, incidentId, incidentOf, lineOf, other, statusOf, volume } from './documents.ts';
import { fakeTerminal, run } from './fake.ts';

const { terminal } = fakeTerminal();
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe('a table', () => {
  it('wraps its last column at words', () => {
    const says = 'the Mesos masters cannot be asked, and nothing is known of its agents at all';
    const drawn = table(terminal, ['ID', 'WHAT'], [[incidentId, says]]);
    expect(widest(drawn)).toBeLessThanOrEqual(80);
    expect(drawn.split('\n')[0]).toMatch(/^ID +WHAT$/);
    expect(drawn.replace(/\s+/g, ' ')).toContain(says);
  });

  it('cuts no word: an id can be copied whole', () => {
    const long = 'x'.repeat(70);
    expect(table(terminal, ['ID', 'WHAT'], [[incidentId, long]])).toContain(long);
  });

  it('leaves out what there is less need of where the terminal is narrow', () => {
    const rows = [
      [agent, 'ap-southeast-1a', '255.255.255.255', 'deactivated', '/mysql, /shop/web'],
    ];
    const head = ['AGENT', 'ZONE', 'ADDRESS', 'MESOS', 'RUNS'];
    const narrow = table(terminal, head, rows, ['ADDRESS', 'ZONE']);
    expect(narrow).not.toContain('255');
    expect(narrow).toContain('ap-southeast-1a');
    expect(widest(narrow)).toBeLessThanOrEqual(80);
    const wide = fakeTerminal({ columns: 120 }).terminal;
    expect(table(wide, head, rows, ['ADDRESS', 'ZONE'])).toContain('255.255.255.255');
  });
});

/** Everything at once. */
const busy: Status = statusOf({
  trouble: ['Mesos: GET failed (ECONNREFUSED)'],
  agents: statusOf().agents.map((one) => ({ ...one, incidentId, mesos: 'not-listed' as const })),
  volumes: statusOf().volumes.map((one) => ({ ...one, attachedTo: [other] })),
  incidents: [
    lineOf({
      status: 'held',
      hold: { reason: 'blind', says: 'no masters', since: at, retryAt: at },
    }),
  ],
  brakes: {
    paused: { by: 'ana', reason: 'game day', until: at + 60_000, over: false },
    maintenance: [{ instanceId: other, by: 'ben', until: at + 60_000 }],
    storm: {
      waiting: [
        {
          incidentId,
          instanceId: agent,
          zone: 'us-east-1a',
          cause: 'Impaired',
          behind: 'storm',
          priority: 0,
          since: at,
        },
      ],
      acknowledged: { by: 'cem', until: at + 60_000 },
    },
    slot: incidentId,
    quarantined: [{ instanceId: agent, incidentId, since: at - 600_000 }],
    shiftedZones: [{ zoneId: 'use1-az1', until: at + 60_000 }],
  },
});

describe('status', () => {
  it('has every brake, every trouble, and volumes that are elsewhere, within 80 columns', () => {
    const page = showStatus(busy, terminal);
    expect(widest(page)).toBeLessThanOrEqual(80);
    const words = page.replace(/\s+/g, ' ');
    for (const said of [
      'could not be read: Mesos: GET failed',
      `(attached: ${other})`,
      'blind: no masters',
      'paused by ana: game day, until 2026-11-22 21:01:00 UTC',
      `maintenance of ${other} by ben`,
      'storm: 1 wait',
      'let through by cem',
      `planned move under way: ${incidentId}`,
      `quarantine of ${agent}, fenced 10 min ago`,
      'traffic shifted from use1-az1',
    ]) {
      expect(words).toContain(said);
    }
  });

  it('does not call a pause a brake whose time is over', () => {
    const paused = { by: 'ana', reason: 'x', until: at - 1, over: true };
    const brakes = { ...statusOf().brakes, paused };
    expect(showStatus(statusOf({ brakes }), terminal)).toContain('No brake is on.');
  });

  it('of a cluster without anything says so', () => {
    const page = showStatus(statusOf({ agents: [], volumes: [] }), terminal);
    expect(page).toMatch(/No agents\.[\s\S]*No volumes\./);
  });

  it('is coloured only where the terminal has colours', () => {
    const esc = String.fromCharCode(27);
    expect(showStatus(busy, terminal)).not.toContain(esc);
    const paint = Object.fromEntries(
      ['bold', 'cyan', 'dim', 'green', 'red', 'yellow'].map((name) => [
        name,
        (text: string) => `${esc}[31m${text}${esc}[39m`,
      ]),
    ) as unknown as typeof terminal.paint;
    const coloured = showStatus(busy, fakeTerminal({ paint }).terminal);
    expect(coloured).toContain(esc);
    // Colours take no columns: what is below them is aligned all the same.
    const plain = coloured.replaceAll(new RegExp(`${esc}\\[\\d+m`, 'g'), '');
    expect(plain).toBe(showStatus(busy, terminal));
  });
});

describe('one incident', () => {
  const call = {
    seq: 1,
    token: 1,
    actor: 'FenceAgent',
    call: 'StopInstances',
    target: agent,
    parameters: { method: 'skip' },
    intendedAt: at - 30_000,
  };
  it.each([
    [{ outcome: 'accepted', requestId: 'r-1' } as const, 'accepted, request r-1'],
    [{ outcome: 'refused', error: 'IncorrectState' } as const, 'refused: IncorrectState'],
    [{ outcome: 'unknown', error: 'ETIMEDOUT' } as const, 'its answer was lost: ETIMEDOUT'],
    [{ outcome: 'open' } as const, 'no outcome is on record: it may have been made'],
  ])('tells a call with its outcome: %j', (outcome, words) => {
    const page = showIncident(incidentOf({ calls: [{ ...call, ...outcome }] }), terminal);
    const flat = page.replace(/\s+/g, ' ');
    expect(flat).toContain(
      `+30.0 s call FenceAgent: StopInstances ${agent} method=skip -> ${words}`,
    );
    expect(widest(page)).toBeLessThanOrEqual(80);
  });

  it('says what holds it, what was waved through, and what was never looked at', () => {
    const hold = { reason: 'flapping', says: 'twice', since: at, retryAt: at, looks: 0 };
    const shown = incidentOf({ status: 'held', hold, acknowledged: ['storm'], mode: 'drain' });
    const page = showIncident(shown, terminal);
    expect(page).toContain('Held: flapping: twice');
    expect(page).toContain('Waved through by people: storm');
    expect(page).toContain('(planned move)');
    expect(page).toContain('Nothing was looked at yet.');
  });
});

describe('changes', () => {
  const from = statusOf();
  const [first, ...rest] = from.agents;
  const [data] = from.volumes;
  if (first === undefined || data === undefined) throw new Error('the documents are empty');
  it.each<[string, Partial<Status>, string]>([
    ['EC2', { agents: [{ ...first, state: 'stopping' }, ...rest] }, 'EC2 running -> stopping'],
    ['checks', { agents: [{ ...first, checks: 'impaired' }, ...rest] }, 'checks ok -> impaired'],
    ['Mesos', { agents: [{ ...first, mesos: 'inactive' }, ...rest] }, 'Mesos active -> inactive'],
    ['apps', { agents: [{ ...first, appIds: [] }, ...rest] }, `agent ${agent} runs nothing`],
    [
      'a new agent',
      { agents: [...from.agents, { ...first, instanceId: 'i-1' }] },
      'agent i-1 is new: EC2 running, Mesos active',
    ],
    ['attachment', { volumes: [{ ...data, attachedTo: [] }] }, 'is attached: nowhere'],
    [
      'ownership',
      { volumes: [{ ...data, ownership: 'claimed', epoch: 1 }] },
      `volume mysql is claimed under epoch 1, owner ${agent}`,
    ],
    [
      'a new volume',
      { volumes: [data, { ...data, volumeId: 'vol-2' }] },
      'volume mysql (vol-2) is new',
    ],
    ['trouble', { trouble: ['Mesos: down'] }, 'could not be read: Mesos: down'],
    [
      'a brake',
      { brakes: { ...from.brakes, slot: incidentId } },
      `brake: planned move under way: ${incidentId}`,
    ],
  ])('of %s are told', (_, change, says) => {
    const told = changesBetween(from, statusOf({ at: at + 1, ...change }));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(says);
  });

  it('of an incident are told from its opening to its end', () => {
    const open = statusOf({ incidents: [lineOf()] });
    const hold = { reason: 'blind', says: 'no masters', since: at, retryAt: at };
    const held = statusOf({ incidents: [lineOf({ status: 'held', stage: 'held', hold })] });
    expect(changesBetween(from, open)[0]).toMatch(/is open: /);
    expect(changesBetween(open, held)).toEqual([`incident ${incidentId}: held: no masters`]);
    expect(changesBetween(held, from)).toEqual([`incident ${incidentId} is over`]);
  });

  it('are none where only time has passed', () => {
    const later = { ...busy, at: at + 3_600_000 };
    expect(changesBetween(busy, later)).toEqual([]);
  });
});

describe('times', () => {
  it.each([
    [400, '0.4 s'],
    [99_900, '99.9 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [864_000_000, '10 d'],
  ])('of %d ms read %s', (ms, words) => {
    expect(spanOf(ms)).toBe(words);
  });

  it('ago is never in the future', () => {
    expect(agoOf(at + 5_000, at)).toBe('0 s ago');
    expect(agoOf(at - 5_000, at)).toBe('5 s ago');
  });
});

describe('an error of AWS', () => {
  const called = {
    what: 'function f',
    right: 'lambda:InvokeFunction on f',
    deployment: 'main',
    region: 'us-east-1',
    endpoint: undefined,
    profile: undefined,
  };
  const named = (name: string, message = 'said', more: object = {}) =>
    Object.assign(new Error(message), { name, ...more });
  it.each([
    [named('CredentialsProviderError'), 4, /^no AWS credentials: set AWS_PROFILE/],
    [named('AccessDeniedException'), 4, /^not allowed, ask for lambda:InvokeFunction on f: said$/],
    [named('ExpiredTokenException'), 4, /^AWS does not accept the credentials/],
    [named('ResourceNotFoundException'), 5, /^there is no function f in us-east-1: .*--cluster/],
    [named('StateMachineDoesNotExist'), 5, /^there is no function f/],
    [named('TooManyRequestsException'), 5, /^AWS is busy/],
    [
      named('Error', 'x', { code: 'ECONNREFUSED' }),
      5,
      /^cannot reach AWS in us-east-1.*ECONNREFUSED/,
    ],
    [
      named('Error', 'x', { cause: named('Error', 'y', { code: 'ENOTFOUND' }) }),
      5,
      /check the network: ENOTFOUND$/,
    ],
    [named('TimeoutError'), 5, /^cannot reach AWS in us-east-1/],
    [named('ServiceException', 'a\n  b'), 5, /^function f failed: ServiceException: a b$/],
    ['thrown', 5, /^function f failed: .*thrown$/],
  ])('%s is one line with what to do', (error, exitCode, words) => {
    const problem = problemOf(error, called);
    expect(problem.exitCode).toBe(exitCode);
    expect(problem.message).toMatch(words);
    expect(problem.message).not.toContain('\n');
  });

  it('names the endpoint that was asked for', () => {
    const refused = named('Error', 'x', { code: 'ECONNREFUSED' });
    const { message } = problemOf(refused, { ...called, endpoint: 'http://127.0.0.1:1' });
    expect(message).toBe('cannot reach http://127.0.0.1:1, check AWS_ENDPOINT_URL: ECONNREFUSED');
  });
});

describe('completion', () => {
  const scriptFor = async (shell: string) => (await run(['completion', shell])).printed.join('\n');
  /** What bash would offer for the last word of the line. */
  const offered = async (...words: string[]): Promise<string[]> => {
    const line = ['ebs-failover', ...words].map((word) => `'${word}'`).join(' ');
    const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _ebs_failover; echo "\${COMPREPLY[*]}"`;
    const { stderr, stdout } = spawnSync('bash', ['-c', `${await scriptFor('bash')}\n${ask}`], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout.trim().split(' ').filter(Boolean);
  };

  it.each([
    [['st'], ['status']],
    [
      ['maintenance', ''],
      ['begin', 'end'],
    ],
    [['maintenance', 'begin', agent, '--f'], ['--for']],
    [['completion', 'z'], ['zsh']],
    [['failover', '--ye'], ['--yes']],
    [['hold', '--ap'], []],
    [['show', volume], []],
  ])('of %j in bash offers %j', async (words, offers) => {
    expect(await offered(...words)).toEqual(offers);
  });

  it.each(['zsh', 'fish'])('for %s knows every command', async (shell) => {
    const script = await scriptFor(shell);
    for (const name of ['status', 'incidents', 'explain', 'failover', 'maintenance', 'watch']) {
      expect(script).toMatch(new RegExp(`\\b${name}\\b`));
    }
    expect(script).toContain('--no-wait');
  });
});
