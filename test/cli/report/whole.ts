import type { EpochDocument, IncidentDocument } from '../../../src/contracts/incident-document.ts';
import { agent, at, executionArn, incidentId, incidentOf, other, volume } from '../documents.ts';

/** An incident of a minute that has something of everything a document can hold, all of it as it should be. */

const launchTime = '2026-11-22T20:00:00.000Z';
export const openedAt = at - 60_000;
const after = (ms: number): number => openedAt + ms;

const proof: EpochDocument['proof'] = [
  { at: after(20_000), state: 'stopped', launchTime },
  { at: after(20_100), state: 'stopped', launchTime },
];

const call = (seq: number, name: string, target: string, ms: number) => ({
  seq,
  token: 1,
  actor: 'FenceAgent',
  call: name,
  target,
  parameters: { method: 'skip', force: false },
  intendedAt: after(ms),
  outcome: 'accepted' as const,
  concludedAt: after(ms + 84),
  requestId: `1dd8520a-3ac6-5ee2-51ed-${seq}`,
});

const now: EpochDocument = {
  volumeId: volume,
  name: 'mysql',
  state: 'owned',
  epoch: 1,
  owner: other,
  incidentId,
  token: 1,
  from: agent,
  releasedAt: after(22_000),
  strength: 'strong',
  says: 'two reads agree',
  ...(proof && { proof }),
};

const facts: IncidentDocument['facts'] = {
  at: after(800),
  launchTime,
  state: 'running',
  availabilityZone: 'us-east-1a',
  privateIp: '10.0.0.7',
  agentIds: ['a1-S7'],
  volumes: [
    {
      volumeId: volume,
      name: 'mysql',
      device: '/dev/xvdf',
      availabilityZone: 'us-east-1a',
      deleteOnTermination: false,
      appIds: ['/mysql'],
    },
  ],
  leftAlone: [{ volumeId: 'vol-00000000000000001', why: 'root device' }],
  apps: [{ id: '/mysql' }, { id: '/web' }],
  tasks: [{ id: 'mysql.instance-1._app.1', appId: '/mysql' }],
};

const timeline: IncidentDocument['timeline'] = [
  { at: openedAt, afterMs: 0, kind: 'opened', says: `incident ${incidentId} is opened` },
  { at: after(1_000), afterMs: 1_000, kind: 'call', says: 'FenceAgent: StopInstances: accepted' },
  { at: after(20_100), afterMs: 20_100, kind: 'proof', says: 'EC2 says stopped' },
];

export const wholeIncident = (change: Partial<IncidentDocument> = {}): IncidentDocument =>
  incidentOf({
    status: 'recovered',
    stage: 'recovered',
    summary: `${agent} (incident 1): Impaired; fenced (skip, strong), /mysql -> 10.0.0.8`,
    closedAt: after(40_200),
    execution: { name: `fo-${agent}-1-1`, arn: executionArn, token: 1 },
    phases: [
      { phase: 'assess', from: openedAt, to: after(1_000), tookMs: 1_000 },
      { phase: 'fence', from: after(1_000), to: after(20_100), tookMs: 19_100 },
      { phase: 'release', from: after(20_100), to: after(22_000), tookMs: 1_900 },
      { phase: 'hand-off', from: after(22_200), to: after(22_230), tookMs: 30 },
      { phase: 'verify', from: after(22_230), to: after(40_000), tookMs: 17_770 },
    ],
    timeline,
    signals: [
      {
        source: 'status-alarm',
        says: `CloudWatch alarm "status" reports that ${agent} fails a status check`,
        receivedAt: openedAt,
        occurredAt: openedAt - 2_000,
        notice: { kind: 'retiring', action: 'stop', deadline: at + 3_600_000 },
      },
    ],
    verdict: {
      kind: 'Impaired',
      at: after(700),
      why: ['EC2 calls it impaired for 139 s', 'it did not answer 4 probes'],
      whyNot: [],
    },
    facts,
    fence: {
      since: after(900),
      rungs: [{ method: 'skip', launchTime, requestedAt: after(1_000), acceptedAt: after(1_100) }],
      voided: [],
      method: 'skip',
      strength: 'strong',
      ...(proof && { proof }),
    },
    handOff: {
      startedAt: after(22_200),
      completedAt: after(22_230),
      method: 'mark-gone',
      agentIds: ['a1-S7'],
      appIds: ['/mysql'],
      heldAppIds: [],
    },
    recovery: {
      at: after(40_000),
      apps: [
        {
          id: '/mysql',
          fromHost: '10.0.0.7',
          toHost: '10.0.0.8',
          toInstanceId: other,
          taskId: 'mysql.instance-1._app.2',
          healthy: true,
        },
      ],
    },
    calls: [
      call(1, 'StopInstances', agent, 1_000),
      call(2, 'DetachVolume', volume, 20_300),
      call(3, 'MARK_AGENT_GONE', 'a1-S7', 22_200),
    ],
    volumes: [
      {
        volumeId: volume,
        name: 'mysql',
        now,
        before: [{ volumeId: volume, name: 'mysql', state: 'owned', epoch: 0, owner: agent }],
      },
    ],
    ...change,
  });

/** The same with everything that can go otherwise. */
export const badDay = (): IncidentDocument => {
  const good = wholeIncident();
  const [first, second, third] = good.calls;
  const [mysql] = good.volumes;
  if (!first || !second || !third || !mysql || !good.fence || !good.handOff) {
    throw new Error('the whole incident is not whole');
  }
  if (!good.verdict || !good.recovery) {
    throw new Error('the whole incident is not whole');
  }
  const { acceptedAt: _, ...rung } = good.fence.rungs[0] ?? {
    method: '',
    launchTime,
    requestedAt: 0,
  };
  const done = { reason: 'to see', parameters: { incidentId }, outcome: 'done' as const };
  return {
    ...good,
    status: 'held',
    hold: { reason: 'volume-stuck', says: 'it hangs', since: at, retryAt: at + 1, looks: 3 },
    operatorHold: { by: 'ben', reason: 'wait for me', at },
    acknowledged: ['flapping'],
    quarantine: { launchTime, at, agentIds: ['a1-S9'] },
    execution: { ...good.execution, token: 3 },
    verdict: { ...good.verdict, whyNot: ['EC2 status checks: system ok'] },
    fence: {
      ...good.fence,
      strength: 'weak',
      voided: ['2026-11-22T19:00:00.000Z'],
      rungs: [
        { ...rung, refused: 'IncorrectInstanceState' },
        { ...rung, method: 'force' },
      ],
    },
    handOff: { ...good.handOff, heldAppIds: ['/web'] },
    recovery: { at, apps: good.recovery.apps.map((app) => ({ ...app, healthy: false })) },
    orders: [
      { at: after(2_000), action: 'hold', by: 'ana', ...done, says: 'held' },
      { at: after(12_000), action: 'resume', by: 'ana', ...done },
      { at: after(13_000), action: 'hold', by: 'cem', ...done, outcome: 'refused', says: 'no' },
    ],
    calls: [
      { ...first, outcome: 'refused', error: 'IncorrectState' },
      { ...second, outcome: 'unknown', error: 'ETIMEDOUT', epoch: 1 },
      { ...third, outcome: 'open' },
    ],
    volumes: [
      { ...mysql, ...(mysql.now && { now: { ...mysql.now, state: 'lost' as const } }) },
      { volumeId: 'vol-000000000000000d2', name: 'log', before: [] },
    ],
  };
};
