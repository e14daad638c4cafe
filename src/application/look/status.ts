import type { EpochMs, InstanceId } from '../../domain/ids.ts';
import type { Incident } from '../../domain/incident.ts';
import { type Instance, type StatusChecks, tagValue, type Volume } from '../../domain/machine.ts';
import type { Ownership } from '../../domain/ownership.ts';
import type { Quarantine } from '../../domain/quarantine.ts';
import { isOfCluster, isRoot, type Scope, whyNotOurs } from '../../domain/scope.ts';
import type { Inventory, MesosAgent, Task } from '../../domain/service.ts';
import { queueOf, type Storm } from '../../domain/storm.ts';
import { isImpaired } from '../../domain/verdict.ts';
import type { ComputeReads } from '../../ports/compute.ts';
import type { ClusterLedger, Control, OwnershipLedger, StormLedger } from '../../ports/ledger.ts';
import type { Orchestrator } from '../../ports/orchestrator.ts';
import { inTurns } from './in-turns.ts';
import { type IncidentsDeps, lineOf, readOpen } from './incidents.ts';

export interface StatusDeps extends IncidentsDeps {
  readonly ledger: IncidentsDeps['ledger'] &
    Pick<ClusterLedger, 'control' | 'inventory' | 'slot'> &
    Pick<OwnershipLedger, 'ownership'> &
    Pick<StormLedger, 'storm'>;
  readonly compute: Pick<
    ComputeReads,
    'instancesOfCluster' | 'statusChecksOf' | 'volumesOfInstances'
  >;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'tasks'>;
  readonly scope: Scope;
}

/** EC2's side of it; nothing, where EC2 cannot be read. */
interface Machines {
  readonly instances: readonly Instance[];
  readonly checks: ReadonlyMap<InstanceId, StatusChecks>;
  readonly volumes: readonly Volume[];
}

/** DC/OS's side of it. */
interface Services {
  /** undefined: the masters could not be asked. */
  readonly agents: readonly MesosAgent[] | undefined;
  readonly tasks: readonly Task[];
}

/** What is in trouble is said, and the rest shown all the same. */
const or = async <Answer>(
  reading: Promise<Answer>,
  instead: Answer,
  who: string,
  trouble: string[],
): Promise<Answer> => {
  try {
    return await reading;
  } catch (error) {
    trouble.push(`${who}: ${error instanceof Error ? error.message : String(error)}`);
    return instead;
  }
};

const readMachines = async ({ compute, scope }: StatusDeps): Promise<Machines> => {
  const tagged = await compute.instancesOfCluster();
  const instances = tagged.filter(({ tags }) => whyNotOurs(tags, scope) === undefined);
  const running = instances.filter(({ state }) => state === 'running');
  const [checks, volumes] = await Promise.all([
    compute.statusChecksOf(running.map(({ instanceId }) => instanceId)),
    compute.volumesOfInstances(instances.map(({ instanceId }) => instanceId)),
  ]);
  return { instances, checks, volumes };
};

const readServices = async ({ orchestrator }: StatusDeps, trouble: string[]): Promise<Services> => {
  const [agents, tasks] = await Promise.all([
    or<readonly MesosAgent[] | undefined>(orchestrator.agents(), undefined, 'Mesos', trouble),
    or<readonly Task[]>(orchestrator.tasks(), [], 'Marathon', trouble),
  ]);
  return { agents, tasks };
};

const checksOf = (checks: StatusChecks | undefined) => {
  if (checks === undefined) return 'none';
  if (isImpaired(checks)) return 'impaired';
  const both = [checks.system, checks.instance];
  if (both.every((check) => check === 'ok')) return 'ok';
  return both.includes('initializing') ? 'initializing' : 'unclear';
};

const mesosOf = (agents: Services['agents'], agent: MesosAgent | undefined) => {
  if (agents === undefined) return 'unread';
  if (agent === undefined) return 'not-listed';
  if (agent.deactivated) return 'deactivated';
  return agent.active && !agent.recovered ? 'active' : 'inactive';
};

/** What is known of the cluster beside its machines. */
interface Known {
  readonly services: Services;
  readonly open: readonly Incident[];
  readonly quarantines: readonly Quarantine[];
}

const agentLine = (instance: Instance, { checks, volumes }: Machines, cluster: string) => {
  const name = tagValue(instance.tags, 'Name');
  const here = volumes.filter(
    (volume) =>
      isOfCluster(volume, cluster) &&
      !isRoot(volume, instance) &&
      volume.attachments.some(({ instanceId }) => instanceId === instance.instanceId),
  );
  return {
    instanceId: instance.instanceId,
    ...(name === undefined ? {} : { name }),
    state: instance.state as string,
    availabilityZone: instance.availabilityZone,
    ...(instance.privateIp === undefined ? {} : { privateIp: instance.privateIp }),
    launchTime: instance.launchTime,
    checks: checksOf(checks.get(instance.instanceId)),
    volumeIds: here.map(({ volumeId }) => volumeId),
  } as const;
};

/** Seen well once, and EC2 does not list it: what the ledger remembers has to do. */
const missingLine = (instanceId: InstanceId, inventory: Inventory | undefined, state: string) =>
  ({
    instanceId,
    state,
    ...(inventory === undefined
      ? {}
      : {
          availabilityZone: inventory.availabilityZone,
          ...(inventory.privateIp === undefined ? {} : { privateIp: inventory.privateIp }),
          launchTime: inventory.launchTime,
        }),
    checks: 'none',
    volumeIds: [],
  }) as const;

const withKnown = <Line extends { instanceId: InstanceId; state: string; privateIp?: string }>(
  line: Line,
  { open, quarantines, services }: Known,
) => {
  // The address of a machine that is gone may be another's by now.
  const isGone = line.state === 'terminated' || line.state === 'unknown';
  const agent = isGone
    ? undefined
    : services.agents?.find(({ hostname }) => hostname === line.privateIp);
  const tasks = isGone ? [] : services.tasks.filter(({ host }) => host === line.privateIp);
  const incident = open.find(({ instanceId }) => instanceId === line.instanceId);
  const host = quarantines.find(({ instanceId }) => instanceId === line.instanceId);
  return {
    ...line,
    mesos: mesosOf(services.agents, agent),
    ...(agent === undefined ? {} : { agentId: agent.agentId }),
    appIds: [...new Set(tasks.map(({ appId }) => appId))].sort(),
    ...(incident === undefined ? {} : { incidentId: incident.id }),
    quarantined: host !== undefined && host.lifted === undefined,
  } as const;
};

const volumeLine = (volume: Volume, record: Ownership | undefined) => ({
  volumeId: volume.volumeId,
  name: tagValue(volume.tags, 'Name') ?? record?.name ?? '',
  state: volume.state,
  availabilityZone: volume.availabilityZone,
  attachedTo: volume.attachments.map(({ instanceId }) => instanceId),
  ...(record === undefined
    ? {}
    : {
        ownership: record.state,
        epoch: record.epoch,
        ...(record.owner === undefined ? {} : { owner: record.owner }),
        ...(record.incidentId === undefined ? {} : { incidentId: record.incidentId }),
      }),
});

/** What keeps work back. Pure. */
const brakesOf = (
  control: Control,
  storm: Storm,
  slot: string | undefined,
  quarantines: readonly Quarantine[],
  now: EpochMs,
) => {
  const { maintenance, paused, shiftedZones = {}, stormAcknowledged } = control;
  const over = paused?.until !== undefined && now >= paused.until;
  const waved = stormAcknowledged !== undefined && now < stormAcknowledged.until;
  return {
    ...(paused === undefined ? {} : { paused: { ...paused, over } }),
    maintenance: Object.entries(maintenance)
      .filter(([, { until }]) => now < until)
      .map(([instanceId, { by, until }]) => ({ instanceId, by, until })),
    storm: {
      waiting: queueOf(storm).map(([incidentId, { group: _, ...waiting }]) => ({
        incidentId,
        ...waiting,
      })),
      ...(waved ? { acknowledged: stormAcknowledged } : {}),
    },
    ...(slot === undefined ? {} : { slot }),
    quarantined: quarantines.map(({ incidentId, instanceId, lifted, since }) => ({
      instanceId,
      incidentId,
      since,
      ...(lifted === undefined ? {} : { lifted }),
    })),
    shiftedZones: Object.entries(shiftedZones)
      .filter(([, { until }]) => now < until)
      .map(([zoneId, { until }]) => ({ zoneId, until })),
  };
};

/** Volumes of the cluster that are somewhere, or between two owners of an open incident. */
const readVolumes = async (
  { ledger, scope }: StatusDeps,
  { instances, volumes }: Machines,
): Promise<ReturnType<typeof volumeLine>[]> => {
  const ours = volumes.filter(
    (volume) =>
      isOfCluster(volume, scope.cluster) && !instances.some((instance) => isRoot(volume, instance)),
  );
  const records = await inTurns(ours, ({ volumeId }) => ledger.ownership(volumeId));
  return ours.map((volume, i) => volumeLine(volume, records[i]));
};

/** By zone, then by address; what has none comes last. */
const byPlace = (
  a: { readonly availabilityZone?: string; readonly privateIp?: string },
  b: { readonly availabilityZone?: string; readonly privateIp?: string },
): number => {
  const zones = [a.availabilityZone, b.availabilityZone];
  if (zones.includes(undefined)) return zones[0] === zones[1] ? 0 : zones[0] === undefined ? 1 : -1;
  return (
    String(zones[0]).localeCompare(String(zones[1])) ||
    (a.privateIp ?? '').localeCompare(b.privateIp ?? '', 'en', { numeric: true })
  );
};

/** The cluster at a glance: who is there, who owns what, what is open, and what keeps work back. */
export const showStatus = async (deps: StatusDeps) => {
  const { clock, ledger, scope } = deps;
  const { cluster } = scope;
  const trouble: string[] = [];
  const [read, services, open, control, storm, slot, quarantines, watched] = await Promise.all([
    or<Machines | undefined>(readMachines(deps), undefined, 'EC2', trouble),
    readServices(deps, trouble),
    readOpen(deps),
    ledger.control(cluster),
    ledger.storm(cluster),
    ledger.slot(cluster),
    ledger.quarantines(cluster),
    ledger.watched(cluster),
  ]);
  const machines = read ?? { instances: [], checks: new Map(), volumes: [] };
  const { instances } = machines;
  const unseen = read === undefined ? 'unread' : 'unknown';
  const missing = watched.filter((id) => !instances.some(({ instanceId }) => instanceId === id));
  const [volumes, remembered] = await Promise.all([
    readVolumes(deps, machines),
    inTurns(missing, (instanceId) => ledger.inventory(instanceId)),
  ]);
  const known: Known = { services, open, quarantines };
  const agents = [
    ...instances.map((instance) => withKnown(agentLine(instance, machines, cluster), known)),
    ...missing.map((id, i) => withKnown(missingLine(id, remembered[i], unseen), known)),
  ];
  return {
    kind: 'status' as const,
    version: 1 as const,
    at: clock.now(),
    cluster,
    trouble,
    agents: agents.sort(byPlace),
    volumes: volumes.sort((a, b) => (a.name < b.name ? -1 : 1)),
    incidents: open.map(lineOf),
    brakes: brakesOf(control, storm, slot, quarantines, clock.now()),
  };
};
