import {
  type AgentId,
  type EpochMs,
  executionNameOf,
  type IncidentId,
  type InstanceId,
  incidentIdOf,
  type LaunchTime,
  type VolumeId,
} from '../../src/domain/ids.ts';
import type {
  AuditRecord,
  Facts,
  Fence,
  Incident,
  IncidentVolume,
  ProofRead,
  Rung,
  Signal,
} from '../../src/domain/incident.ts';
import type { Instance, StatusChecks, Tag, Volume } from '../../src/domain/machine.ts';
import type { Ownership } from '../../src/domain/ownership.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Quarantine } from '../../src/domain/quarantine.ts';
import type { Scope } from '../../src/domain/scope.ts';
import type {
  App,
  DcosCapabilities,
  Inventory,
  MesosAgent,
  Task,
} from '../../src/domain/service.ts';

/*
 * The catalog's MySQL on agent .7 of cluster `prod`, as everybody sees it on a good day. A test
 * says only what is different in it.
 */

/** Seconds since the story began. */
export const t = (seconds: number): EpochMs => (1_700_000_000_000 + seconds * 1000) as EpochMs;

export const cluster = 'prod';
export const scope: Scope = { cluster, agentTag: { key: 'role', value: 'mesos-slave' } };
export const zone = 'us-east-1a';

export const ids = {
  failed: 'i-00000000000000007' as InstanceId,
  spare: 'i-00000000000000008' as InstanceId,
  other: 'i-00000000000000009' as InstanceId,
  data: 'vol-000000000000000d1' as VolumeId,
  root: 'vol-000000000000000a1' as VolumeId,
  agent: 'a1b2-S7' as AgentId,
  spareAgent: 'a1b2-S8' as AgentId,
  otherAgent: 'a1b2-S9' as AgentId,
  launched: '2026-11-01T08:00:00.000Z' as LaunchTime,
  relaunched: '2026-11-01T09:00:00.000Z' as LaunchTime,
  incident: incidentIdOf(cluster, 'i-00000000000000007' as InstanceId, 1),
} as const;

export const clusterTag: Tag = { key: 'ebs-failover:cluster', value: cluster };
export const agentTags: readonly Tag[] = [clusterTag, { key: 'role', value: 'mesos-slave' }];
export const volumeTags = (name = 'mysql'): readonly Tag[] => [
  { key: 'Name', value: name },
  clusterTag,
];

export const policyOf = (change: Partial<Policy> = {}): Policy => ({
  impairedGraceMs: 60_000,
  fenceTerminate: 'never',
  weakFence: 'hold',
  weakFenceSettleMs: 120_000,
  forceDetach: 'never',
  partialDeadlineMs: 60_000,
  rexrayPreempt: 'off',
  partitionedAgent: 'ask',
  partitionedGraceMs: 120_000,
  blindLimit: 3,
  blindLimitPercent: 25,
  stormLimit: 3,
  stormLimitPercent: 25,
  stormWindowMs: 900_000,
  stormCoolDownMs: 300_000,
  blockPeriodMs: 600_000,
  drainReserveMs: 60_000,
  ...change,
});

export const instanceOf = (change: Partial<Instance> = {}): Instance => ({
  instanceId: ids.failed,
  state: 'running',
  launchTime: ids.launched,
  availabilityZone: zone,
  privateIp: '10.0.0.7',
  instanceType: 'm5.large',
  lifecycle: 'on-demand',
  rootDeviceName: '/dev/xvda',
  rootDeviceType: 'ebs',
  devices: [
    { device: '/dev/xvda', volumeId: ids.root, deleteOnTermination: true, status: 'attached' },
    { device: '/dev/xvdf', volumeId: ids.data, deleteOnTermination: false, status: 'attached' },
  ],
  tags: agentTags,
  ...change,
});

export const attachmentOf = (change: Partial<Volume['attachments'][number]> = {}) => ({
  instanceId: ids.failed,
  device: '/dev/xvdf',
  state: 'attached' as const,
  deleteOnTermination: false,
  ...change,
});

export const volumeOf = (change: Partial<Volume> = {}): Volume => ({
  volumeId: ids.data,
  state: 'in-use',
  availabilityZone: zone,
  multiAttach: false,
  attachments: [attachmentOf()],
  tags: volumeTags(),
  ...change,
});

export const freeVolume = (change: Partial<Volume> = {}): Volume =>
  volumeOf({ state: 'available', attachments: [], ...change });

export const checksOf = (change: Partial<StatusChecks> = {}): StatusChecks => ({
  system: 'ok',
  instance: 'ok',
  attachedEbs: 'ok',
  ...change,
});

export const appOf = (change: Partial<App> = {}): App => ({
  id: '/mysql',
  externalVolumes: [{ name: 'mysql' }],
  hasLocalVolumes: false,
  hasHealthChecks: true,
  cpus: 0.5,
  mem: 1024,
  constraints: [['@zone', 'IS', `aws/${zone}`]],
  acceptedRoles: ['*'],
  ...change,
});

export const taskOf = (change: Partial<Task> = {}): Task => ({
  id: 'mysql.1',
  appId: '/mysql',
  host: '10.0.0.7',
  agentId: ids.agent,
  state: 'TASK_RUNNING',
  startedAt: t(-3600),
  alive: true,
  ...change,
});

/** The task that replaces it on the spare agent. */
export const newTask = (change: Partial<Task> = {}): Task =>
  taskOf({ id: 'mysql.2', host: '10.0.0.8', agentId: ids.spareAgent, startedAt: t(60), ...change });

export const agentOf = (change: Partial<MesosAgent> = {}): MesosAgent => ({
  agentId: ids.agent,
  hostname: '10.0.0.7',
  active: true,
  deactivated: false,
  recovered: false,
  free: { cpus: 4, mem: 8192 },
  reservedRoles: [],
  attributes: {},
  ...change,
});

export const spareAgent = (change: Partial<MesosAgent> = {}): MesosAgent =>
  agentOf({ agentId: ids.spareAgent, hostname: '10.0.0.8', ...change });

export const spareInstance = (change: Partial<Instance> = {}): Instance =>
  instanceOf({
    instanceId: ids.spare,
    privateIp: '10.0.0.8',
    devices: [
      {
        device: '/dev/xvda',
        volumeId: 'vol-000000000000000a2' as VolumeId,
        deleteOnTermination: true,
        status: 'attached',
      },
    ],
    ...change,
  });

export const dcosOf = (change: Partial<DcosCapabilities> = {}): DcosCapabilities => ({
  version: '2.1.0',
  markAgentGone: true,
  markGoneOfUnreachableIsLost: false,
  deactivateAgent: true,
  ...change,
});

export const signalOf = (change: Partial<Signal> = {}): Signal => ({
  key: 'event-1',
  source: 'ec2-state',
  instanceId: ids.failed,
  says: 'EC2 says stopped',
  receivedAt: t(0),
  ...change,
});

export const incidentVolumeOf = (change: Partial<IncidentVolume> = {}): IncidentVolume => ({
  volumeId: ids.data,
  name: 'mysql',
  device: '/dev/xvdf',
  availabilityZone: zone,
  deleteOnTermination: false,
  appIds: ['/mysql'],
  ...change,
});

export const factsOf = (change: Partial<Facts> = {}): Facts => ({
  at: t(1),
  launchTime: ids.launched,
  state: 'running',
  availabilityZone: zone,
  privateIp: '10.0.0.7',
  agentIds: [ids.agent],
  volumes: [incidentVolumeOf()],
  leftAlone: [{ volumeId: ids.root, why: 'root device' }],
  apps: [appOf()],
  tasks: [{ id: 'mysql.1', appId: '/mysql' }],
  ...change,
});

/** Accepted a second after it was asked for, unless the test says otherwise. */
export const rungOf = (
  method: Rung['method'],
  atSeconds: number,
  change: Partial<Rung> = {},
): Rung => ({
  method,
  launchTime: ids.launched,
  requestedAt: t(atSeconds),
  ...(change.refused === undefined ? { acceptedAt: t(atSeconds + 1) } : {}),
  ...change,
});

/** EC2's answer never came. */
export const lostRung = (method: Rung['method'], atSeconds: number): Rung => ({
  method,
  launchTime: ids.launched,
  requestedAt: t(atSeconds),
});

export const fenceOf = (change: Partial<Fence> = {}): Fence => ({
  since: t(0),
  rungs: [],
  voided: [],
  ...change,
});

export const readOf = (atSeconds: number, change: Partial<ProofRead> = {}): ProofRead => ({
  at: t(atSeconds),
  state: 'stopped',
  launchTime: ids.launched,
  ...change,
});

/** Stopped by skip at 2 s, proven at 20 s. */
export const provenFence = (change: Partial<Fence> = {}): Fence =>
  fenceOf({
    since: t(1),
    rungs: [rungOf('skip', 2)],
    proof: [readOf(20), readOf(20)],
    method: 'skip',
    strength: 'strong',
    ...change,
  });

export const incidentOf = (change: Partial<Incident> = {}): Incident => ({
  id: ids.incident,
  cluster,
  instanceId: ids.failed,
  n: 1,
  status: 'open',
  token: 1,
  seq: 0,
  executionName: executionNameOf(ids.failed, 1, 1),
  openedAt: t(0),
  updatedAt: t(0),
  signals: [signalOf()],
  ...change,
});

/** The volume's record while our incident holds it. */
export const recordOf = (
  change: Partial<Ownership> = {},
): Ownership & { readonly incidentId: IncidentId; readonly token: number } => ({
  volumeId: ids.data,
  name: 'mysql',
  state: 'claimed',
  epoch: 1,
  from: ids.failed,
  owner: ids.failed,
  incidentId: ids.incident,
  token: 1,
  ...change,
});

export const detachOf = (atSeconds: number, change: Partial<AuditRecord> = {}): AuditRecord => ({
  call: 'DetachVolume',
  target: ids.data,
  parameters: { instanceId: ids.failed, force: false },
  epoch: 1,
  seq: 1,
  token: 1,
  actor: 'ReleaseVolume',
  intendedAt: t(atSeconds),
  outcome: { kind: 'accepted', at: t(atSeconds) },
  ...change,
});

/** The record of the data volume from the day it was adopted. */
export const adopted = {
  volumeId: ids.data,
  name: 'mysql',
  state: 'owned',
  epoch: 0,
  owner: ids.failed,
} as const;

/** What the sweep has kept of the agent a minute ago. */
export const inventoryOf = (change: Partial<Inventory> = {}): Inventory => ({
  launchTime: ids.launched,
  privateIp: '10.0.0.7',
  availabilityZone: zone,
  agentIds: [ids.agent],
  apps: [appOf()],
  tasks: [{ id: 'mysql.1', appId: '/mysql' }],
  volumes: [{ volumeId: ids.data, name: 'mysql', device: '/dev/xvdf' }],
  seenAt: t(-60),
  ...change,
});
/** An hour before the story begins it was launched; a minute before, started again. */
export const before = {
  launched: new Date(t(-3600)).toISOString() as LaunchTime,
  relaunched: new Date(t(-60)).toISOString() as LaunchTime,
} as const;

/** The failed agent, fenced by an incident that is over; its data is the spare agent's now. */
export const quarantineOf = (change: Partial<Quarantine> = {}): Quarantine => ({
  instanceId: ids.failed,
  incidentId: incidentIdOf(cluster, ids.failed, 7),
  launchTime: before.launched,
  since: t(-600),
  privateIp: '10.0.0.7',
  agentIds: [ids.agent],
  volumes: [{ volumeId: ids.data, epoch: 1 }],
  ...change,
});

/** Under which its agent registers when its work directory was wiped. */
export const newAgentId = 'a1b2-S77' as AgentId;
