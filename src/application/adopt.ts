import type { InstanceId, VolumeId } from '../domain/ids.ts';
import type { Instance, Volume } from '../domain/machine.ts';
import { tagValue } from '../domain/machine.ts';
import { clusterTagKey, epochTagKey, mayAdopt, type Scope, whyNotOurs } from '../domain/scope.ts';
import type { ComputeReads, Safekeeping } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';

export interface AdoptDeps {
  readonly ledger: Pick<IncidentLedger, 'openIncidentOf'> &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'adopt' | 'ownership'>;
  readonly compute: Pick<ComputeReads, 'instancesOfCluster' | 'volumesOfInstances' | 'volumes'> &
    Pick<Safekeeping, 'tagVolume'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'apps'>;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Adopted {
  readonly kind: 'adopted';
  readonly volumeIds: readonly VolumeId[];
}

/** Agents of this cluster that Mesos lists active: only from those may a volume be adopted. */
const healthyAgents = async ({ compute, orchestrator, scope }: AdoptDeps): Promise<Instance[]> => {
  const [instances, agents] = await Promise.all([
    compute.instancesOfCluster(),
    orchestrator.agents(),
  ]);
  const working = new Set(agents.filter((agent) => agent.active).map((agent) => agent.hostname));
  return instances.filter(
    (instance) =>
      instance.state === 'running' &&
      instance.privateIp !== undefined &&
      working.has(instance.privateIp) &&
      whyNotOurs(instance.tags, scope) === undefined,
  );
};

/** Writes down whose it is, tags it, and believes only the read after it. */
const adoptOne = async (
  deps: AdoptDeps,
  volume: Volume,
  owner: InstanceId,
): Promise<VolumeId | undefined> => {
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
  return volumeId;
};

/**
 * Puts the cluster tag on external volumes of this cluster's apps while they are attached to a
 * healthy agent. The only place that may create the tag; never during an incident of the agent,
 * never on a volume that carries any cluster's tag.
 */
export const createAdopt = (deps: AdoptDeps) => async (): Promise<Adopted> => {
  const { clock, compute, ledger, orchestrator, scope } = deps;
  const { paused } = await ledger.control(scope.cluster);
  if (paused !== undefined && (paused.until === undefined || clock.now() < paused.until)) {
    return { kind: 'adopted', volumeIds: [] };
  }
  const [agents, apps] = await Promise.all([healthyAgents(deps), orchestrator.apps()]);
  const volumes = await compute.volumesOfInstances(agents.map((agent) => agent.instanceId));
  const adopted: VolumeId[] = [];
  for (const agent of agents) {
    const mine = volumes.filter((volume) => mayAdopt(volume, agent, apps));
    if (mine.length === 0) continue;
    if ((await ledger.openIncidentOf(agent.instanceId)) !== undefined) continue;
    for (const volume of mine) {
      const done = await adoptOne(deps, volume, agent.instanceId);
      if (done !== undefined) adopted.push(done);
    }
  }
  return { kind: 'adopted', volumeIds: adopted };
};
