import type { HookSpec } from '../services/autoscaling/hook-actions.ts';
import type { InstanceSpec } from '../services/ec2/launch.ts';
import type { World } from '../world.ts';
import { appIdOf, catalogMysql, externalVolumeNames, webApp, withVolumes } from './apps.ts';

/** Who is on stage before anything fails. */
export interface Stage {
  zone: string;
  /** The agent that will fail, first of all agents. */
  failing: { instanceId: string; agentId: string; privateIp: string; launchTime: number };
  agents: { instanceId: string; agentId: string; privateIp: string }[];
  app: { id: string; volumeIds: string[] };
  /** Further agents, each with an app and volumes of its own. */
  crowd: { instanceId: string; appId: string }[];
}

export interface StageOptions {
  /** The failing agent's id; drawn from the seed if left out. */
  instanceId?: string;
  /** A Marathon definition instead of the catalog's MySQL. */
  app?: object;
  /** Put the agents into an Auto Scaling group that replaces what is lost. */
  group: boolean;
  /** Watch every agent's status checks. */
  alarms: boolean;
  /** What is special about the failing agent's machine. */
  machine?: Partial<InstanceSpec>;
  /** Lifecycle hooks of the group. */
  hooks?: readonly HookSpec[];
  /** Further agents with an app each. */
  crowd?: number;
  /** How many volumes each of their apps has; one, if left out. */
  volumesEach?: number;
  /** Agents without anything on them. */
  spares?: number;
}

const AGENTS = 4;
const DEVICES = 'fghijklmnop';
/** How long a new machine of the group needs to install DC/OS and register. */
const AGENT_BOOT_MS = 240_000;

const clusterTag = (world: World): Record<string, string> => ({
  'ebs-failover:cluster': world.infra.parameters.ClusterName ?? 'demo',
  role: 'mesos-slave',
});

const seedAgents = (world: World, zone: string, first: Partial<InstanceSpec>) =>
  Array.from({ length: AGENTS }, (_, index) => {
    const instanceId = world.ec2.seedInstance({
      availabilityZone: zone,
      tags: { ...clusterTag(world), Name: `demo-agent-${index + 1}` },
      ...(index === 0 ? first : {}),
    });
    const agentId = world.dcos.addAgent({ instanceId });
    const machine = world.ec2.machine(instanceId);
    if (machine === undefined) throw new RangeError(`${instanceId} vanished`);
    return { instanceId, agentId, privateIp: machine.privateIp, launchTime: machine.launchTime };
  });

const seedAgent = (world: World, zone: string, name: string): string => {
  const tags = { ...clusterTag(world), Name: `demo-${name}` };
  const instanceId = world.ec2.seedInstance({ availabilityZone: zone, tags });
  world.dcos.addAgent({ instanceId });
  return instanceId;
};

const seedCrowd = (world: World, zone: string, options: StageOptions): Stage['crowd'] =>
  Array.from({ length: options.crowd ?? 0 }, (_, index) => {
    const instanceId = seedAgent(world, zone, `crowd-${index + 1}`);
    const names = Array.from(
      { length: options.volumesEach ?? 1 },
      (_, i) => `db-${index + 1}-${i}`,
    );
    for (const [i, name] of names.entries()) {
      const device = `/dev/xvd${DEVICES[i] ?? 'z'}`;
      const attachedTo = { instanceId, device };
      world.ec2.seedVolume({ availabilityZone: zone, sizeGiB: 16, name, attachedTo });
    }
    const definition = withVolumes(`/db-${index + 1}`, names);
    world.dcos.placeApp(definition, instanceId);
    return { instanceId, appId: appIdOf(definition) };
  });

/**
 * A DC/OS cluster as the stock template makes it: private agents in one zone with root and data
 * disk, the app under test and something else on the first one. REX-Ray has written `Name` and
 * nothing more on the app's volumes.
 */
export const setStage = (world: World, options: StageOptions): Stage => {
  const zone = `${world.infra.region}a`;
  const { instanceId, machine } = options;
  const first = { ...machine, ...(instanceId === undefined ? {} : { instanceId }) };
  const agents = seedAgents(world, zone, first);
  const [failing] = agents;
  if (failing === undefined) throw new RangeError('a cluster without agents');
  const definition = options.app ?? catalogMysql;
  const volumeIds = externalVolumeNames(definition).map((name, index) =>
    world.ec2.seedVolume({
      availabilityZone: zone,
      sizeGiB: 16,
      name,
      attachedTo: { instanceId: failing.instanceId, device: `/dev/xvd${DEVICES[index] ?? 'f'}` },
    }),
  );
  world.dcos.placeApp(definition, failing.instanceId);
  world.dcos.placeApp(webApp, failing.instanceId);
  if (options.group) {
    world.autoscaling.seedGroup({
      name: 'demo-SlaveServerGroup',
      availabilityZones: [zone],
      instanceIds: agents.map(({ instanceId }) => instanceId),
      tags: clusterTag(world),
      ...(options.hooks === undefined ? {} : { hooks: options.hooks }),
    });
    world.autoscaling.onLaunched((instanceId) => {
      world.dcos.addAgent({ instanceId, bootMs: AGENT_BOOT_MS });
    });
  }
  const crowd = seedCrowd(world, zone, options);
  for (let i = 1; i <= (options.spares ?? 0); i++) seedAgent(world, zone, `spare-${i}`);
  if (options.alarms) {
    for (const { instanceId } of [...agents, ...crowd])
      world.alarms.watch(instanceId, 'StatusCheckFailed');
  }
  return { zone, failing, agents, app: { id: appIdOf(definition), volumeIds }, crowd };
};
