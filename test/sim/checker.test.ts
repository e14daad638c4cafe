import { describe, expect, it } from 'vitest';
import { createChecker } from '../../emulator/sim/checker.ts';
import type { SimEvent } from '../../emulator/sim/events.ts';
import { invariants } from '../../emulator/sim/invariants.ts';
import {
  AGENT,
  by,
  call,
  consent,
  control,
  fencedThenBack,
  fenceOf,
  good,
  intent,
  keptFromWork,
  letIn,
  machine,
  OTHER,
  owner,
  policy,
  question,
  read,
  type Story,
  second,
  seen,
  state,
  VOLUME,
  volume,
  witnessesAt,
} from './story.ts';

/**
 * Stories in which a promise is broken, told to the checker event by event. Each is a good story
 * with one thing wrong: the invariant named must fire, and it must not fire in the good one.
 */
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

  it('is told of once its volumes are there, whatever EC2 has lost beside them', () => {
    const others = read(3_990, 'handOff', { of: 'conditions', unknown: 'vol-2' });
    expect(told({ gone: [leaves('available'), others, ...good.gone] })).toEqual([]);
  });
});

const force = { VolumeId: VOLUME, InstanceId: AGENT, Force: 'true' };
const said = (text: string): SimEvent => ({ at: 1, kind: 'said', where: 'a log', text });

/** Behind the brake, by the record that all executions share. */
const queued = (at: number, ...ids: readonly string[]): SimEvent => ({
  at,
  kind: 'ledger',
  by: by('assessAgent', at),
  pk: 'CLUSTER#demo',
  sk: 'STORM',
  item: { waiting: Object.fromEntries(ids.map((id) => [id, { behind: 'storm' }])) },
});
const news = (at: number, phase: string, holdReason: string): SimEvent => ({
  at,
  kind: 'news',
  by: by('holdIncident', at),
  phase,
  incidentId: 'demo#i-0a#1',
  holdReason,
});

const quarantined = { status: 'recovered', quarantine: { agentIds: ['S9'] } };

const stoppedAgain = { state: 'stopped', powered: false, launchTime: 9_000 };
const detachAt = (at: number): SimEvent =>
  call(at, 'releaseVolume', 'DetachVolume', [VOLUME, AGENT], {
    VolumeId: VOLUME,
    InstanceId: AGENT,
  });

/** Another hung machine, stopped a moment before. */
const THIRD = 'i-0c';
const third = (at: number, change: object = {}): SimEvent[] => {
  const pk = `INCIDENT#demo#${THIRD}#1`;
  const about = { id: `demo#${THIRD}#1`, instanceId: THIRD, ...change };
  const ledger = (event: SimEvent): SimEvent => ({ ...event, pk }) as SimEvent;
  return [
    ledger(state(at, { ...about, facts: { volumes: [], agentIds: [] } })),
    ledger(intent(at + 1, 'third', 'StopInstances', THIRD)),
    ...(['instances', 'checks', 'agents'] as const).map((of) => read(at + 20, 'third', { of })),
    call(at + 40, 'third', 'StopInstances', [THIRD]),
  ];
};
const twoHung = (change: object = {}): SimEvent[] => [
  ...good.world,
  machine(2, { zone: 'a' }),
  machine(2, { instanceId: THIRD, zone: 'a', ...change }),
];

const leaves = (is: string): SimEvent =>
  read(3_990, 'handOff', {
    of: 'volumes',
    volumes: [{ volumeId: VOLUME, state: is, holders: [] }],
  });

const WAITING = queued(30, 'demo#i-0a#1', 'demo#i-0b#1');

/** A cluster where a person is asked about these verdicts, and the record of it. */
const asking = (ApprovalVerdicts: string, ...record: readonly SimEvent[]): Story => ({
  world: [policy(0, { ApprovalVerdicts }), ...good.world],
  open: [...good.open, ...record],
});

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
    'what the ledger allowed is done long after, and the token is over',
    {
      detach: [...good.detach.slice(0, 2), state(2_060, { token: 2 }), detachAt(4_100)],
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
    'it is taken over while its execution runs',
    {
      off: [
        { at: 400, kind: 'execution', arn: 'arn:1', running: true },
        state(500, { token: 2, executionArn: undefined }),
        ...good.off,
      ],
    },
  ],
  [
    'S2',
    'only one read showed the volume free',
    { free: [volume(3_000, []), ...good.free.slice(2)] },
  ],
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
    'adopt keeps a volume that is not in scope',
    {
      world: [...good.world, volume(2, [AGENT], { ours: false })],
      open: [
        call(3, 'adopt', 'ModifyInstanceAttribute', [AGENT], {
          'BlockDeviceMapping.1.DeviceName': '/dev/xvdf',
          'BlockDeviceMapping.1.Ebs.VolumeId': VOLUME,
          'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'false',
        }),
        ...good.open,
      ],
    },
  ],
  [
    'L6',
    'one of those that wait in a storm tells of it by itself',
    { open: [...good.open, WAITING, news(40, 'held', 'storm')] },
  ],
  [
    'L6',
    'one tells by itself that so many are lost',
    { open: [...good.open, WAITING, news(40, 'held', 'blind')] },
  ],
  [
    'S13',
    'Mesos is told although EC2 knows no such volume any more',
    { gone: [read(3_990, 'handOff', { of: 'conditions', unknown: VOLUME }), ...good.gone] },
  ],
  [
    'S13',
    'Mesos is told although the volume is on its way out',
    { gone: [leaves('deleting'), ...good.gone] },
  ],
  [
    'S12',
    'adopt does more than tag and keep',
    { open: [call(3, 'adopt', 'EnterStandby', [AGENT]), ...good.open] },
  ],
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
  [
    'S9',
    'a second machine of the zone is stopped, beyond the limit',
    { world: [policy(0), ...twoHung()], witnesses: [...third(30), ...good.witnesses] },
  ],
  ['S10', 'the fenced machine takes the volume back', { close: [volume(7_000, [AGENT])] }],
  ['S11', 'recovered without the volume at its app', { back: [] }],
  ['S11', 'recovered without any app', { close: [state(6_000, { status: 'recovered' })] }],
  [
    'S11',
    'a returned host is called quarantined, and its agent gets work',
    { close: [...fencedThenBack(), letIn(21_000), second(22_000, quarantined)] },
  ],
  [
    'S11',
    'a returned host is called quarantined, and a volume is on it',
    { close: [...fencedThenBack(), volume(21_000, [AGENT]), second(22_000, quarantined)] },
  ],
  [
    'S11',
    'a host is called quarantined that nobody had fenced',
    { close: [machine(20_000, { well: true }), second(22_000, quarantined)] },
  ],
  [
    'S11',
    'it is recovered without any app, and it had not been fenced before',
    {
      close: [
        machine(20_000, { state: 'stopped', powered: false, launchTime: 9_000 }),
        second(22_000, { status: 'recovered', facts: { volumes: [] } }),
      ],
    },
  ],
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
        { at: 1, kind: 'agent', agentId: 'S0', instanceId: OTHER, listed: true },
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
    'L8',
    'a step of a paused cluster makes a change',
    { release: [...good.release, control(3_500, { paused: { by: 'ana' } })] },
  ],
  [
    'L8',
    'a step of an incident that a person holds makes a change',
    { release: [...good.release, state(3_500, { operatorHold: { by: 'ana' } })] },
  ],
  [
    'L8',
    'a machine in maintenance is stopped long after that was said',
    {
      witnesses: [
        control(5, { maintenance: { [AGENT]: { by: 'ana', until: 90_000 } } }),
        ...witnessesAt(39_900),
      ],
      stop: [
        intent(39_950, 'fenceAgent', 'StopInstances', AGENT),
        call(40_000, 'fenceAgent', 'StopInstances', [AGENT]),
      ],
      proof: [],
      noted: [],
      detach: [],
      release: [],
      gone: [],
    },
  ],
  [
    'L9',
    'one rung is climbed three times within minutes',
    { stop: [200, 300, 400].map((at) => call(at, 'fenceAgent', 'StopInstances', [AGENT])) },
  ],
  ['S15', 'a token is in a log', { close: [said('sent with xoxb-1234-abcd')] }],
  [
    'S16',
    'a machine is stopped that a person was asked about, and nobody has answered',
    asking('Down,Impaired', question(30, { status: 'pending' })),
  ],
  [
    'S16',
    'a volume is taken off a machine that is down, and nobody has answered',
    {
      ...asking('Down', question(30, { status: 'pending' }, { verdict: { kind: 'Down' } })),
      stop: [],
      noted: [],
    },
  ],
  [
    'S16',
    'a yes to an earlier question counts',
    asking('Impaired', question(30, { id: 'a2' }), consent(50, 'a1', 'done')),
  ],
  [
    'S16',
    'another answer takes the place of the first',
    asking('Impaired', question(30), question(40, { by: 'ben' })),
  ],
];

describe('a record that was written by hand', () => {
  const ownedBy = (step: string, incidentId: string): SimEvent =>
    ({
      ...owner(5_100, { state: 'owned', incidentId }),
      by: { ...by(step, 5_100), functionName: step },
    }) as SimEvent;
  const withLast = (last: SimEvent): Story => ({ back: [volume(5_000, [OTHER]), last] });

  it('may be followed by the sweep, and by nobody else', () => {
    expect(told(withLast(ownedBy('verifyRecovery', 'demo#i-00#9')))).toContain('S4');
    expect(told(withLast(ownedBy('sweep', 'demo#i-00#9')))).not.toContain('S4');
  });

  it('is none if it names an incident that was', () => {
    const stolen: Story = {
      world: [policy(0, { StormLimit: '9', StormLimitPercent: '100' }), ...twoHung()],
      witnesses: [...third(30), ...good.witnesses],
      ...withLast(ownedBy('sweep', `demo#${THIRD}#1`)),
    };
    expect(told(stolen)).toContain('S4');
  });
});

/** Seen through a clock that is ten minutes behind. */
const behind = (event: SimEvent): SimEvent =>
  event.kind === 'mutation' ? { ...event, by: { ...event.by, clockOffMs: -600_000 } } : event;

describe('the blast radius', () => {
  const story = (parts: { hung?: object; struck?: SimEvent[]; set?: Record<string, string> }) =>
    told({
      world: [policy(0, parts.set), ...twoHung(parts.hung)],
      witnesses: [...(parts.struck ?? third(30)), ...good.witnesses],
    });

  it('is broken by a second fence beyond the limit, in the same zone and window', () => {
    expect(story({})).toEqual(['S9']);
  });

  it.each<[string, Parameters<typeof story>[0]]>([
    ['the limit allows it', { set: { StormLimit: '2' } }],
    ['it is in another zone', { hung: { zone: 'b' } }],
    ['the other one was down already', { hung: { state: 'stopping' } }],
    [
      'a person had asked for the other one',
      { struck: third(30, { signals: { op: { source: 'operator' } } }) },
    ],
    [
      'a person had waved the other one through',
      { struck: third(30, { acknowledged: ['storm'] }) },
    ],
    [
      'an operator had waved the storm through',
      { struck: [control(20, { stormAcknowledged: { by: 'ana', until: 900_000 } }), ...third(30)] },
    ],
    ['the clocks were far apart', { struck: third(30).map(behind) }],
  ])('is not broken when %s', (_, parts) => {
    expect(story(parts)).toEqual([]);
  });

  it('is broken beyond the share of the agents, however high the other limit is', () => {
    const set = { StormLimit: '9', StormLimitPercent: '25' };
    expect(story({ set })).toEqual(['S9']);
    expect(story({ set: { ...set, StormLimitPercent: '34' } })).toEqual([]);
  });

  it('is not broken by what was fenced a window before', () => {
    const late = 700_000;
    const later = (events: readonly SimEvent[]): SimEvent[] =>
      events.map((event) => {
        const by = 'by' in event ? { ...event.by, wire: { at: event.by.wire.at + late } } : {};
        return { ...event, at: event.at + late, ...('by' in event ? { by } : {}) } as SimEvent;
      });
    const only = { proof: [], noted: [], detach: [], release: [], gone: [], back: [], close: [] };
    const world = [policy(0), ...twoHung(), ...third(30)];
    const witnesses = witnessesAt(late + 100);
    expect(told({ ...only, world, witnesses, stop: later(good.stop) })).toEqual([]);
  });
});

describe('a partition', () => {
  /** Well, and the master has not listed its agent since then; stopped after three minutes. */
  const story = (set: Record<string, string>, change: object = {}, since = 10_000) => {
    const at = 190_000;
    const lost: SimEvent = {
      at: since,
      kind: 'agent',
      agentId: 'S0',
      instanceId: AGENT,
      listed: false,
    };
    return told({
      world: [policy(0, set), ...good.world, machine(2, { well: true }), lost],
      open: [state(20_000, change)],
      witnesses: witnessesAt(at),
      stop: [
        intent(at + 50, 'fenceAgent', 'StopInstances', AGENT),
        call(at + 100, 'fenceAgent', 'StopInstances', [AGENT]),
      ],
      off: [],
      proof: [],
      noted: [],
      detach: [],
      free: [],
      release: [],
      gone: [],
      back: [],
      close: [],
    });
  };

  it('is fenced by policy, or when a person says so, and by nobody else', () => {
    expect(story({ PartitionedAgent: 'fence' })).toEqual([]);
    expect(story({}, { acknowledged: ['partitioned'] })).toEqual([]);
    expect(story({})).toEqual(['S8']);
    expect(story({}, { acknowledged: ['storm'] })).toEqual(['S8']);
  });

  it('is none before the grace is over, nor while the agent is listed', () => {
    expect(story({ PartitionedAgent: 'fence' }, {}, 100_000)).toEqual(['S8']);
    expect(story({ PartitionedAgent: 'fence' }, {}, 189_999)).toEqual(['S8']);
  });

  it('is none when Mesos has lost more than one of few', () => {
    const fence = { PartitionedAgent: 'fence' };
    const other: SimEvent = {
      at: 5,
      kind: 'agent',
      agentId: 'S1',
      instanceId: OTHER,
      listed: false,
    };
    const at = 190_000;
    const rest = { off: [], proof: [], noted: [], detach: [], free: [], release: [], gone: [] };
    const lost = { ...other, agentId: 'S0', instanceId: AGENT } as SimEvent;
    const world = [policy(0, fence), ...good.world, machine(2, { well: true }), lost, other];
    const stop = [
      intent(at + 50, 'fenceAgent', 'StopInstances', AGENT),
      call(at + 100, 'fenceAgent', 'StopInstances', [AGENT]),
    ];
    const parts = { world, witnesses: witnessesAt(at), stop, back: [], close: [], ...rest };
    expect(told(parts)).toEqual(['S8']);
  });
});

describe('nobody is condemned', () => {
  it('who detaches a moment after the ledger allowed it, and is taken over meanwhile', () => {
    const [looked, intended] = good.detach;
    const detach = [looked, intended, state(2_060, { token: 2 }), detachAt(2_100)] as SimEvent[];
    expect(told({ detach, release: [], gone: [], back: [], close: [] })).toEqual([]);
  });

  it('who stops a machine that EC2 still calls impaired, and whose agent is not back', () => {
    const gone: SimEvent = {
      at: 3,
      kind: 'agent',
      agentId: 'S0',
      instanceId: AGENT,
      listed: false,
    };
    const healed = [...good.world, machine(2, { well: true })];
    expect(told({ world: healed })).toContain('S8');
    expect(told({ world: [...healed, gone] })).toContain('S8');
    const impaired = good.witnesses.map((event) => ({ ...event, impaired: true }));
    expect(told({ world: [...healed, gone], witnesses: impaired })).not.toContain('S8');
    expect(told({ world: healed, witnesses: impaired })).toContain('S8');
  });

  it('whose detach is held up until EC2 refuses it, for another start of the machine', () => {
    const [looked, intended] = good.detach as [SimEvent, SimEvent];
    const again = seen(40_000, 'fenceAgent', 'stopped', 9_000);
    const late = { ...detachAt(2_100), at: 44_000, accepted: false } as SimEvent;
    const rest = { release: [], gone: [], back: [], close: [] };
    const story = (detach: SimEvent): string[] =>
      told({ ...rest, detach: [looked, intended, machine(39_000, stoppedAgain), again, detach] });
    expect(story(late)).toEqual([]);
    expect(story({ ...late, accepted: true } as SimEvent)).not.toEqual([]);
  });

  it('who finds an agent reactivated already, by an earlier call of the same agent', () => {
    const reactivated = (agentId: string): SimEvent[] => [
      intent(7_000, 'undoProtection', 'REACTIVATE_AGENT', agentId),
      call(7_100, 'undoProtection', 'REACTIVATE_AGENT', [agentId]),
    ];
    const said = {
      ...intent(8_000, 'later', 'REACTIVATE_AGENT', 'S0'),
      item: { call: 'REACTIVATE_AGENT', target: 'S0', token: 1, outcome: { kind: 'accepted' } },
    } as SimEvent;
    expect(told({ undone: [...reactivated('S0'), said] } as Story)).not.toContain('S12');
    expect(told({ undone: [...reactivated('S1'), said] } as Story)).toContain('S12');
  });

  it('who repeats a detach whose answer was lost, before the first one arrives', () => {
    const [looked, , detached] = good.detach;
    const intended = (at: number): SimEvent => intent(at, 'releaseVolume', 'DetachVolume', VOLUME);
    const first = detached as SimEvent & { by: { wire: { at: number } } };
    const late = { ...first, at: 2_600, accepted: false } as SimEvent;
    const story = (...intents: SimEvent[]): string[] =>
      told({ detach: [looked, ...intents, late] as SimEvent[], release: [], gone: [], close: [] });
    const sentAt = first.by.wire.at;
    expect(story(intended(sentAt - 3), intended(sentAt + 400))).not.toContain('S12');
    expect(story(intended(sentAt + 200), intended(sentAt + 400))).toContain('S12');
  });

  it('who repeats a Stop into the dark, and once more when the first has arrived', () => {
    const arriving = (sentAt: number, at: number): SimEvent =>
      ({ ...call(sentAt + 5, 'fenceAgent', 'StopInstances', [AGENT]), at }) as SimEvent;
    const dark = [arriving(195, 400), arriving(205, 410), arriving(420, 500)];
    const [intended] = good.stop as [SimEvent];
    expect(told({ stop: [intended, ...dark] })).not.toContain('L9');
    expect(told({ stop: [intended, ...dark, arriving(510, 600)] })).toContain('L9');
  });

  it('whose Stop of a machine that was stopping is held up until it runs again', () => {
    const restarted = machine(199, { well: true });
    const [intended, stopped] = good.stop as [SimEvent, SimEvent];
    const parts = { witnesses: good.witnesses.slice(0, 1), proof: [], detach: [] };
    const rest = { release: [], gone: [], back: [], close: [] };
    expect(told({ ...parts, ...rest, stop: [intended, restarted, stopped] })).not.toContain('S8');
    expect(told({ ...parts, ...rest })).toContain('S8');
  });

  it('whose clock says that the maintenance is over', () => {
    const until = 8_000;
    const begun = control(5, { maintenance: { [AGENT]: { by: 'ana', until } } });
    const ahead = (event: SimEvent): SimEvent =>
      'by' in event ? { ...event, by: { ...event.by, clockOffMs: 10_000 } } : event;
    expect(told({ open: [begun, ...good.open] })).toContain('L8');
    expect(told({ open: [begun, ...good.open], stop: good.stop.map(ahead) })).toContain('L8');
    const all = Object.fromEntries(
      Object.entries(good).map(([part, events]) => [part, (events as SimEvent[]).map(ahead)]),
    );
    expect(told({ ...all, open: [begun, ...good.open] })).not.toContain('L8');
  });
});

describe('a fenced machine that runs again', () => {
  const stopAgain = (at: number): SimEvent[] => [
    second(at - 400),
    ...[
      seen(at - 100, 'fenceAgent', 'running', 20_000),
      read(at - 100, 'fenceAgent', { of: 'checks' }),
      read(at - 100, 'fenceAgent', { of: 'agents' }),
    ],
    {
      ...intent(at - 50, 'fenceAgent', 'StopInstances', AGENT),
      pk: `INCIDENT#demo#${AGENT}#2`,
    } as SimEvent,
    call(at, 'fenceAgent', 'StopInstances', [AGENT], { 'InstanceId.1': AGENT }),
  ];

  it('may be fenced for that alone, however well it is', () => {
    expect(told({ close: [...fencedThenBack(), ...stopAgain(25_000)] })).toEqual([]);
  });

  it('may not be, if it is not what was fenced but has been well all the time', () => {
    const well = [...good.world, machine(2, { well: true, launchTime: 20_000 })];
    const none = { witnesses: [], stop: [], off: [], proof: [], noted: [], detach: [], free: [] };
    const rest = { release: [], gone: [], back: [] };
    const close = [machine(20_000, { well: true, launchTime: 20_000 }), ...stopAgain(25_000)];
    expect(told({ ...none, ...rest, world: well, close })).toContain('S8');
  });

  it('ends quarantined, without a fence, when its agents are kept from work', () => {
    const kept = [letIn(21_000), ...keptFromWork(21_500), second(22_000, quarantined)];
    expect(told({ close: [...fencedThenBack(), ...kept] })).toEqual([]);
  });

  it('ends fenced, with no app to bring back', () => {
    const ended = second(30_000, { status: 'recovered', fence: fenceOf(26_000, 26_100, 20_000) });
    const off = [
      machine(25_500, { state: 'stopped', powered: false, launchTime: 20_000 }),
      seen(26_000, 'fenceAgent', 'stopped', 20_000),
      seen(26_100, 'fenceAgent', 'stopped', 20_000),
    ];
    const story = [...fencedThenBack(), ...stopAgain(25_000), ...off, ended];
    expect(told({ close: story })).not.toContain('S11');
  });
});

describe('rows of another', () => {
  const landed: SimEvent = { at: 5_050, kind: 'foreign', volumeId: VOLUME, rows: 1 };
  const back = [volume(5_000, [OTHER]), landed];

  it('are not charged to us on a volume that a person gave away', () => {
    expect(told({ detach: [], release: [], gone: [], back, close: [] })).toEqual([]);
  });

  it('are charged to whoever says that such a volume is free', () => {
    expect(told({ detach: [], gone: [], back, close: [] })).toEqual(['S1']);
  });

  it('are charged to whoever terminates the machine', () => {
    const detach = [call(2_000, 'fenceAgent', 'TerminateInstances', [AGENT])];
    expect(told({ detach, release: [], gone: [], back, close: [] })).toContain('S1');
  });
});

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

describe('a storm', () => {
  const story = (...events: SimEvent[]): string[] => told({ open: [...good.open, ...events] });

  it('is told of by one of those that wait, for all of them', () => {
    expect(story(WAITING, news(40, 'storm', 'storm'))).toEqual([]);
  });

  it('keeps nobody from telling of anything else, or once the list has lost it', () => {
    expect(story(WAITING, news(40, 'held', 'paused'))).toEqual([]);
    expect(story(WAITING, queued(35, 'demo#i-0b#1'), news(40, 'held', 'storm'))).toEqual([]);
  });
});

describe('a question to a person', () => {
  const story = (verdicts: string, ...record: SimEvent[]): string[] =>
    told({ ...asking(verdicts, ...record), noted: [] });
  const pending = { status: 'pending' };

  it('lets the machine be stopped once it is answered with yes, twice or late', () => {
    const answers = [consent(41, 'a1', 'done'), consent(42, 'a1', 'unchanged')];
    expect(story('Impaired', question(30, pending), question(40), ...answers)).toEqual([]);
    expect(story('Impaired', question(30, { id: 'a2' }), consent(50, 'a1', 'refused'))).toEqual([]);
  });

  it.each([
    ['nobody has been asked', [state(30, { verdict: { kind: 'Impaired' } })]],
    ['somebody has said no', [question(30, { status: 'denied' })]],
    ['the yes came only after the command', [question(30, pending), question(197)]],
    ['the yes was to another start', [question(30, { launchTime: new Date(9_000).toISOString() })]],
  ])('keeps it from being stopped when %s', (_, record) => {
    expect(story('Down,Impaired', ...record)).toEqual(['S16']);
  });

  it('is none where policy asks about other verdicts, or about none', () => {
    expect(story('Down', question(30, pending))).toEqual([]);
    expect(story('none', question(30, pending))).toEqual([]);
  });

  it('is not left out because the record is from before the machine ran again', () => {
    const impaired = good.witnesses.map((event) => ({ ...event, impaired: true }));
    const down = question(30, pending, { verdict: { kind: 'Down' } });
    expect(told({ ...asking('Impaired', down), witnesses: impaired })).toContain('S16');
    expect(told(asking('Impaired', down))).not.toContain('S16');
  });

  it('was answered by what was on record when the command was sent', () => {
    const later = [...good.stop.slice(0, 1), question(198, { id: 'a2', ...pending })];
    const stop = [...later, ...good.stop.slice(1)];
    expect(told({ ...asking('Impaired', question(30)), stop })).not.toContain('S16');
  });

  it('may be asked again after a no', () => {
    const no = { status: 'denied' };
    const anew = [
      question(30, no),
      question(40, { status: 'withdrawn' }),
      question(50, { id: 'a2' }),
    ];
    expect(story('Impaired', ...anew)).toEqual([]);
  });
});

describe('a planned move', () => {
  const notice = { kind: 'leaving', action: 'terminate' };
  const announced = { signals: { hook: { source: 'auto-scaling', notice } } };
  const open = [state(10, announced), owner(20)];
  const isWell = [...good.world, machine(2, { well: true })];
  const plans = (foretold: object): SimEvent[] => [
    ...good.witnesses,
    read(90, 'drainAgent', { of: 'plans', foretold: [{ instanceId: AGENT, ...foretold }] }),
  ];
  const noted = [state(1_300, { ...announced, fence: fenceOf(1_100, 1_200) })];
  const story = (change: Story): string[] => told({ world: isWell, open, noted, ...change });

  it('may end in a fence of a machine that is well, once AWS was read to be about to take it', () => {
    expect(story({ witnesses: plans({}) })).toEqual([]);
    expect(story({ witnesses: plans({ notBefore: 800_000 }) })).toEqual([]);
  });

  it.each([
    ['that nobody has read of', {}],
    ['that is scheduled for later', { witnesses: plans({ notBefore: 2_000_000 }) }],
    ['that no signal told of', { open: [state(10), owner(20)], witnesses: plans({}) }],
    [
      'that a person wants moved',
      {
        open: [
          state(10, { signals: { me: { source: 'operator', notice: { kind: 'asked' } } } }),
          owner(20),
        ],
      },
    ],
  ] as const)('is no leave to fence a machine that is well, %s', (_, change) => {
    expect(story({ noted: [], ...change } as Story)).toContain('S8');
  });

  it('is given away by its own execution, and by nobody else', () => {
    const taken = (functionName: string): SimEvent[] => [
      { at: 30, kind: 'execution', arn: 'arn:1', running: true },
      {
        ...state(40, { token: 2, executionArn: undefined }),
        by: by(functionName, 40),
      } as SimEvent,
    ];
    const rest = { stop: [], off: [], proof: [], noted: [], detach: [], free: [], release: [] };
    const only = { ...rest, gone: [], back: [], close: [] };
    expect(told({ ...only, open: [...good.open, ...taken('turnIncident')] })).toEqual([]);
    expect(told({ ...only, open: [...good.open, ...taken('sweep')] })).toEqual(['S5']);
  });

  it('marks a volume as owned by its new machine without a release', () => {
    const moved = { stop: [], off: [], proof: [], noted: [], detach: [], free: [], release: [] };
    const drained = [
      intent(4_000, 'drainAgent', 'DRAIN_AGENT', 'S0'),
      call(4_100, 'drainAgent', 'DRAIN_AGENT', ['S0']),
    ];
    expect(story({ ...moved, witnesses: [], gone: drained })).toEqual([]);
  });
});
