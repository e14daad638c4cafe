import type { AwsEvent, EventContent } from '../../core/aws-event.ts';
import { createEventFactory } from '../../core/aws-event.ts';
import type { Durations } from '../../core/durations.ts';
import type { MachineEvent } from '../../core/machines.ts';
import { Ec2Refusal } from '../../core/machines.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Ec2Faults } from './faults.ts';
import type { Instance, InstanceState, Snapshot, Volume } from './model.ts';
import { type SecurityGroup, STOCK_GROUP } from './security-groups.ts';
import type { ZoneLoss } from './zones.ts';

/** What every part of EC2 shares: the true state, and the ways to tell others about it. */
export interface World {
  readonly time: Time;
  readonly durations: Durations;
  readonly account: string;
  readonly region: string;
  readonly faults: Ec2Faults;
  readonly instances: Map<string, Instance>;
  readonly volumes: Map<string, Volume>;
  readonly snapshots: Map<string, Snapshot>;
  readonly securityGroups: Map<string, SecurityGroup>;
  /** Zones out of AWS's own reach at this moment. */
  readonly lostZones: Map<string, Required<ZoneLoss>>;
  /** `i-` + 17 hex digits, and so on. */
  newId(prefix: 'i' | 'vol' | 'snap' | 'r' | 'sir' | 'sg'): string;
  requestId(): string;
  /** An independent stream for one purpose. */
  rng(label: string): Rng;
  /** Throws `InvalidInstanceID.Malformed` or `InvalidInstanceID.NotFound`. */
  instance(instanceId: string): Instance;
  /** Throws `InvalidParameterValue` or `InvalidVolume.NotFound`. */
  volume(volumeId: string): Volume;
  /** Throws `InvalidSnapshot.NotFound`. */
  snapshot(snapshotId: string): Snapshot;
  /** Volumes that have an attachment to the instance, in whatever state. */
  volumesOf(instanceId: string): Volume[];
  instanceArn(instanceId: string): string;
  volumeArn(volumeId: string): string;
  /** Sets the state and publishes the notification (EC2 Instance State-change Notification). */
  enterState(instance: Instance, state: InstanceState): void;
  /** Any other event of this account's EC2. */
  publish(content: EventContent): void;
  /** EBS Volume Notification. There is none for a completed detach. */
  publishVolume(volume: Volume, event: string, result: string, cause?: string): void;
  /** Tells the machines' side (kernel, block devices). */
  notify(event: MachineEvent): void;
  onMachineEvent(listener: (event: MachineEvent) => void): void;
  onState(listener: (instanceId: string, state: InstanceState) => void): void;
}

export interface WorldDeps {
  time: Time;
  rng: Rng;
  durations: Durations;
  account: string;
  region: string;
  emit: (event: AwsEvent) => void;
  faults: Ec2Faults;
}

const INSTANCE_ID = /^i-([0-9a-f]{8}|[0-9a-f]{17})$/;
const VOLUME_ID = /^vol-([0-9a-f]{8}|[0-9a-f]{17})$/;

/** What has an id, by its id. */
const lookups = ({
  instances,
  volumes,
  snapshots,
}: Pick<World, 'instances' | 'volumes' | 'snapshots'>): Pick<
  World,
  'instance' | 'volume' | 'snapshot' | 'volumesOf'
> => ({
  instance(instanceId: string) {
    if (!INSTANCE_ID.test(instanceId)) {
      throw new Ec2Refusal('InvalidInstanceID.Malformed', `Invalid id: "${instanceId}"`);
    }
    const found = instances.get(instanceId);
    if (found?.visible) return found;
    const message = `The instance ID '${instanceId}' does not exist`;
    throw new Ec2Refusal('InvalidInstanceID.NotFound', message);
  },
  volume(volumeId: string) {
    if (!VOLUME_ID.test(volumeId)) {
      const message = `Value (${volumeId}) for parameter volumeId is invalid. Expected: 'vol-...'.`;
      throw new Ec2Refusal('InvalidParameterValue', message);
    }
    const found = volumes.get(volumeId);
    if (found !== undefined && found.state !== 'deleted') return found;
    throw new Ec2Refusal('InvalidVolume.NotFound', `The volume '${volumeId}' does not exist.`);
  },
  snapshot(snapshotId: string) {
    const found = snapshots.get(snapshotId);
    if (found !== undefined) return found;
    const message = `The snapshot '${snapshotId}' does not exist.`;
    throw new Ec2Refusal('InvalidSnapshot.NotFound', message);
  },
  volumesOf: (instanceId: string) =>
    [...volumes.values()].filter(({ attachments }) =>
      attachments.some((attachment) => attachment.instanceId === instanceId),
    ),
});

export const createWorld = (deps: WorldDeps): World => {
  const { account, region } = deps;
  const instances = new Map<string, Instance>();
  const volumes = new Map<string, Volume>();
  const snapshots = new Map<string, Snapshot>();
  const ids = deps.rng.fork('resource-ids');
  const requestIds = deps.rng.fork('request-ids');
  const event = createEventFactory({ ...deps, rng: deps.rng.fork('event-ids') });
  const publish = (content: EventContent): void => deps.emit(event(content));
  const machineListeners: ((event: MachineEvent) => void)[] = [];
  const stateListeners: ((instanceId: string, state: InstanceState) => void)[] = [];
  const requestId = (): string =>
    [8, 4, 4, 4, 12].map((digits) => requestIds.hex(digits)).join('-');
  const arn = (kind: string, id: string): string =>
    `arn:aws:ec2:${region}:${account}:${kind}/${id}`;

  return {
    ...deps,
    instances,
    volumes,
    snapshots,
    securityGroups: new Map([[STOCK_GROUP.groupId, STOCK_GROUP]]),
    lostZones: new Map(),
    newId: (prefix) => `${prefix}-${ids.hex(prefix === 'sir' ? 8 : 17)}`,
    requestId,
    rng: (label) => deps.rng.fork(label),
    ...lookups({ instances, volumes, snapshots }),
    instanceArn: (instanceId) => arn('instance', instanceId),
    volumeArn: (volumeId) => arn('volume', volumeId),
    enterState(instance, state) {
      instance.state = state;
      publish({
        source: 'aws.ec2',
        detailType: 'EC2 Instance State-change Notification',
        resources: [arn('instance', instance.instanceId)],
        detail: { 'instance-id': instance.instanceId, state },
      });
      for (const listener of stateListeners) listener(instance.instanceId, state);
    },
    publish,
    publishVolume(volume, name, result, cause = '') {
      const kmsKeys = volume.kmsKeyId === undefined ? [] : [volume.kmsKeyId];
      publish({
        source: 'aws.ec2',
        detailType: 'EBS Volume Notification',
        resources: [arn('volume', volume.volumeId), ...kmsKeys],
        detail: { event: name, result, cause, 'request-id': cause === '' ? requestId() : '' },
      });
    },
    notify(machineEvent) {
      for (const listener of machineListeners) listener(machineEvent);
    },
    onMachineEvent: (listener) => machineListeners.push(listener),
    onState: (listener) => stateListeners.push(listener),
  };
};
