import { describe, expect, it } from 'vitest';
import { createChecker } from '../../emulator/sim/checker.ts';
import type { By, SimEvent } from '../../emulator/sim/events.ts';
import { invariants } from '../../emulator/sim/invariants.ts';

/**
 * Stories in which a promise is broken, told to the checker event by event. Each is a good story
 * with one thing wrong: the invariant named must fire, and it must not fire in the good one.
 */
const AGENT = 'i-0a';
const OTHER = 'i-0b';
const VOLUME = 'vol-1';
const INCIDENT = `demo#${AGENT}#1`;
const LAUNCH = 0;

const by = (functionName: string, sentAt: number, answeredAt = sentAt + 10): By => ({
  invocationId: functionName,
  functionName,
  wire: { at: sentAt, answeredAt },
});

const machine = (at: number, change: object = {}): SimEvent => ({
  at,
  kind: 'machine',
  instanceId: AGENT,
  state: 'running',
  powered: true,
  well: false,
  launchTime: LAUNCH,
  ours: true,
  ...change,
});

const volume = (at: number, holders: readonly string[], change: object = {}): SimEvent => ({
  at,
  kind: 'volume',
  volumeId: VOLUME,
  state: holders.length > 0 ? 'in-use' : 'available',
  ours: true,
  holders: holders.map((instanceId) => ({
    instanceId,
    state: 'attached',
    deleteOnTermination: false,
  })),
  ...change,
});

const state = (at: number, change: object = {}): SimEvent => ({
  at,
  kind: 'ledger',
  by: by('assessAgent', at),
  pk: `INCIDENT#${INCIDENT}`,
  sk: 'STATE',
  item: {
    id: INCIDENT,
    instanceId: AGENT,
    status: 'open',
    token: 1,
    openedAt: 1,
    executionArn: 'arn:1',
    facts: { volumes: [{ volumeId: VOLUME }], agentIds: ['S0'] },
    ...change,
  },
});

/** Two reads of the machine that is off, as they are written down. */
const fenceOf = (first: number, second: number, launchTime = LAUNCH): object => ({
  proof: [
    { at: first, launchTime: new Date(LAUNCH).toISOString() },
    { at: second, launchTime: new Date(launchTime).toISOString() },
  ],
});

const owner = (at: number, change: object = {}): SimEvent => ({
  at,
  kind: 'ledger',
  by: by('releaseVolume', at),
  pk: `VOLUME#${VOLUME}`,
  sk: 'OWNER',
  item: { epoch: 1, state: 'claimed', incidentId: INCIDENT, from: AGENT, ...change },
});

const intent = (at: number, step: string, call: string, target: string): SimEvent => ({
  at,
  kind: 'ledger',
  by: by(step, at),
  pk: `INCIDENT#${INCIDENT}`,
  sk: `STEP#${at}`,
  item: { call, target, token: 1, actor: step },
});

const read = (at: number, step: string, change: object): SimEvent =>
  ({ at, kind: 'read', by: by(step, at - 5, at + 5), of: 'instances', ...change }) as SimEvent;

const seen = (at: number, step: string, is = 'stopped', launchTime = LAUNCH): SimEvent =>
  read(at, step, { instances: [{ instanceId: AGENT, state: is, launchTime }] });

const seenFree = (at: number): SimEvent =>
  read(at, 'releaseVolume', {
    of: 'volumes',
    volumes: [{ volumeId: VOLUME, state: 'available', holders: [] }],
  });

const call = (
  at: number,
  step: string,
  name: string,
  targets: readonly string[],
  params: object = {},
): SimEvent => ({
  at,
  kind: 'mutation',
  by: by(step, at - 5),
  call: name,
  targets,
  params: { ...params } as Record<string, string>,
  accepted: true,
});

/** A failover as it should be, in parts that a story can leave out or replace. */
const good = {
  world: [
    machine(1),
    machine(1, { instanceId: OTHER, well: true }),
    volume(1, [AGENT]),
    { at: 1, kind: 'agent', agentId: 'S0', instanceId: AGENT },
  ],
  open: [state(10), owner(20)],
  witnesses: [
    seen(100, 'fenceAgent', 'running'),
    read(100, 'fenceAgent', { of: 'checks' }),
    read(100, 'fenceAgent', { of: 'agents' }),
  ],
  stop: [
    intent(150, 'fenceAgent', 'StopInstances', AGENT),
    call(200, 'fenceAgent', 'StopInstances', [AGENT], { 'InstanceId.1': AGENT }),
  ],
  off: [machine(1_000, { state: 'stopped', powered: false })],
  proof: [seen(1_100, 'fenceAgent'), seen(1_200, 'fenceAgent')],
  noted: [state(1_300, { fence: fenceOf(1_100, 1_200) })],
  detach: [
    seen(2_000, 'releaseVolume'),
    intent(2_050, 'releaseVolume', 'DetachVolume', VOLUME),
    call(2_100, 'releaseVolume', 'DetachVolume', [VOLUME, AGENT], {
      VolumeId: VOLUME,
      InstanceId: AGENT,
    }),
  ],
  free: [volume(3_000, []), seenFree(3_100), seenFree(3_200)],
  release: [owner(3_300, { state: 'released' })],
  gone: [
    intent(4_000, 'handOff', 'MARK_AGENT_GONE', 'S0'),
    call(4_100, 'handOff', 'MARK_AGENT_GONE', ['S0']),
  ],
  back: [volume(5_000, [OTHER]), owner(5_100, { state: 'owned', owner: OTHER })],
  close: [state(6_000, { status: 'recovered', recovery: { apps: [{ toInstanceId: OTHER }] } })],
} satisfies Record<string, readonly SimEvent[]>;

type Part = keyof typeof good;

type Story = Partial<Record<Part, readonly SimEvent[]>>;

const told = (change: Story, rules: typeof invariants = invariants): string[] => {
  const checker = createChecker(rules);
  const parts = { ...good, ...change };
  for (const event of Object.values(parts).flat() as SimEvent[]) checker.see(event);
  return [...new Set(checker.violations.map(({ invariant }) => invariant))];
};

describe('a failover as it should be', () => {
  it('breaks no promise', () => {
    expect(told({})).toEqual([]);
  });
});

const force = { VolumeId: VOLUME, InstanceId: AGENT, Force: 'true' };
const said = (text: string): SimEvent => ({ at: 1, kind: 'said', where: 'a log', text });

const planted: readonly (readonly [string, string, Story])[] = [
  ['S1', 'two machines hold the volume', { back: [volume(5_000, [AGENT, OTHER])] }],
  [
    'S1',
    'rows of another land on it',
    {
      back: [{ at: 5_000, kind: 'foreign', volumeId: VOLUME, rows: 1 }],
      close: [],
    },
  ],
  [
    'S1',
    'it is released while power is still on',
    {
      off: [machine(1_000, { state: 'stopped', powered: true })],
    },
  ],
  [
    'S1',
    'it is taken away from its new owner',
    {
      close: [
        ...good.close,
        call(7_000, 'releaseVolume', 'DetachVolume', [VOLUME], { VolumeId: VOLUME }),
      ],
    },
  ],
  [
    'S2',
    'the proof is written down of a machine that has power',
    { off: [machine(1_000, { state: 'stopped', powered: true })] },
  ],
  [
    'S2',
    'half of the proof is from before the command',
    { noted: [state(1_300, { fence: fenceOf(150, 1_200) })] },
  ],
  [
    'S2',
    'the two reads of the proof are of two incarnations',
    { noted: [state(1_300, { fence: fenceOf(1_100, 1_200, 9_000) })] },
  ],
  [
    'S2',
    'the volume is detached on the proof of an earlier incarnation',
    {
      detach: [
        machine(1_500, { launchTime: 9_000 }),
        seen(2_000, 'releaseVolume', 'stopped', 9_000),
        ...good.detach.slice(1),
      ],
    },
  ],
  ['S2', 'nobody read the machine off', { proof: [], detach: [], gone: [] }],
  [
    'S2',
    'the machine was read off only before the command',
    {
      witnesses: [...good.witnesses, seen(100, 'fenceAgent')],
      proof: [],
      detach: [],
      gone: [],
    },
  ],
  ['S2', 'nobody read the volume free', { free: [volume(3_000, [])] }],
  ['S3', 'it is detached before the proof', { proof: [], detach: good.detach.slice(1) }],
  ['S3', 'no read just before the detach', { detach: good.detach.slice(1) }],
  [
    'S3',
    'the read before the detach shows another incarnation',
    {
      detach: [seen(2_000, 'releaseVolume', 'running', 9_000), ...good.detach.slice(1)],
    },
  ],
  [
    'S3',
    'the detach names no instance',
    {
      detach: [
        ...good.detach.slice(0, 2),
        call(2_100, 'releaseVolume', 'DetachVolume', [VOLUME], { VolumeId: VOLUME }),
      ],
    },
  ],
  [
    'S3',
    'the first detach is forced',
    {
      detach: [
        ...good.detach.slice(0, 2),
        call(2_100, 'releaseVolume', 'DetachVolume', [VOLUME, AGENT], force),
      ],
    },
  ],
  ['S4', 'the epoch falls', { back: [volume(5_000, [OTHER]), owner(5_100, { epoch: 0 })] }],
  [
    'S4',
    'two incidents claim one epoch',
    {
      back: [volume(5_000, [OTHER]), owner(5_100, { incidentId: 'demo#i-0b#1' })],
    },
  ],
  [
    'S4',
    'a token that is over makes a change',
    {
      off: [state(500, { token: 2 }), ...good.off],
      noted: [],
    },
  ],
  [
    'S4',
    'the ledger is read eventually consistent',
    {
      proof: [...good.proof, read(1_300, 'fenceAgent', { of: 'ledger', consistent: false })],
    },
  ],
  ['S4', 'an epoch is claimed a second time', { back: [volume(5_000, [OTHER]), owner(5_100)] }],
  ['S5', 'two executions share a token', { off: [state(500, { executionArn: 'arn:2' })] }],
  [
    'S5',
    'two incidents of one machine are open',
    {
      open: [
        ...good.open,
        { ...state(30, { id: 'demo#i-0a#2' }), pk: 'INCIDENT#demo#i-0a#2' } as SimEvent,
      ],
    },
  ],
  ['S6', 'the machine is not in scope', { world: [...good.world, machine(2, { ours: false })] }],
  [
    'S6',
    'the volume is not in scope',
    { world: [...good.world, volume(2, [AGENT], { ours: false })] },
  ],
  [
    'S6',
    'a detach of what left the scope long ago is tried, though EC2 refuses',
    {
      proof: [...good.proof, volume(1_250, [AGENT], { ours: false })],
      detach: [
        seen(3_990, 'releaseVolume'),
        intent(3_992, 'releaseVolume', 'DetachVolume', VOLUME),
        {
          ...good.detach[2],
          at: 4_000,
          by: by('releaseVolume', 3_995),
          accepted: false,
        } as SimEvent,
      ],
    },
  ],
  [
    'S7',
    'a volume is deleted',
    {
      back: [
        intent(5_000, 'handOff', 'DeleteVolume', VOLUME),
        call(5_001, 'handOff', 'DeleteVolume', [VOLUME]),
      ],
      close: [],
    },
  ],
  [
    'S7',
    'the flag is left out',
    {
      stop: [
        intent(150, 'protectData', 'ModifyInstanceAttribute', AGENT),
        call(160, 'protectData', 'ModifyInstanceAttribute', [AGENT], {
          'BlockDeviceMapping.1.DeviceName': '/dev/xvdf',
        }),
        ...good.stop,
      ],
    },
  ],
  [
    'S7',
    'a termination would delete the data',
    {
      open: [
        ...good.open,
        volume(30, [], {
          holders: [{ instanceId: AGENT, state: 'attached', deleteOnTermination: true }],
        }),
      ],
      stop: [
        intent(150, 'fenceAgent', 'TerminateInstances', AGENT),
        call(200, 'fenceAgent', 'TerminateInstances', [AGENT]),
      ],
    },
  ],
  [
    'S8',
    'a machine that is well is stopped',
    { world: [...good.world, machine(2, { well: true })] },
  ],
  ['S8', 'Mesos was not asked just before', { witnesses: good.witnesses.slice(0, 2) }],
  [
    'S8',
    'the witnesses were asked too long before',
    {
      stop: [
        intent(4_000, 'fenceAgent', 'StopInstances', AGENT),
        call(5_000, 'fenceAgent', 'StopInstances', [AGENT]),
      ],
      proof: [],
      detach: [],
      release: [],
      gone: [],
    },
  ],
  ['S10', 'the fenced machine takes the volume back', { close: [volume(7_000, [AGENT])] }],
  ['S11', 'recovered without the volume at its app', { back: [] }],
  ['S11', 'recovered without any app', { close: [state(6_000, { status: 'recovered' })] }],
  ['S12', 'the intent is missing', { gone: good.gone.slice(1) }],
  [
    'S12',
    'the intent is written after the call',
    { stop: [good.stop[1], good.stop[0]] as SimEvent[] },
  ],
  [
    'S12',
    'an outcome is invented',
    {
      gone: [
        {
          ...intent(4_000, 'handOff', 'MARK_AGENT_GONE', 'S0'),
          item: {
            call: 'MARK_AGENT_GONE',
            target: 'S0',
            token: 1,
            outcome: { kind: 'accepted' },
          },
        } as SimEvent,
      ],
    },
  ],
  [
    'S13',
    'Mesos is told before the volume is released',
    { release: [], free: [volume(3_000, [])] },
  ],
  [
    'S13',
    'Mesos is told of an agent on another machine',
    {
      world: [
        ...good.world.slice(0, 3),
        { at: 1, kind: 'agent', agentId: 'S0', instanceId: OTHER },
      ],
    },
  ],
  [
    'S14',
    'a message makes a change',
    {
      back: [call(5_000, 'notify', 'StopInstances', [AGENT])],
      close: [],
    },
  ],
  [
    'L9',
    'one rung is climbed three times within minutes',
    { stop: [...good.stop, ...good.stop, ...good.stop] },
  ],
  ['S15', 'a token is in a log', { close: [said('sent with xoxb-1234-abcd')] }],
];

describe('the checker', () => {
  it.each(planted)('%s fires when %s', (invariant, _, change) => {
    expect(told(change)).toContain(invariant);
  });

  it('has a planted violation for every invariant', () => {
    const tried = new Set(planted.map(([invariant]) => invariant));
    expect([...tried].sort()).toEqual(Object.keys(invariants).sort());
  });

  it('has a planted violation for every rule of it', () => {
    for (const [invariant, rules] of Object.entries(invariants)) {
      const stories = planted.filter(([id]) => id === invariant);
      for (const rule of rules) {
        const firing = stories.filter(([, , change]) => told(change, { [invariant]: [rule] })[0]);
        expect(firing, `${invariant} ${rule.name}`).not.toEqual([]);
      }
    }
  });

  it('counts, and does not condemn, a volume that leaves the scope while Detach is on its way', () => {
    const [read, intended] = good.detach;
    const refused = { ...good.detach[2], accepted: false } as SimEvent;
    const late = volume(2_060, [AGENT], { ours: false });
    const checker = createChecker();
    const { world, open, witnesses, stop, off, proof } = good;
    const story = [world, open, witnesses, stop, off, proof, [read, intended, late, refused]];
    for (const event of story.flat() as SimEvent[]) checker.see(event);
    expect(checker.violations).toEqual([]);
    expect(checker.residual).toBe(1);
  });

  it('counts, and does not condemn, a machine that recovers while Stop is on its way', () => {
    const checker = createChecker();
    const story = [
      ...good.world,
      ...good.open,
      ...good.witnesses,
      machine(150, { well: true }),
      ...good.stop,
    ] as SimEvent[];
    for (const event of story) checker.see(event);
    expect(checker.violations).toEqual([]);
    expect(checker.residual).toBe(1);
  });
});
