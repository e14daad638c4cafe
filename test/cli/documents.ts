import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import type { Explanation, Status } from '../../src/contracts/look.ts';

/** What Look answers on a good day. A test says only what is different in it. */
export const at = Date.UTC(2026, 10, 22, 21, 0, 0);
export const agent = 'i-00000000000000007';
export const other = 'i-00000000000000008';
export const volume = 'vol-000000000000000d1';
export const incidentId = `demo#${agent}#1`;
export const executionArn =
  'arn:aws:states:us-east-1:123456789012:execution:ebs-failover-demo:by-hand';

const agentLine = (instanceId: string, privateIp: string): Status['agents'][number] => ({
  instanceId,
  state: 'running',
  availabilityZone: 'us-east-1a',
  privateIp,
  launchTime: '2026-11-22T20:00:00.000Z',
  checks: 'ok',
  mesos: 'active',
  agentId: 'a1-S7',
  appIds: instanceId === agent ? ['/mysql'] : [],
  volumeIds: instanceId === agent ? [volume] : [],
  quarantined: false,
});

export const statusOf = (change: Partial<Status> = {}): Status => ({
  kind: 'status',
  version: 1,
  at,
  cluster: 'demo',
  trouble: [],
  agents: [agentLine(agent, '10.0.0.7'), agentLine(other, '10.0.0.8')],
  volumes: [
    {
      volumeId: volume,
      name: 'mysql',
      state: 'in-use',
      availabilityZone: 'us-east-1a',
      attachedTo: [agent],
      ownership: 'owned',
      owner: agent,
      epoch: 0,
    },
  ],
  incidents: [],
  brakes: { maintenance: [], storm: { waiting: [] }, quarantined: [], shiftedZones: [] },
  ...change,
});

export const lineOf = (
  change: Partial<Status['incidents'][number]> = {},
): Status['incidents'][number] => ({
  id: incidentId,
  instanceId: agent,
  n: 1,
  mode: 'failover',
  status: 'open',
  stage: 'fencing',
  verdict: 'Impaired',
  openedAt: at - 60_000,
  updatedAt: at,
  summary: `${agent} (incident 1): Impaired: it hangs`,
  ...change,
});

export const explanationOf = (change: Partial<Explanation> = {}): Explanation => ({
  kind: 'explain',
  version: 1,
  at,
  cluster: 'demo',
  instanceId: agent,
  says: 'nothing to do: Recovered: it answers',
  action: 'none',
  witnesses: { ec2: 'running', checks: 'system ok, instance ok', mesos: 'it answers' },
  verdict: { kind: 'Recovered', why: ['it answers'], whyNot: [] },
  guards: [],
  warnings: [],
  volumes: [
    {
      volumeId: volume,
      name: 'mysql',
      appIds: ['/mysql'],
      device: '/dev/xvdf',
      zone: 'us-east-1a',
    },
  ],
  leftAlone: [],
  appIds: ['/mysql'],
  ...change,
});

export const incidentOf = (change: Partial<IncidentDocument> = {}): IncidentDocument => ({
  kind: 'incident',
  version: 1,
  at,
  id: incidentId,
  cluster: 'demo',
  instanceId: agent,
  n: 1,
  mode: 'failover',
  status: 'open',
  stage: 'fencing',
  summary: `${agent} (incident 1): Impaired: it hangs`,
  openedAt: at - 60_000,
  updatedAt: at,
  execution: { name: `fo-${agent}-1-1`, arn: executionArn, token: 1 },
  times: {},
  phases: [{ phase: 'assess', from: at - 60_000, tookMs: 60_000 }],
  timeline: [
    { at: at - 60_000, afterMs: 0, kind: 'opened', says: `incident ${incidentId} is opened` },
    { at: at - 1_000, afterMs: 59_000, kind: 'call', says: 'FenceAgent: StopInstances: accepted' },
  ],
  signals: [],
  acknowledged: [],
  orders: [],
  calls: [],
  volumes: [],
  ...change,
});
