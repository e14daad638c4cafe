import { isoTime } from '../../core/time.ts';
import type { XmlElement } from '../query-protocol.ts';
import type { FilterFields } from './filters.ts';
import type { Attachment, Instance, InstanceState, Snapshot, Volume } from './model.ts';
import { attachmentOf, hypervisorOf, STATE_CODES, zoneIdOf } from './model.ts';
import { scheduledEventView } from './scheduled-events.ts';
import { groupsView } from './security-groups.ts';
import type { World } from './world.ts';

/** How the API tells the true state: element names of the EC2 query protocol. */

export const stateView = (state: InstanceState): XmlElement => ({
  code: STATE_CODES[state],
  name: state,
});

const tagsView = (tags: Record<string, string>): XmlElement[] =>
  Object.entries(tags).map(([key, value]) => ({ key, value }));

/** `busy` is known to DescribeVolumes only; the instance still says `detaching`. */
const mappingStatus = (state: Attachment['state']): string =>
  state === 'busy' ? 'detaching' : state;

export const mappingsView = (world: World, instance: Instance): XmlElement[] =>
  world.volumesOf(instance.instanceId).flatMap((volume) => {
    const attachment = attachmentOf(volume, instance.instanceId);
    if (attachment === undefined) return [];
    const { device, attachTime, deleteOnTermination } = attachment;
    const ebs = {
      volumeId: volume.volumeId,
      status: mappingStatus(attachment.state),
      attachTime: isoTime(attachTime),
      deleteOnTermination,
    };
    return [{ deviceName: device, ebs }];
  });

const privateDnsName = (world: World, instance: Instance): string => {
  const domain = world.region === 'us-east-1' ? 'ec2.internal' : `${world.region}.compute.internal`;
  return `ip-${instance.privateIp.replaceAll('.', '-')}.${domain}`;
};

const instanceView = (world: World, instance: Instance): XmlElement => {
  const gone = instance.state === 'terminated';
  return {
    instanceId: instance.instanceId,
    imageId: instance.imageId,
    instanceState: stateView(instance.state),
    privateDnsName: gone ? '' : privateDnsName(world, instance),
    dnsName: '',
    reason: instance.transitionReason,
    amiLaunchIndex: 0,
    productCodes: [],
    instanceType: instance.instanceType,
    launchTime: isoTime(instance.launchTime),
    placement: {
      availabilityZone: instance.availabilityZone,
      availabilityZoneId: zoneIdOf(instance.availabilityZone),
      groupName: '',
      tenancy: 'default',
    },
    monitoring: { state: 'disabled' },
    subnetId: gone ? undefined : instance.subnetId,
    vpcId: gone ? undefined : instance.vpcId,
    privateIpAddress: gone ? undefined : instance.privateIp,
    groupSet: gone ? [] : groupsView(world, instance),
    stateReason: instance.stateReason && { ...instance.stateReason },
    architecture: 'x86_64',
    rootDeviceType: instance.rootDeviceType,
    rootDeviceName: instance.rootDeviceName,
    blockDeviceMapping: mappingsView(world, instance),
    virtualizationType: 'hvm',
    instanceLifecycle: instance.spot && 'spot',
    spotInstanceRequestId: instance.spot?.requestId,
    tagSet: tagsView(instance.tags),
    // Says `xen` for Nitro too (API reference); DescribeInstanceTypes tells the truth.
    hypervisor: 'xen',
    networkInterfaceSet: [],
    ebsOptimized: false,
    maintenanceOptions: {
      autoRecovery: instance.autoRecovery,
      rebootMigration: instance.rebootMigration,
    },
  };
};

/** One reservation for each instance. */
export const reservationView = (world: World, instance: Instance): XmlElement => ({
  reservationId: instance.reservationId,
  ownerId: world.account,
  groupSet: [],
  instancesSet: [instanceView(world, instance)],
});

export const attachmentView = (volume: Volume, attachment: Attachment): XmlElement => ({
  volumeId: volume.volumeId,
  instanceId: attachment.instanceId,
  device: attachment.device,
  status: attachment.state,
  attachTime: isoTime(attachment.attachTime),
  deleteOnTermination: attachment.deleteOnTermination,
});

export const volumeView = (volume: Volume): XmlElement => ({
  volumeId: volume.volumeId,
  size: volume.sizeGiB,
  snapshotId: volume.snapshotId,
  availabilityZone: volume.availabilityZone,
  availabilityZoneId: zoneIdOf(volume.availabilityZone),
  status: volume.state,
  createTime: isoTime(volume.createTime),
  attachmentSet: volume.attachments.map((attachment) => attachmentView(volume, attachment)),
  tagSet: tagsView(volume.tags),
  volumeType: volume.volumeType,
  iops: volume.iops,
  encrypted: volume.kmsKeyId !== undefined,
  kmsKeyId: volume.kmsKeyId,
  multiAttachEnabled: volume.multiAttach,
  operator: {
    managed: volume.managedBy !== undefined,
    principal: volume.managedBy,
  },
});

type Reachability = 'passed' | 'failed' | 'initializing' | 'insufficient-data';
const SUMMARY: Record<Reachability, string> = {
  passed: 'ok',
  failed: 'impaired',
  initializing: 'initializing',
  'insufficient-data': 'insufficient-data',
};

const checkView = (reachability: Reachability, impairedSince?: number): XmlElement => {
  const since = reachability === 'failed' ? impairedSince : undefined;
  const details = {
    name: 'reachability',
    status: reachability,
    impairedSince: since === undefined ? undefined : isoTime(since),
  };
  return { status: SUMMARY[reachability], details: [details] };
};

/** Reachability as of the latest check. A reboot fails the instance check, not the system's. */
const reachabilityOf = (
  instance: Instance,
): Record<'system' | 'instance' | 'attachedEbs', Reachability> | undefined => {
  if (instance.state !== 'running') return undefined;
  const { statusChecked, impairedSince, systemImpaired, ebsImpairedSince } = instance;
  const of = (failed: boolean): Reachability => {
    if (!statusChecked) return 'initializing';
    return failed ? 'failed' : 'passed';
  };
  const impaired = impairedSince !== undefined;
  return {
    system: of(impaired && systemImpaired),
    instance: of(impaired),
    attachedEbs: of(ebsImpairedSince !== undefined),
  };
};

const NOT_APPLICABLE: XmlElement = { status: 'not-applicable' };

export const statusView = (instance: Instance): XmlElement => {
  const checks = reachabilityOf(instance);
  const since = instance.impairedSince;
  return {
    instanceId: instance.instanceId,
    availabilityZone: instance.availabilityZone,
    availabilityZoneId: zoneIdOf(instance.availabilityZone),
    instanceState: stateView(instance.state),
    systemStatus: checks ? checkView(checks.system, since) : NOT_APPLICABLE,
    instanceStatus: checks ? checkView(checks.instance, since) : NOT_APPLICABLE,
    attachedEbsStatus: checks
      ? checkView(checks.attachedEbs, instance.ebsImpairedSince)
      : NOT_APPLICABLE,
    eventsSet: instance.scheduled.map(scheduledEventView),
  };
};

export const snapshotView = (snapshot: Snapshot, account: string): XmlElement => ({
  snapshotId: snapshot.snapshotId,
  volumeId: snapshot.volumeId,
  status: 'completed',
  startTime: isoTime(snapshot.startTime),
  progress: '100%',
  ownerId: account,
  volumeSize: snapshot.volumeSize,
  description: snapshot.description,
  tagSet: tagsView(snapshot.tags),
});

export const instanceTypeView = (instanceType: string): XmlElement => ({
  instanceType,
  hypervisor: hypervisorOf(instanceType),
  bareMetal: hypervisorOf(instanceType) === undefined,
});

export const instanceFilters = (world: World): FilterFields<Instance> => ({
  'instance-id': ({ instanceId }) => [instanceId],
  'instance-state-name': ({ state }) => [state],
  'instance-state-code': ({ state }) => [String(STATE_CODES[state])],
  'instance-type': ({ instanceType }) => [instanceType],
  'instance-lifecycle': ({ spot }) => [spot && 'spot'],
  'availability-zone': ({ availabilityZone }) => [availabilityZone],
  'availability-zone-id': ({ availabilityZone }) => [zoneIdOf(availabilityZone)],
  'private-ip-address': ({ privateIp, state }) => [state === 'terminated' ? undefined : privateIp],
  'private-dns-name': (instance) => [privateDnsName(world, instance)],
  'vpc-id': ({ vpcId, state }) => [state === 'terminated' ? undefined : vpcId],
  'subnet-id': ({ subnetId, state }) => [state === 'terminated' ? undefined : subnetId],
  'instance.group-id': ({ securityGroups }) => securityGroups,
  'image-id': ({ imageId }) => [imageId],
  'root-device-name': ({ rootDeviceName }) => [rootDeviceName],
  'root-device-type': ({ rootDeviceType }) => [rootDeviceType],
  'launch-time': ({ launchTime }) => [isoTime(launchTime)],
  'block-device-mapping.volume-id': ({ instanceId }) =>
    world.volumesOf(instanceId).map(({ volumeId }) => volumeId),
});

export const statusFilters: FilterFields<Instance> = {
  'availability-zone': ({ availabilityZone }) => [availabilityZone],
  'instance-state-name': ({ state }) => [state],
  'instance-state-code': ({ state }) => [String(STATE_CODES[state])],
  'event.code': ({ scheduled }) => scheduled.map(({ code }) => code),
  'event.instance-event-id': ({ scheduled }) => scheduled.map(({ eventId }) => eventId),
  'instance-status.reachability': (instance) => [reachabilityOf(instance)?.instance],
  'instance-status.status': (instance) => {
    const checks = reachabilityOf(instance);
    return [checks ? SUMMARY[checks.instance] : 'not-applicable'];
  },
  'attached-ebs-status.status': (instance) => {
    const checks = reachabilityOf(instance);
    return [checks ? SUMMARY[checks.attachedEbs] : 'not-applicable'];
  },
  'system-status.reachability': (instance) => [reachabilityOf(instance)?.system],
  'system-status.status': (instance) => {
    const checks = reachabilityOf(instance);
    return [checks ? SUMMARY[checks.system] : 'not-applicable'];
  },
};

export const volumeFilters: FilterFields<Volume> = {
  'attachment.instance-id': ({ attachments }) => attachments.map(({ instanceId }) => instanceId),
  'attachment.device': ({ attachments }) => attachments.map(({ device }) => device),
  'attachment.status': ({ attachments }) => attachments.map(({ state }) => state),
  'attachment.delete-on-termination': ({ attachments }) =>
    attachments.map(({ deleteOnTermination }) => String(deleteOnTermination)),
  'availability-zone': ({ availabilityZone }) => [availabilityZone],
  'create-time': ({ createTime }) => [isoTime(createTime)],
  encrypted: ({ kmsKeyId }) => [String(kmsKeyId !== undefined)],
  'multi-attach-enabled': ({ multiAttach }) => [String(multiAttach)],
  size: ({ sizeGiB }) => [String(sizeGiB)],
  'snapshot-id': ({ snapshotId }) => [snapshotId],
  status: ({ state }) => [state],
  'volume-id': ({ volumeId }) => [volumeId],
  'volume-type': ({ volumeType }) => [volumeType],
};
