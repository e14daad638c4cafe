import type { EpochMs, InstanceId, LaunchTime, VolumeId } from './ids.ts';

/** EC2's own words for an instance's state. */
export type InstanceState =
  | 'pending'
  | 'running'
  | 'shutting-down'
  | 'terminated'
  | 'stopping'
  | 'stopped';

/** EC2 allows keys that differ only in case, so tags stay a list until somebody asks for one. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface BlockDevice {
  readonly device: string;
  readonly volumeId: VolumeId;
  readonly deleteOnTermination: boolean;
  readonly status: string;
}

/** One read of an instance. */
export interface Instance {
  readonly instanceId: InstanceId;
  readonly state: InstanceState;
  readonly launchTime: LaunchTime;
  /** `Client.UserInitiatedShutdown` and the like; absent while it runs. */
  readonly stateReasonCode?: string;
  readonly stateReason?: string;
  readonly availabilityZone: string;
  /** Names the same zone in every account, as zonal shifts do; the name does not. */
  readonly availabilityZoneId?: string;
  readonly privateIp?: string;
  readonly vpcId?: string;
  readonly instanceType: string;
  readonly lifecycle: 'on-demand' | 'spot' | 'scheduled';
  readonly rootDeviceName?: string;
  readonly rootDeviceType: 'ebs' | 'instance-store';
  readonly devices: readonly BlockDevice[];
  readonly tags: readonly Tag[];
}

export type CheckStatus =
  | 'ok'
  | 'impaired'
  | 'insufficient-data'
  | 'not-applicable'
  | 'initializing';

/** One read of EC2's status checks. Only running instances have them. */
export interface StatusChecks {
  readonly system: CheckStatus;
  readonly instance: CheckStatus;
  readonly attachedEbs: CheckStatus;
  /** The earliest ImpairedSince of the failing checks. */
  readonly impairedSince?: EpochMs;
}

/** What AWS is going to do to an instance. */
export interface ScheduledEvent {
  /** `instance-retirement`, `instance-stop`, `system-reboot` and so on. */
  readonly code: string;
  readonly notBefore?: EpochMs;
}

export type VolumeState = 'creating' | 'available' | 'in-use' | 'deleting' | 'deleted' | 'error';

export interface Attachment {
  readonly instanceId: InstanceId;
  readonly device: string;
  readonly state: 'attaching' | 'attached' | 'detaching' | 'detached' | 'busy';
  readonly deleteOnTermination: boolean;
}

/** One read of a volume. */
export interface Volume {
  readonly volumeId: VolumeId;
  readonly state: VolumeState;
  readonly availabilityZone: string;
  readonly multiAttach: boolean;
  /** The AWS service it belongs to: EC2 refuses its attachment and detachment to everybody else. */
  readonly managedBy?: string;
  /** The key it is encrypted with: disabled, the volume can be detached but not attached. */
  readonly kmsKeyId?: string;
  readonly attachments: readonly Attachment[];
  readonly tags: readonly Tag[];
}

/** What EC2 tells of a volume beside its state. */
export interface VolumeCondition {
  readonly volumeId: VolumeId;
  /** `impaired`: EC2 has stopped its I/O, because its data may be inconsistent. */
  readonly io: 'ok' | 'impaired';
  /** No attachment is possible meanwhile; `optimizing`, the longer part, is no hindrance. */
  readonly modifying: boolean;
}

/** All values a key has, whatever its case: more than one means somebody must decide. */
export const tagValues = (tags: readonly Tag[], key: string): string[] =>
  tags.filter((tag) => tag.key.toLowerCase() === key.toLowerCase()).map((tag) => tag.value);

/** The value of a key written exactly so, once; undefined when absent. */
export const tagValue = (tags: readonly Tag[], key: string): string | undefined =>
  tags.find((tag) => tag.key === key)?.value;

/** Volumes a plain read of EC2 says nothing holds. */
export const isFree = (volume: Volume): boolean =>
  volume.state === 'available' && volume.attachments.length === 0;
