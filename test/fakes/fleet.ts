import type { AgentId, EpochMs, InstanceId, VolumeId } from '../../src/domain/ids.ts';
import { incidentIdOf } from '../../src/domain/ids.ts';
import type { Incident } from '../../src/domain/incident.ts';
import {
  agentOf,
  appOf,
  attachmentOf,
  checksOf,
  cluster,
  instanceOf,
  signalOf,
  taskOf,
  volumeOf,
  volumeTags,
} from '../support/build.ts';
import type { World } from './world.ts';

/** An agent with a service on a volume of its own. */
export interface FleetAgent {
  readonly instanceId: InstanceId;
  readonly agentId: AgentId;
  readonly appId: string;
}

/** Adds so many agents, each watched and known to the inventory as a sweep would have left it. */
export const addFleet = async (
  world: World,
  count: number,
  zone = 'us-east-1b',
): Promise<readonly FleetAgent[]> => {
  const { cloud, clock, dcos, ledger } = world;
  const all: FleetAgent[] = [];
  for (let i = 0; i < count; i += 1) {
    const n = String(100 + i);
    const instanceId = `i-${n.padStart(17, '0')}` as InstanceId;
    const volumeId = `vol-${n.padStart(17, '0')}` as VolumeId;
    const agentId = `fleet-S${n}` as AgentId;
    const [name, privateIp] = [`db${n}`, `10.0.1.${n}`];
    const device = {
      device: '/dev/xvdf',
      volumeId,
      deleteOnTermination: false,
      status: 'attached',
    };
    cloud.instances.set(
      instanceId,
      instanceOf({ instanceId, privateIp, availabilityZone: zone, devices: [device] }),
    );
    cloud.checks.set(instanceId, checksOf());
    cloud.volumesById.set(
      volumeId,
      volumeOf({
        volumeId,
        availabilityZone: zone,
        attachments: [attachmentOf({ instanceId })],
        tags: volumeTags(name),
      }),
    );
    const app = appOf({ id: `/${name}`, externalVolumes: [{ name }] });
    dcos.listed.push(agentOf({ agentId, hostname: privateIp }));
    dcos.allApps.push(app);
    const task = taskOf({ id: `${name}.1`, appId: app.id, host: privateIp, agentId });
    dcos.allTasks.push(task);
    await ledger.watch(cluster, instanceId);
    await ledger.recordInventory(instanceId, {
      launchTime: instanceOf().launchTime,
      privateIp,
      availabilityZone: zone,
      agentIds: [agentId],
      apps: [app],
      tasks: [{ id: task.id, appId: app.id }],
      volumes: [{ volumeId, name, device: '/dev/xvdf' }],
      seenAt: clock.now(),
    });
    all.push({ instanceId, agentId, appId: app.id });
  }
  return all;
};

/** Its kernel hangs: EC2 calls it impaired for two minutes already, and it answers no probe. */
export const hangOne = (world: World, { agentId, instanceId }: FleetAgent): void => {
  const impairedSince = (world.clock.now() - 120_000) as EpochMs;
  world.cloud.checks.set(instanceId, checksOf({ system: 'impaired', impairedSince }));
  world.dcos.silent.add(agentId);
};

/** Mesos does not list it any more; its machine works on. */
export const cutOffOne = (world: World, { agentId }: FleetAgent): void => {
  world.dcos.listed = world.dcos.listed.filter((agent) => agent.agentId !== agentId);
};

/** An incident for it, bound to an execution, as AssessAgent finds it. */
export const openFor = async (
  world: World,
  { instanceId }: FleetAgent,
  n = 1,
): Promise<{ incident: Incident; executionArn: string }> => {
  const signal = signalOf({ instanceId, key: `event-${n}`, receivedAt: world.clock.now() });
  const { incident } = await world.ledger.admit(cluster, signal);
  if (incident.id !== incidentIdOf(cluster, instanceId, n)) throw new Error(incident.id);
  return { incident, executionArn: world.workflow.arnOf('failover', incident.executionName) };
};
