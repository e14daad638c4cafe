import {
  type AgentId,
  type EpochMs,
  type InstanceId,
  incidentIdOf,
  type LaunchTime,
  type VolumeId,
} from '../../src/domain/ids.ts';
import type { CallIntent, IncidentPatch, ProofRead, Signal } from '../../src/domain/incident.ts';
import type { Quarantine } from '../../src/domain/quarantine.ts';
import type { App, Inventory } from '../../src/domain/service.ts';

/** Records as production writes them, with every optional field filled in. */
export const cluster = 'prod-eu';
export const t = (seconds: number): EpochMs => (1_700_000_000_000 + seconds * 1000) as EpochMs;

let ids = 0;
const hex17 = (): string => {
  ids += 1;
  return ids.toString(16).padStart(17, '0');
};
/** No two calls answer the same id, so tests share a table and never meet. */
export const newInstanceId = (): InstanceId => `i-${hex17()}` as InstanceId;
export const newVolumeId = (): VolumeId => `vol-${hex17()}` as VolumeId;

const launchTime = '2026-11-01T08:15:30.000Z' as LaunchTime;
const agentId = '5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3' as AgentId;

export const signalOf = (instanceId: InstanceId, key = 'event-1', at = t(0)): Signal => ({
  key,
  source: 'ec2-state',
  instanceId,
  says: 'EC2 says stopped',
  occurredAt: t(-1),
  receivedAt: at,
});

const app: App = {
  id: '/mysql',
  externalVolumes: [{ name: 'mysql' }],
  hasLocalVolumes: false,
  hasHealthChecks: true,
  cpus: 0.5,
  mem: 1024,
  constraints: [['@zone', 'IS', 'aws/us-east-1a']],
  acceptedRoles: ['*'],
  priority: 10,
};

export const proofReads: readonly [ProofRead, ProofRead] = [
  { at: t(20), state: 'stopped', launchTime },
  { at: t(21), state: 'stopped', launchTime },
];

/** Everything a patch can say at once. */
export const everyFacet = (instanceId: InstanceId, volumeId: VolumeId): IncidentPatch => ({
  status: 'held',
  verdict: {
    kind: 'Impaired',
    at: t(1),
    why: ['instance check failed'],
    whyNot: [],
    lookAgainMs: 5,
    lostSince: t(0),
  },
  facts: {
    at: t(1),
    launchTime,
    state: 'running',
    availabilityZone: 'us-east-1a',
    privateIp: '10.0.0.7',
    agentIds: [agentId],
    volumes: [
      {
        volumeId,
        name: 'mysql',
        device: '/dev/xvdf',
        availabilityZone: 'us-east-1a',
        deleteOnTermination: false,
        appIds: ['/mysql'],
      },
    ],
    leftAlone: [{ volumeId: newVolumeId(), why: 'root device' }],
    apps: [app],
    tasks: [{ id: 'mysql.1', appId: '/mysql' }],
  },
  quarantine: { launchTime, at: t(70), agentIds: [agentId] },
  protection: { deactivatedAgentIds: [agentId], autoScaling: { kind: 'standby', group: 'agents' } },
  fence: {
    since: t(2),
    rungs: [
      { method: 'skip', launchTime, requestedAt: t(2), acceptedAt: t(3) },
      { method: 'force-skip', launchTime, requestedAt: t(9), refused: 'OperationNotPermitted' },
    ],
    voided: ['2026-11-01T08:00:00.000Z' as LaunchTime],
    method: 'skip',
    strength: 'strong',
    proof: proofReads,
  },
  placement: { at: 5_000 as EpochMs, agents: 'a-S1 a-S2' },
  handOff: {
    startedAt: t(30),
    agentIds: [agentId],
    method: 'mark-gone',
    completedAt: t(31),
    appIds: ['/mysql'],
    heldAppIds: [],
  },
  recovery: {
    apps: [
      {
        id: '/mysql',
        fromHost: '10.0.0.7',
        toHost: '10.0.0.8',
        toInstanceId: instanceId,
        taskId: 'mysql.2',
        healthy: true,
      },
    ],
    at: t(40),
  },
  hold: { reason: 'no-placement', says: 'no agent', since: t(5), looks: 2, retryAt: t(65) },
  acknowledged: ['weak-fence'],
  mode: 'drain',
  drain: {
    foreseen: {
      kind: 'leaving',
      at: t(3),
      launchTime,
      says: 'its Auto Scaling group says Terminating:Wait',
      deadline: t(900),
    },
    heartbeatAt: t(4),
    startedAt: t(5),
    method: 'drain-agent',
    acceptedAt: t(6),
    completedAt: t(7),
  },
});

export const stopCall = (instanceId: InstanceId): CallIntent => ({
  call: 'StopInstances',
  target: instanceId,
  parameters: { SkipOsShutdown: true, attempt: 1, launchTime },
});

export const detachCall = (volumeId: VolumeId): CallIntent => ({
  call: 'DetachVolume',
  target: volumeId,
  parameters: { Force: false },
  epoch: 3,
});

export const inventoryAt = (seenAt: EpochMs): Inventory => ({
  launchTime,
  privateIp: '10.0.0.7',
  availabilityZone: 'us-east-1a',
  agentIds: [agentId],
  apps: [app],
  tasks: [{ id: 'mysql.1', appId: '/mysql' }],
  volumes: [{ volumeId: newVolumeId(), name: 'mysql', device: '/dev/xvdf' }],
  seenAt,
  silence: { probes: 2, lastAt: seenAt },
});

/** A host that an incident of its own has fenced, in the incarnation that was started then. */
export const quarantineOf = (instanceId: InstanceId, launchTime: string): Quarantine => ({
  instanceId,
  incidentId: incidentIdOf(cluster, instanceId, 1),
  launchTime: launchTime as LaunchTime,
  since: t(60),
  privateIp: '10.0.0.7',
  agentIds: [agentId],
  volumes: [{ volumeId: newVolumeId(), epoch: 3 }],
});
