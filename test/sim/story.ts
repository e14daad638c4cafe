import type { By, SimEvent } from '../../emulator/sim/events.ts';

/** Events out of which a failover is told to the checker, and a failover as it should be. */
export const AGENT = 'i-0a';
export const OTHER = 'i-0b';
export const VOLUME = 'vol-1';
const INCIDENT = `demo#${AGENT}#1`;
const LAUNCH = 0;

export const by = (functionName: string, sentAt: number, answeredAt = sentAt + 10): By => ({
  invocationId: functionName,
  functionName,
  wire: { at: sentAt, answeredAt },
});

export const machine = (at: number, change: object = {}): SimEvent => ({
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

export const volume = (at: number, holders: readonly string[], change: object = {}): SimEvent => ({
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

export const state = (at: number, change: object = {}): SimEvent => ({
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
export const fenceOf = (first: number, second: number, launchTime = LAUNCH): object => ({
  proof: [
    { at: first, launchTime: new Date(LAUNCH).toISOString() },
    { at: second, launchTime: new Date(launchTime).toISOString() },
  ],
});

export const owner = (at: number, change: object = {}): SimEvent => ({
  at,
  kind: 'ledger',
  by: by('releaseVolume', at),
  pk: `VOLUME#${VOLUME}`,
  sk: 'OWNER',
  item: { epoch: 1, state: 'claimed', incidentId: INCIDENT, from: AGENT, ...change },
});

export const intent = (at: number, step: string, call: string, target: string): SimEvent => ({
  at,
  kind: 'ledger',
  by: by(step, at),
  pk: `INCIDENT#${INCIDENT}`,
  sk: `STEP#${at}`,
  item: { call, target, token: 1, actor: step },
});

export const read = (at: number, step: string, change: object): SimEvent =>
  ({ at, kind: 'read', by: by(step, at - 5, at + 5), of: 'instances', ...change }) as SimEvent;

export const seen = (at: number, step: string, is = 'stopped', launchTime = LAUNCH): SimEvent =>
  read(at, step, { instances: [{ instanceId: AGENT, state: is, launchTime }] });

const seenFree = (at: number): SimEvent =>
  read(at, 'releaseVolume', {
    of: 'volumes',
    volumes: [{ volumeId: VOLUME, state: 'available', holders: [] }],
  });

export const call = (
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

export const witnessesAt = (at: number): SimEvent[] => [
  seen(at, 'fenceAgent', 'running'),
  read(at, 'fenceAgent', { of: 'checks' }),
  read(at, 'fenceAgent', { of: 'agents' }),
];

/** What an operator has set. */
export const control = (at: number, item: object): SimEvent => ({
  at,
  kind: 'ledger',
  by: by('', at),
  pk: 'CLUSTER#demo',
  sk: 'CONTROL',
  item: { ...item },
});

/** What an operator has set for the deployment. */
export const policy = (at: number, parameters: Record<string, string> = {}): SimEvent => ({
  at,
  kind: 'policy',
  parameters: {
    PartitionedAgent: 'ask',
    PartitionedGraceSeconds: '120',
    BlindLimit: '3',
    BlindLimitPercent: '25',
    StormLimit: '1',
    StormLimitPercent: '100',
    StormWindowSeconds: '900',
    ...parameters,
  },
});

/** Policy asks about it, and this is the question as it stands on record. */
export const question = (at: number, change: object = {}, incident: object = {}): SimEvent => {
  const launchTime = new Date(LAUNCH).toISOString();
  const approval = { id: 'a1', status: 'approved', by: 'ana', launchTime, ...change };
  return state(at, { verdict: { kind: 'Impaired' }, approval, ...incident });
};

/** A person was answered so. */
export const consent = (at: number, approvalId: string, answer: string): SimEvent => ({
  at,
  kind: 'consent',
  incidentId: INCIDENT,
  approvalId,
  sentAt: at - 5,
  answer,
});

/** A failover as it should be, in parts that a story can leave out or replace. */
export const good = {
  world: [
    machine(1),
    machine(1, { instanceId: OTHER, well: true }),
    volume(1, [AGENT]),
    { at: 1, kind: 'agent', agentId: 'S0', instanceId: AGENT, listed: true },
  ],
  open: [state(10), owner(20)],
  witnesses: witnessesAt(100),
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

export type Part = keyof typeof good;

export type Story = Partial<Record<Part, readonly SimEvent[]>>;

/** The incident that fenced it is over, and the machine is started again and well. */
export const fencedThenBack = (well = true): SimEvent[] => [
  state(6_000, {
    status: 'recovered',
    recovery: { apps: [{ toInstanceId: OTHER }] },
    fence: fenceOf(1_100, 1_200),
  }),
  { at: 6_100, kind: 'agent', agentId: 'S0', instanceId: AGENT, listed: false },
  machine(20_000, { well, launchTime: 20_000 }),
];

/** The master lets an agent of the machine in, under this id. */
export const letIn = (at: number, agentId = 'S9'): SimEvent => ({
  at,
  kind: 'agent',
  agentId,
  instanceId: AGENT,
  listed: true,
});

/** Another incident of the same machine. */
export const second = (at: number, change: object = {}): SimEvent =>
  ({
    ...state(at, { id: `demo#${AGENT}#2`, facts: { volumes: [], agentIds: [] }, ...change }),
    pk: `INCIDENT#demo#${AGENT}#2`,
  }) as SimEvent;

/** It takes offers from the agent that was let in. */
export const keptFromWork = (at: number, agentId = 'S9'): SimEvent[] => [
  {
    ...intent(at, 'quarantineAgent', 'DEACTIVATE_AGENT', agentId),
    pk: `INCIDENT#demo#${AGENT}#2`,
  } as SimEvent,
  call(at + 50, 'quarantineAgent', 'DEACTIVATE_AGENT', [agentId]),
];
