import type { EpochMs } from '../domain/ids.ts';
import type { Facts, Incident, IncidentVolume } from '../domain/incident.ts';
import { agentsFingerprint, type Placement, preflight, whyNotUsable } from '../domain/placement.ts';
import type { App, MesosAgent } from '../domain/service.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';

/** What is known of Mesos and Marathon already, read a moment ago. */
export interface Cluster {
  readonly agents: readonly MesosAgent[];
  readonly apps: readonly App[];
}

type PlacementReads = Pick<
  ComputeReads,
  'instancesOfCluster' | 'volumeConditions' | 'volumesNamed'
>;

/** A check older than this is made again. */
const checkedForMs = 60_000;

/** What is to be placed, and what a person has waved through. */
export interface Moving {
  readonly facts: Facts;
  readonly acknowledged: Incident['acknowledged'];
}

/**
 * Pre-flight with EC2 read now: can the volumes be used, zones and free slots of the agents, volumes
 * of the same name.
 */
export const checkPlacement = async (
  compute: PlacementReads,
  { agents, apps }: Cluster,
  { facts, acknowledged = [] }: Moving,
  appIds: readonly string[],
): Promise<Placement> => {
  const isTheirs = ({ appIds: users }: IncidentVolume): boolean =>
    users.some((appId) => appIds.includes(appId));
  const [conditions, instances, namesakes] = await Promise.all([
    compute.volumeConditions(facts.volumes.map((volume) => volume.volumeId)),
    compute.instancesOfCluster(),
    compute.volumesNamed(facts.volumes.map((volume) => volume.name)),
  ]);
  const unusable = whyNotUsable(facts.volumes.filter(isTheirs), conditions, acknowledged);
  if (unusable !== undefined) return { kind: 'hold', ...unusable };
  return preflight({
    apps: apps.filter((app) => appIds.includes(app.id)),
    volumes: facts.volumes,
    agents,
    instances,
    namesakes,
    failed: facts.agentIds,
  });
};

/** Was it checked a moment ago, for all that is known now, against the very agents Mesos lists now? */
export const isChecked = (
  incident: Incident,
  agents: readonly MesosAgent[],
  now: EpochMs,
): boolean =>
  incident.placement !== undefined &&
  now - incident.placement.at <= checkedForMs &&
  incident.placement.at >= (incident.facts?.at ?? 0) &&
  incident.placement.agents === agentsFingerprint(agents);

/**
 * Checks the placement while EC2 stops the instance and there is nothing else to do, so that
 * HandOff need not. Only a good answer is worth keeping: a bad one may have changed by then.
 */
export const lookAhead = async (
  compute: PlacementReads,
  orchestrator: Pick<Orchestrator, 'agents' | 'apps'>,
  moving: Moving,
  now: () => EpochMs,
): Promise<Incident['placement']> => {
  const at = now();
  const [agents, apps] = await Promise.all([orchestrator.agents(), orchestrator.apps()]);
  const appIds = moving.facts.volumes.flatMap((volume) => volume.appIds);
  const placement = await checkPlacement(compute, { agents, apps }, moving, appIds);
  if (placement.kind !== 'ok') return undefined;
  const { candidates } = placement;
  return { at, agents: agentsFingerprint(agents), candidates };
};
