import type { InstanceId, VolumeId } from '../domain/ids.ts';
import type { FenceMethod, StopMethod } from '../domain/incident.ts';
import type {
  Instance,
  ScheduledEvent,
  StatusChecks,
  Volume,
  VolumeCondition,
} from '../domain/machine.ts';

/** An accepted mutating call. */
export interface Receipt {
  readonly requestId?: string;
}

/**
 * Why a power command was not accepted. Everything that is not listed throws: throttling
 * (CloudThrottledError), 5xx (CloudUnavailableError), lost answers (CloudAmbiguousError), missing
 * rights (NotAuthorizedError), anything unknown (CloudRefusedError).
 */
export type PowerRefusal =
  /** Xen types know no SkipOsShutdown. */
  | 'skip-unsupported'
  /** DisableApiStop or DisableApiTermination is set. */
  | 'protected'
  /** Instance-store root, one-time Spot, hibernation: this kind of instance cannot be stopped. */
  | 'stop-unsupported'
  /** Not in a state from which the call makes sense: read again. */
  | 'wrong-state'
  /** EC2 does not know the instance. Never a proof of anything. */
  | 'not-found';
export type PowerAnswer =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  | { readonly kind: 'refused'; readonly why: PowerRefusal; readonly code: string };

export type DetachAnswer =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  /** Already free: `IncorrectState` (available). */
  | { readonly kind: 'not-attached'; readonly code: string }
  /** Not attached to that instance; it may be attached to another one. */
  | { readonly kind: 'not-attached-there'; readonly code: string }
  | { readonly kind: 'volume-not-found'; readonly code: string }
  | { readonly kind: 'wrong-instance-state'; readonly code: string }
  | { readonly kind: 'unsupported'; readonly code: string };

/** Reads of EC2. An empty answer is a confirmed miss; anything doubtful throws. */
export interface ComputeReads {
  instance(instanceId: InstanceId): Promise<Instance | undefined>;
  /** undefined where EC2 reports no checks (not running, or unknown). */
  statusChecks(instanceId: InstanceId): Promise<StatusChecks | undefined>;
  /** Every volume EC2 reports attached to the instance, roots included. */
  volumesOf(instanceId: InstanceId): Promise<Volume[]>;
  volumes(volumeIds: readonly VolumeId[]): Promise<Volume[]>;
  /** I/O and modification of the volumes EC2 knows, whether attached or not. */
  volumeConditions(volumeIds: readonly VolumeId[]): Promise<VolumeCondition[]>;
  /** Every volume with this `Name` tag, in every zone of the region. */
  volumesNamed(names: readonly string[]): Promise<Volume[]>;
  /** All instances with the cluster tag; paged, for the sweep. */
  instancesOfCluster(): Promise<Instance[]>;
  /** All attached or tagged volumes of the cluster's instances; paged, for the sweep. */
  volumesOfInstances(instanceIds: readonly InstanceId[]): Promise<Volume[]>;
  /** Status checks of many instances; paged, for the sweep. */
  statusChecksOf(instanceIds: readonly InstanceId[]): Promise<Map<InstanceId, StatusChecks>>;
  /** What AWS has scheduled for the instance and has neither done nor cancelled. */
  scheduledEvents(instanceId: InstanceId): Promise<ScheduledEvent[]>;
}

/** Spot instances that EC2 takes back. */
export interface Interruptions {
  /** EC2 has marked it: this becomes of it (a hibernation is a stop to it); undefined: it has not, or it is no Spot instance. */
  interruption(instanceId: InstanceId): Promise<'stop' | 'terminate' | undefined>;
}

/** Power. Only FenceAgent is given this. */
export interface PowerControl {
  stop(instanceId: InstanceId, method: StopMethod): Promise<PowerAnswer>;
  terminate(
    instanceId: InstanceId,
    method: Extract<FenceMethod, 'terminate' | 'terminate-force'>,
  ): Promise<PowerAnswer>;
}

/** Attachments. Only ReleaseVolume is given this. The instance id is never optional. */
export interface VolumeControl {
  detach(
    volumeId: VolumeId,
    from: InstanceId,
    options: { readonly force: boolean },
  ): Promise<DetachAnswer>;
}

/** Marks on instances and volumes that change no attachment. */
export interface Safekeeping {
  /** Sets DeleteOnTermination=false, written out, for every named device in one call. */
  keepOnTermination(
    instanceId: InstanceId,
    devices: readonly { readonly device: string; readonly volumeId: VolumeId }[],
  ): Promise<Receipt>;
  tagVolume(volumeId: VolumeId, tags: Readonly<Record<string, string>>): Promise<Receipt>;
}

/** A mark for people on a fenced machine. Nothing is decided by it. */
export interface MachineMarks {
  markQuarantined(instanceId: InstanceId, value: string): Promise<Receipt>;
  unmarkQuarantined(instanceId: InstanceId): Promise<Receipt>;
}
