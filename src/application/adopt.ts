import type { InstanceId, VolumeId } from '../domain/ids.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import { tagValue } from '../domain/machine.ts';
import { hasReturned } from '../domain/quarantine.ts';
import {
  clusterTagKey,
  doomedWith,
  epochTagKey,
  mayAdopt,
  type Scope,
  whyNotOurs,
} from '../domain/scope.ts';
import type { App } from '../domain/service.ts';
import type { ComputeReads, Safekeeping } from '../ports/compute.ts';
import type {
  ClusterLedger,
  IncidentLedger,
  OwnershipLedger,
  QuarantineLedger,
} from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';

export interface AdoptDeps {
  readonly ledger: Pick<IncidentLedger, 'openIncidentOf'> &
    Pick<ClusterLedger, 'control'> &
    Pick<QuarantineLedger, 'quarantines'> &
    Pick<OwnershipLedger, 'adopt' | 'ownership'>;
  readonly compute: Pick<
    ComputeReads,
    'instance' | 'instancesOfCluster' | 'volumesOfInstances' | 'volumes'
  > &
    Safekeeping;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'apps'>;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Adopted {
  readonly kind: 'adopted';
  readonly volumeIds: readonly VolumeId[];
  /** Would have been deleted with their machine, and now would not. */
  readonly kept: readonly VolumeId[];
}

/**
 * Agents of this cluster that Mesos lists active, and that were not fenced before: only from those
 * may a volume be adopted.
 */
const healthyAgents = async (deps: AdoptDeps): Promise<Instance[]> => {
  const { compute, ledger, orchestrator, scope } = deps;
  const [instances, agents, quarantines] = await Promise.all([
    compute.instancesOfCluster(),
    orchestrator.agents(),
    ledger.quarantines(scope.cluster),
  ]);
  const working = new Set(agents.filter((agent) => agent.active).map((agent) => agent.hostname));
  return instances.filter(
    (instance) =>
      instance.state === 'running' &&
      instance.privateIp !== undefined &&
      working.has(instance.privateIp) &&
      !quarantines.some((q) => q.instanceId === instance.instanceId && hasReturned(q, instance)) &&
      whyNotOurs(instance.tags, scope) === undefined,
  );
};

/** Writes down whose it is, tags it, and believes only the read after it. */
const adoptOne = async (
  deps: AdoptDeps,
  volume: Volume,
  owner: InstanceId,
): Promise<Volume | undefined> => {
  const { clock, compute, ledger, log, metrics, scope } = deps;
  const { volumeId } = volume;
  const name = tagValue(volume.tags, 'Name') ?? volumeId;
  // Written before the tag: the record is the intent, the tag read back is the outcome.
  await ledger.adopt({ volumeId, name, state: 'owned', epoch: 0, owner }, clock.now());
  const epoch = (await ledger.ownership(volumeId))?.epoch ?? 0;
  // The next epoch's mark is written now, so that nobody waits for it in an incident.
  const next = String(epoch + 1);
  await compute.tagVolume(volumeId, { [clusterTagKey]: scope.cluster, [epochTagKey]: next });
  const [after] = await compute.volumes([volumeId]);
  if (after === undefined || tagValue(after.tags, clusterTagKey) !== scope.cluster) {
    log.warn('volume adopted but its tag does not read back yet', { volumeId });
    return undefined;
  }
  log.info('volume adopted', { volumeId, name, owner });
  metrics.count('VolumeAdopted');
  return after;
};

/**
 * Sets DeleteOnTermination=false on an agent's data, in one call, and believes only the read after
 * it. Now, because a replacement by the agent's group leaves nobody the time for it.
 */
const keepOn = async (
  { compute, log, metrics, scope }: AdoptDeps,
  agent: Instance,
  volumes: readonly Volume[],
  apps: readonly App[],
): Promise<VolumeId[]> => {
  const { instanceId } = agent;
  const doomed = doomedWith(agent, volumes, apps, scope.cluster);
  if (doomed.length === 0) return [];
  await compute.keepOnTermination(instanceId, doomed);
  const after = await compute.instance(instanceId);
  const kept = doomed
    .map(({ volumeId }) => volumeId)
    .filter((id) => after?.devices.some((d) => d.volumeId === id && !d.deleteOnTermination));
  if (kept.length < doomed.length) log.warn('DeleteOnTermination is still true', { instanceId });
  for (const volumeId of kept) {
    log.info('volume kept through a termination', { volumeId, instanceId });
    metrics.count('VolumeKept');
  }
  return kept;
};

/**
 * Puts the cluster tag on external volumes of this cluster's apps while they are attached to a
 * healthy agent, and keeps them, and those tagged before, from being deleted with it. The only place
 * that may create the tag; never during an incident of the agent, never on a volume that carries any
 * cluster's tag.
 */
export const createAdopt = (deps: AdoptDeps) => async (): Promise<Adopted> => {
  const { clock, compute, ledger, orchestrator, scope } = deps;
  const { paused } = await ledger.control(scope.cluster);
  if (paused !== undefined && (paused.until === undefined || clock.now() < paused.until)) {
    return { kind: 'adopted', volumeIds: [], kept: [] };
  }
  const [agents, apps] = await Promise.all([healthyAgents(deps), orchestrator.apps()]);
  const volumes = await compute.volumesOfInstances(agents.map((agent) => agent.instanceId));
  const adopted = new Map<VolumeId, Volume>();
  const kept: VolumeId[] = [];
  for (const agent of agents) {
    const mine = volumes.filter((volume) => mayAdopt(volume, agent, apps));
    const isAtRisk = doomedWith(agent, volumes, apps, scope.cluster).length > 0;
    if (mine.length === 0 && !isAtRisk) continue;
    if ((await ledger.openIncidentOf(agent.instanceId)) !== undefined) continue;
    for (const volume of mine) {
      const after = await adoptOne(deps, volume, agent.instanceId);
      if (after !== undefined) adopted.set(volume.volumeId, after);
    }
    const current = volumes.map((volume) => adopted.get(volume.volumeId) ?? volume);
    kept.push(...(await keepOn(deps, agent, current, apps)));
  }
  return { kind: 'adopted', volumeIds: [...adopted.keys()], kept };
};
