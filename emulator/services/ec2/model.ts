/** The true state of instances and volumes: plain data, so that a snapshot is a deep copy. */

export type InstanceState =
  | 'pending'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'shutting-down'
  | 'terminated';

/** Low byte of `instanceState.code` (EC2 API reference, InstanceState). */
export const STATE_CODES: Record<InstanceState, number> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export interface StateReason {
  code: string;
  message: string;
}

/** What AWS may plan for an instance (API reference, InstanceStatusEvent). */
export type ScheduledCode =
  | 'instance-reboot'
  | 'system-reboot'
  | 'system-maintenance'
  | 'instance-retirement'
  | 'instance-stop';

export interface ScheduledEvent {
  eventId: string;
  code: ScheduledCode;
  description: string;
  notBefore: number;
  notAfter: number | undefined;
  notBeforeDeadline: number | undefined;
  state: 'active' | 'completed' | 'canceled';
  /** Of the AWS Health event that tells of it. */
  eventArn: string;
}

/** What EC2 does to a Spot Instance when it takes its capacity back. */
export type SpotAction = 'hibernate' | 'stop' | 'terminate';

/** The Spot request a machine was launched for. */
export interface SpotRequest {
  requestId: string;
  /** `one-time` instances can never be stopped, only terminated. */
  type: 'one-time' | 'persistent';
  /** `disabled`: somebody else than EC2 stopped its machine. */
  state: 'open' | 'active' | 'disabled' | 'closed' | 'cancelled';
  /** `fulfilled`, `marked-for-stop`, ... */
  status: string;
  statusTime: number;
  createTime: number;
  /** Part of a fleet, a launch group or a zone group: it cannot be stopped either. */
  inFleet: boolean;
  /** A persistent request starts its machine again so long after anybody stopped it. */
  restartMs: number | undefined;
}

/** Times are epoch ms. */
export interface Instance {
  instanceId: string;
  reservationId: string;
  imageId: string;
  instanceType: string;
  availabilityZone: string;
  subnetId: string;
  vpcId: string;
  privateIp: string;
  /** Whole seconds; strictly later with every start, so that it names the incarnation. */
  launchTime: number;
  state: InstanceState;
  stateReason: StateReason | undefined;
  /** `User initiated (2026-11-22 21:29:54 GMT)`; empty while nothing happened. */
  transitionReason: string;
  tags: Record<string, string>;
  spot: SpotRequest | undefined;
  rootDeviceType: 'ebs' | 'instance-store';
  rootDeviceName: string;
  disableApiStop: boolean;
  disableApiTermination: boolean;
  /** True from `running` until power is really off: a `stopping` machine still runs code. */
  powered: boolean;
  kernel: 'ok' | 'hung';
  /** The operating system is going down in an orderly way. */
  shuttingDown: boolean;
  /** The guest never ends an orderly shutdown, and EC2 goes on waiting for it. */
  blocksShutdown: boolean;
  /** The host is out of reach of EC2: whatever it is told to do there does not end. */
  hostLost: boolean;
  /** The guest's own trouble (memory, network set-up) fails the instance check alone. */
  instanceCheckFails: boolean;
  /** ModifyInstanceMaintenanceOptions. */
  autoRecovery: 'default' | 'disabled';
  rebootMigration: 'default' | 'disabled';
  /** Ids. */
  securityGroups: string[];
  /** False until the first status check after a start: `initializing`. */
  statusChecked: boolean;
  /** Since when the instance check fails. */
  impairedSince: number | undefined;
  /** The latest system check failed too: not a reboot, not the guest's own trouble. */
  systemImpaired: boolean;
  /** Since when the attached EBS check fails. */
  ebsImpairedSince: number | undefined;
  /** Device names a forced detach left unusable until the machine loses power or reboots. */
  poisonedDevices: string[];
  /** What AWS has planned for it, past events included. */
  scheduled: ScheduledEvent[];
  /** Terminated instances vanish from the API after about an hour; the truth keeps them. */
  visible: boolean;
}

export interface Attachment {
  instanceId: string;
  device: string;
  /** `busy`: asked to detach, but still mounted by a running machine. */
  state: 'attaching' | 'attached' | 'detaching' | 'busy';
  /** Epoch ms, whole seconds. */
  attachTime: number;
  deleteOnTermination: boolean;
  /** The pending detach was asked for with `Force`. */
  forced: boolean;
}

export interface Volume {
  volumeId: string;
  availabilityZone: string;
  sizeGiB: number;
  volumeType: string;
  iops: number | undefined;
  snapshotId: string;
  createTime: number;
  state: 'creating' | 'available' | 'in-use' | 'deleting' | 'deleted' | 'error';
  attachments: Attachment[];
  tags: Record<string, string>;
  multiAttach: boolean;
  kmsKeyId: string | undefined;
  /** With the key disabled a detach works, an attach fails after a while. */
  kmsKeyDisabled: boolean;
  /** False once EBS suspects its data: it stops the I/O until a person enables it again. */
  ioEnabled: boolean;
  /** Its reads and writes wait, as FIS makes them (`aws:ebs:pause-volume-io`). */
  ioPaused: boolean;
  /** The latest change of its size, type or speed. */
  modification: { state: 'modifying' | 'optimizing'; startTime: number } | undefined;
  /** The AWS service it belongs to: nobody else may attach or detach it. */
  managedBy: string | undefined;
  /** A file system of it is mounted in the machine it is attached to. */
  mounted: boolean;
}

export interface Snapshot {
  snapshotId: string;
  volumeId: string;
  volumeSize: number;
  description: string;
  startTime: number;
  tags: Record<string, string>;
}

/** Types of the Xen families reject `SkipOsShutdown`; all newer ones are Nitro. */
const XEN_FAMILIES =
  /^(c1|c3|c4|cc2|cr1|d2|f1|g2|g3|g3s|h1|hs1|i2|i3|m1|m2|m3|m4|p2|p3|r3|r4|t1|t2|x1|x1e)\./;

/** As `DescribeInstanceTypes` tells it: bare metal has none. */
export const hypervisorOf = (instanceType: string): 'nitro' | 'xen' | undefined => {
  if (/\.metal(-|$)/.test(instanceType)) return undefined;
  return XEN_FAMILIES.test(instanceType) ? 'xen' : 'nitro';
};

/** Volumes one instance can hold: Nitro shares 28 slots with one network interface. */
export const attachmentLimitOf = (instanceType: string): number =>
  hypervisorOf(instanceType) === 'xen' ? 40 : 27;

/**
 * The zone's id (`us-east-1b` -> `use1-az3`). Zone letters are shuffled per account, so the number
 * deliberately differs from the letter's place.
 */
export const zoneIdOf = (availabilityZone: string): string => {
  const words = availabilityZone.slice(0, -1).split('-');
  const direction = /north|south|east|west|central|gov/g;
  const region = words.map((word) => word.replace(direction, (found) => found.charAt(0))).join('');
  return `${region}-az${zoneIndexOf(availabilityZone) + 2}`;
};

/** 0 for zone `a`, 1 for `b`, ... */
export const zoneIndexOf = (availabilityZone: string): number =>
  availabilityZone.charCodeAt(availabilityZone.length - 1) - 'a'.charCodeAt(0);

/** AWS reports launch and attach times in whole seconds. */
export const wholeSecond = (epochMs: number): number => Math.floor(epochMs / 1000) * 1000;

/** The instance's attachment of the volume, in whatever attachment state. */
export const attachmentOf = (volume: Volume, instanceId: string): Attachment | undefined =>
  volume.attachments.find((attachment) => attachment.instanceId === instanceId);
