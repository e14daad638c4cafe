import type { Instance, SpotRequest, Volume } from './model.ts';
import { wholeSecond, zoneIndexOf } from './model.ts';
import { STOCK_GROUP } from './security-groups.ts';
import type { World } from './world.ts';

/** A machine to be put into the world. Everything omitted is as the stock DC/OS template has it. */
export interface InstanceSpec {
  availabilityZone: string;
  /** `i-` and 8 or 17 hex digits. */
  instanceId?: string;
  instanceType?: string;
  privateIp?: string;
  tags?: Record<string, string>;
  /** Epoch ms; default: an hour ago. */
  launchTime?: number;
  spot?: 'one-time' | 'persistent';
  /** Its Spot request belongs to a fleet, a launch group or a zone group. */
  spotInFleet?: boolean;
  /** Its persistent request starts it again so long after anybody stopped it; default: never. */
  spotRestartMs?: number;
  rootDeviceType?: Instance['rootDeviceType'];
  disableApiStop?: boolean;
  disableApiTermination?: boolean;
  blocksShutdown?: boolean;
  state?: 'running' | 'stopped';
}

/** A volume to be put into the world, free or already attached. */
export interface VolumeSpec {
  availabilityZone: string;
  sizeGiB?: number;
  /** `vol-` and 8 or 17 hex digits. */
  volumeId?: string;
  /** The `Name` tag, the only one REX-Ray writes. */
  name?: string;
  tags?: Record<string, string>;
  volumeType?: string;
  multiAttach?: boolean;
  kmsKeyId?: string;
  kmsKeyDisabled?: boolean;
  attachedTo?: { instanceId: string; device: string; deleteOnTermination?: boolean };
}

/** Root and data disk of the stock template's agents, both deleted with the instance. */
const STOCK_DISKS = [
  { device: '/dev/xvda', sizeGiB: 150 },
  { device: '/dev/xvdb', sizeGiB: 80 },
] as const;
const ROOT_DEVICE = STOCK_DISKS[0].device;
const HOUR_MS = 3_600_000;

const VPC_ID = 'vpc-0d0c0510000000001';

/** One subnet for each zone, `10.0.<16 x zone>.0/20`. */
export const subnetOf = (availabilityZone: string): string =>
  `subnet-0d0c05100000000a${zoneIndexOf(availabilityZone)}`;

const freeIp = (world: World, availabilityZone: string): string => {
  const living = [...world.instances.values()].filter(({ state }) => state !== 'terminated');
  const taken = new Set(living.map(({ privateIp }) => privateIp));
  const draw = world.rng(`private-ip/${world.instances.size}`);
  for (;;) {
    const third = zoneIndexOf(availabilityZone) * 16 + draw.int(0, 15);
    const ip = `10.0.${third}.${draw.int(4, 254)}`;
    if (!taken.has(ip)) return ip;
  }
};

const spotRequest = (world: World, type: SpotRequest['type'], spec: InstanceSpec): SpotRequest => ({
  requestId: world.newId('sir'),
  type,
  state: 'active',
  status: 'fulfilled',
  statusTime: world.time.now(),
  createTime: world.time.now(),
  inFleet: spec.spotInFleet ?? false,
  restartMs: spec.spotRestartMs,
});

/** Adds a machine with the stock template's disks; neither event nor boot. */
export const addInstance = (world: World, spec: InstanceSpec): Instance => {
  const { availabilityZone, spot, state = 'running' } = spec;
  const now = world.time.now();
  const instance: Instance = {
    instanceId: spec.instanceId ?? world.newId('i'),
    reservationId: world.newId('r'),
    imageId: 'ami-0d0c0510000000001',
    instanceType: spec.instanceType ?? 'm5.large',
    availabilityZone,
    subnetId: subnetOf(availabilityZone),
    vpcId: VPC_ID,
    privateIp: spec.privateIp ?? freeIp(world, availabilityZone),
    launchTime: wholeSecond(spec.launchTime ?? now - HOUR_MS),
    state,
    stateReason: undefined,
    transitionReason: '',
    tags: { ...spec.tags },
    spot: spot && spotRequest(world, spot, spec),
    rootDeviceType: spec.rootDeviceType ?? 'ebs',
    rootDeviceName: ROOT_DEVICE,
    disableApiStop: spec.disableApiStop ?? false,
    disableApiTermination: spec.disableApiTermination ?? false,
    powered: state === 'running',
    kernel: 'ok',
    shuttingDown: false,
    blocksShutdown: spec.blocksShutdown ?? false,
    hostLost: false,
    instanceCheckFails: false,
    autoRecovery: 'default',
    rebootMigration: 'default',
    securityGroups: [STOCK_GROUP.groupId],
    statusChecked: true,
    impairedSince: undefined,
    systemImpaired: false,
    ebsImpairedSince: undefined,
    poisonedDevices: [],
    scheduled: [],
    visible: true,
  };
  if (world.instances.has(instance.instanceId)) {
    throw new RangeError(`instance ${instance.instanceId} exists already`);
  }
  world.instances.set(instance.instanceId, instance);
  world.instance(instance.instanceId); // a malformed id would be refused by every later request
  const hasStoreRoot = instance.rootDeviceType === 'instance-store';
  for (const { device, sizeGiB } of STOCK_DISKS) {
    if (hasStoreRoot && device === ROOT_DEVICE) continue;
    const attachedTo = { instanceId: instance.instanceId, device, deleteOnTermination: true };
    addVolume(world, { availabilityZone, sizeGiB, attachedTo });
  }
  return instance;
};

/** Adds a volume that is already there. Attached later than launch, its flag defaults to false. */
export const addVolume = (world: World, spec: VolumeSpec): Volume => {
  const { attachedTo } = spec;
  const name = spec.name === undefined ? {} : { Name: spec.name };
  const volume: Volume = {
    volumeId: spec.volumeId ?? world.newId('vol'),
    availabilityZone: spec.availabilityZone,
    sizeGiB: spec.sizeGiB ?? 16,
    volumeType: spec.volumeType ?? 'gp2',
    iops: undefined,
    snapshotId: '',
    createTime: world.time.now(),
    state: attachedTo === undefined ? 'available' : 'in-use',
    attachments: [],
    tags: { ...name, ...spec.tags },
    multiAttach: spec.multiAttach ?? false,
    kmsKeyId: spec.kmsKeyId,
    kmsKeyDisabled: spec.kmsKeyDisabled ?? false,
    ioEnabled: true,
    ioPaused: false,
    modification: undefined,
    managedBy: undefined,
    mounted: false,
  };
  if (world.volumes.has(volume.volumeId)) {
    throw new RangeError(`volume ${volume.volumeId} exists already`);
  }
  if (attachedTo !== undefined) {
    volume.attachments.push({
      instanceId: world.instance(attachedTo.instanceId).instanceId,
      device: attachedTo.device,
      state: 'attached',
      attachTime: wholeSecond(world.time.now()),
      deleteOnTermination: attachedTo.deleteOnTermination ?? false,
      forced: false,
    });
  }
  world.volumes.set(volume.volumeId, volume);
  world.volume(volume.volumeId);
  return volume;
};

/** Adds a machine that is about to boot, as RunInstances and Auto Scaling do. */
export const addBooting = (world: World, spec: InstanceSpec): Instance => {
  const launchTime = world.time.now();
  const instance = addInstance(world, { ...spec, launchTime, state: 'stopped' });
  instance.statusChecked = false;
  return instance;
};
