import { catalogMysql, webApp } from '../scenes/apps.ts';
import type { World } from '../world.ts';
import type { Approver } from './approver.ts';

/** What the world is like before anything fails. Everything here may be drawn. */
export interface Traits {
  dcosVersion: string;
  /** Agents in an Auto Scaling group that replaces what is lost. */
  group: boolean;
  /** The further agents are in it too. */
  crowdInGroup: boolean;
  /** Data volumes carry DeleteOnTermination=true, as when attached at launch. */
  deleteOnTermination: boolean;
  instanceType: string;
  disableApiStop: boolean;
  rootDeviceType: 'ebs' | 'instance-store';
  /** The failing agent's guest never ends an orderly shutdown. */
  blocksShutdown: boolean;
  multiAttach: boolean;
  kmsKeyDisabled: boolean;
  /** Volumes of the app on the failing agent; 0: an app without any. */
  volumes: number;
  /** A volume of the same name in another zone. */
  namesake: boolean;
  /** Another cluster's volume is attached to the failing agent. */
  foreignVolume: boolean;
  untaggedAgent: boolean;
  /** Machines of the cluster; probes need two that answer beside those that fail. */
  agents: number;
  /** The second agent fails too, so many seconds after the first; undefined: it stays well. */
  alsoFails: { scene: 'hung' | 'stopped' | 'terminated'; afterS: number } | undefined;
  /** Another cluster in the account, one of whose agents stops so many seconds after ours. */
  neighbourStopsS: number | undefined;
  /** Share of EC2's request buckets that others in the account use up. */
  background: number;
  /** An app was about to start on the failing agent; its volume is not there yet. */
  comingApp: boolean;
  /** Further agents, each with an app and its volume. */
  crowd: number;
  /** The failing agent's root disk carries the cluster's tag and the app volume's Name. */
  namedRoot: boolean;
  parameters: Record<string, string>;
  /** Who is asked before anything is done, and says yes; undefined: nobody is asked. */
  approver: Approver | undefined;
}

export const plainTraits: Traits = {
  dcosVersion: '2.1',
  group: false,
  crowdInGroup: false,
  deleteOnTermination: false,
  instanceType: 'm5.large',
  disableApiStop: false,
  rootDeviceType: 'ebs',
  blocksShutdown: false,
  multiAttach: false,
  kmsKeyDisabled: false,
  volumes: 1,
  namesake: false,
  foreignVolume: false,
  untaggedAgent: false,
  agents: 5,
  alsoFails: undefined,
  neighbourStopsS: undefined,
  background: 0,
  comingApp: false,
  crowd: 0,
  namedRoot: false,
  parameters: {},
  approver: undefined,
};

/** A service on volumes, and where it runs before anything fails. */
export interface SimApp {
  id: string;
  volumeIds: string[];
  instanceId: string;
}

/** Who is on stage. */
export interface SimStage {
  zone: string;
  failing: { instanceId: string; agentId: string; privateIp: string };
  /** Another agent with a volume of its own; it may fail too, and then no more is asked of it. */
  bystander: { instanceId: string; volumeId: string };
  agents: { instanceId: string; agentId: string }[];
  /** The one on the failing agent. */
  app: SimApp;
  /** Agents that fail with it, or not, as one crowd. */
  crowd: readonly SimApp[];
  /** All of them, that one first. */
  apps: readonly SimApp[];
  foreignVolumeId: string | undefined;
  /** Of the app that was about to start on the failing agent. */
  comingVolumeId: string | undefined;
  /** Another cluster's agent and volume. */
  neighbour: { instanceId: string; volumeId: string } | undefined;
}

const DEVICES = 'fghijklmnop';
const AGENT_BOOT_MS = 240_000;
export const GROUP = 'demo-SlaveServerGroup';

const volumeOf = (name: string) => ({
  containerPath: `/var/lib/${name}`,
  external: { name, provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
  mode: 'RW',
});

export const appOf = (id: string, names: readonly string[]): object => ({
  ...catalogMysql,
  id,
  container: { ...catalogMysql.container, volumes: names.map(volumeOf) },
});

const seedAgents = (world: World, zone: string, traits: Traits): SimStage['agents'] =>
  Array.from({ length: traits.agents }, (_, index) => {
    const cluster = { 'ebs-failover:cluster': world.infra.parameters.ClusterName ?? '' };
    const fails = index === 0;
    const { instanceType, disableApiStop, rootDeviceType, blocksShutdown } = traits;
    const special = { instanceType, disableApiStop, rootDeviceType, blocksShutdown };
    const instanceId = world.ec2.seedInstance({
      availabilityZone: zone,
      tags: { ...(fails && traits.untaggedAgent ? {} : cluster), role: 'mesos-slave' },
      ...(fails ? special : {}),
    });
    return { instanceId, agentId: world.dcos.addAgent({ instanceId }) };
  });

const seedVolumes = (
  world: World,
  zone: string,
  instanceId: string,
  names: readonly string[],
  traits: Partial<Traits>,
): string[] =>
  names.map((name, index) =>
    world.ec2.seedVolume({
      availabilityZone: zone,
      name,
      multiAttach: traits.multiAttach ?? false,
      ...(traits.kmsKeyDisabled ? { kmsKeyId: 'key-1', kmsKeyDisabled: true } : {}),
      attachedTo: {
        instanceId,
        device: `/dev/xvd${DEVICES[index] ?? 'z'}`,
        deleteOnTermination: traits.deleteOnTermination ?? false,
      },
    }),
  );

/** Another cluster beside ours: machines and a volume like ours, under another name. */
const seedNeighbour = (world: World, zone: string): NonNullable<SimStage['neighbour']> => {
  const tags = { 'ebs-failover:cluster': 'other', role: 'mesos-slave' };
  const instanceId = world.ec2.seedInstance({ availabilityZone: zone, tags });
  const volumeId = world.ec2.seedVolume({
    availabilityZone: zone,
    name: 'ledger',
    tags: { 'ebs-failover:cluster': 'other' },
    attachedTo: { instanceId, device: '/dev/xvdf' },
  });
  return { instanceId, volumeId };
};

const nameRoot = (world: World, instanceId: string): void => {
  const { instances } = world.ec2.truth();
  const root = instances.find((i) => i.instanceId === instanceId)?.rootDeviceName;
  const disk = world.ec2
    .volumes()
    .find(({ attachments: [a] }) => a?.instanceId === instanceId && a.device === root);
  const cluster = world.infra.parameters.ClusterName ?? '';
  if (disk) world.ec2.tag(disk.volumeId, { Name: 'mysql', 'ebs-failover:cluster': cluster });
};

/** Agents beside the others, each with an app and a volume of its own. */
const seedCrowd = (world: World, zone: string, count: number): SimApp[] =>
  Array.from({ length: count }, (_, index) => {
    const cluster = { 'ebs-failover:cluster': world.infra.parameters.ClusterName ?? '' };
    const tags = { ...cluster, role: 'mesos-slave' };
    const instanceId = world.ec2.seedInstance({ availabilityZone: zone, tags });
    world.dcos.addAgent({ instanceId });
    const name = `crowd-${index}`;
    const volumeIds = seedVolumes(world, zone, instanceId, [name], {});
    world.dcos.placeApp(appOf(`/${name}`, [name]), instanceId);
    return { id: `/${name}`, volumeIds, instanceId };
  });

/** Replaces what is lost, as DC/OS's own templates have it: min, max and desired are the same. */
const seedGroup = (
  world: World,
  zone: string,
  members: readonly { instanceId: string }[],
): void => {
  world.autoscaling.seedGroup({
    name: GROUP,
    availabilityZones: [zone],
    instanceIds: members.map(({ instanceId }) => instanceId),
    tags: {
      'ebs-failover:cluster': world.infra.parameters.ClusterName ?? '',
      role: 'mesos-slave',
    },
  });
  world.autoscaling.onLaunched((instanceId) => {
    world.dcos.addAgent({ instanceId, bootMs: AGENT_BOOT_MS });
  });
};

/** An app that has just been launched on that agent, and an adopted volume that is on its way. */
const seedComing = (world: World, zone: string, instanceId: string): SimApp => {
  const volumeId = world.ec2.seedVolume({
    availabilityZone: zone,
    name: 'coming',
    tags: { 'ebs-failover:cluster': world.infra.parameters.ClusterName ?? '' },
  });
  return { id: '/coming', volumeIds: [volumeId], instanceId };
};

/**
 * One zone of a cluster: the first agent will fail, with the app under test and a web app on it;
 * the second serves another app with a volume.
 */
export const setSimStage = (world: World, traits: Traits): SimStage => {
  const zone = `${world.infra.region}a`;
  const agents = seedAgents(world, zone, traits);
  const [first, second] = agents;
  if (!first || !second) throw new RangeError('a cluster without agents');
  const names = Array.from({ length: traits.volumes }, (_, i) =>
    i === 0 ? 'mysql' : `mysql-${i}`,
  );
  const volumeIds = seedVolumes(world, zone, first.instanceId, names, traits);
  const orders = seedVolumes(world, zone, second.instanceId, ['orders'], {});
  const [other = ''] = orders;
  if (names.length > 0) world.dcos.placeApp(appOf('/mysql', names), first.instanceId);
  world.dcos.placeApp(webApp, first.instanceId);
  world.dcos.placeApp(appOf('/orders', ['orders']), second.instanceId);
  if (traits.namesake) {
    world.ec2.seedVolume({ availabilityZone: `${world.infra.region}b`, name: 'mysql' });
  }
  const foreignVolumeId = traits.foreignVolume
    ? world.ec2.seedVolume({
        availabilityZone: zone,
        name: 'mysql',
        tags: { 'ebs-failover:cluster': 'other' },
        attachedTo: { instanceId: first.instanceId, device: '/dev/xvdz' },
      })
    : undefined;
  if (traits.namedRoot) nameRoot(world, first.instanceId);
  const crowd = seedCrowd(world, zone, traits.crowd);
  if (traits.group) seedGroup(world, zone, [...agents, ...(traits.crowdInGroup ? crowd : [])]);
  const neighbour = traits.neighbourStopsS === undefined ? undefined : seedNeighbour(world, zone);
  world.ec2.background(traits.background);
  for (const { instanceId } of [...agents, ...crowd]) {
    world.alarms.watch(instanceId, 'StatusCheckFailed');
  }
  const app = { id: '/mysql', volumeIds, instanceId: first.instanceId };
  const coming = traits.comingApp ? [seedComing(world, zone, first.instanceId)] : [];
  const privateIp = world.ec2.machine(first.instanceId)?.privateIp ?? '';
  return {
    zone,
    failing: { ...first, privateIp },
    bystander: { instanceId: second.instanceId, volumeId: other },
    agents,
    app,
    crowd,
    apps: [
      app,
      { id: '/orders', volumeIds: orders, instanceId: second.instanceId },
      ...coming,
      ...crowd,
    ],
    foreignVolumeId,
    comingVolumeId: coming[0]?.volumeIds[0],
    neighbour,
  };
};
