import type { FlapView } from '../domain/flap.ts';
import { type InstanceId, incidentBefore, type VolumeId } from '../domain/ids.ts';
import type { Facts, Incident } from '../domain/incident.ts';
import { type Instance, tagValues, type Volume } from '../domain/machine.ts';
import { type Quarantine, takenFrom } from '../domain/quarantine.ts';
import type { Scope } from '../domain/scope.ts';
import { appsByVolumeName } from '../domain/scope.ts';
import type { App, Inventory, Task } from '../domain/service.ts';
import type { Storm } from '../domain/storm.ts';
import type { Evidence } from '../domain/verdict.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type {
  ClusterLedger,
  IncidentLedger,
  OwnershipLedger,
  StormLedger,
} from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import { namesBut } from './returned-agent.ts';
import {
  type CountDeps,
  countMissing,
  gatherEvidence,
  knownSince,
  type WitnessDeps,
} from './witnesses.ts';

export interface PictureDeps extends WitnessDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'> &
    Pick<ClusterLedger, 'watched'> &
    Pick<OwnershipLedger, 'ownership'> &
    Pick<StormLedger, 'storm'>;
  readonly compute: WitnessDeps['compute'] &
    CountDeps['compute'] &
    Pick<ComputeReads, 'volumesOf' | 'volumes'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'probe' | 'apps' | 'tasks'>;
  readonly policy: CountDeps['policy'];
  readonly scope: Scope;
}

/** What happened before, and happens elsewhere. */
interface Past extends Pick<FlapView, 'earlier' | 'records'> {
  readonly storm: Storm;
  /** Agents of the cluster that were seen well once. */
  readonly agents: number;
}

/** Everything the assessment read, side by side. */
export interface Picture {
  readonly evidence: Evidence;
  readonly instance: Instance | undefined;
  readonly volumes: readonly Volume[];
  /** Names the ledger has for volumes that carry none. */
  readonly known: ReadonlyMap<VolumeId, string>;
  /** Deleted, and an app waits for it. */
  readonly lost: readonly { readonly volumeId: VolumeId; readonly name: string }[];
  readonly past: Past;
  readonly apps: readonly App[];
  readonly tasks: readonly Task[];
}

/** Marathon may be down: then what was known has to do, and says so by its age. */
const readServices = async (
  orchestrator: PictureDeps['orchestrator'],
  memory: Memory | undefined,
): Promise<{ apps: readonly App[]; tasks: readonly Task[] }> => {
  try {
    const [apps, tasks] = await Promise.all([orchestrator.apps(), orchestrator.tasks()]);
    return { apps, tasks };
  } catch (error) {
    if (memory === undefined) throw error;
    return { apps: memory.apps, tasks: [] };
  }
};

/** What a dead agent can no longer tell, and somebody wrote down while it could. */
export type Memory = Pick<
  Inventory,
  'launchTime' | 'privateIp' | 'agentIds' | 'apps' | 'tasks' | 'volumes'
>;

/** The incident's own first look knows what the inventory knew, unless that is of a later start. */
export const memoryOf = (
  facts: Facts | undefined,
  inventory: Inventory | undefined,
): Memory | undefined =>
  facts !== undefined && facts.launchTime >= (inventory?.launchTime ?? '') ? facts : inventory;

/** Names of the volumes that were on it, by id: what is deleted can only be remembered. */
const rememberedOf = (
  memory: Memory | undefined,
  inventory: Inventory | undefined,
  quarantine: Quarantine | undefined,
): ReadonlyMap<VolumeId, string> => {
  const same = inventory?.launchTime === memory?.launchTime ? inventory : undefined;
  return namesBut(takenFrom(quarantine), [...(memory?.volumes ?? []), ...(same?.volumes ?? [])]);
};

/**
 * The volumes EC2 reports on the instance, and those remembered: a terminated instance forgets its
 * mappings. Of what EC2 does not know any more only the id is left.
 */
const readVolumes = async (
  { compute }: PictureDeps,
  { instanceId }: Incident,
  remembered: readonly VolumeId[],
): Promise<{ volumes: readonly Volume[]; gone: readonly VolumeId[] }> => {
  const attached = await compute.volumesOf(instanceId);
  const seen = new Set(attached.map((volume) => volume.volumeId));
  const elsewhere = remembered.filter((volumeId) => !seen.has(volumeId));
  if (elsewhere.length === 0) return { volumes: attached, gone: [] };
  const more = await compute.volumes(elsewhere);
  for (const { volumeId } of more) seen.add(volumeId);
  const free = more.filter(({ attachments }) =>
    attachments.every((attachment) => attachment.instanceId === instanceId),
  );
  return {
    volumes: [...attached, ...free],
    gone: elsewhere.filter((volumeId) => !seen.has(volumeId)),
  };
};

/** Deleted while it was this agent's: an app still names it, and no failover had moved it away. */
const readLost = async (
  { ledger }: PictureDeps,
  { instanceId }: Incident,
  gone: readonly VolumeId[],
): Promise<VolumeId[]> => {
  const records = await Promise.all(gone.map((volumeId) => ledger.ownership(volumeId)));
  return gone.filter((_, i) => records[i]?.state !== 'owned' || records[i]?.from !== instanceId);
};

const readNames = async (
  { ledger }: PictureDeps,
  volumes: readonly Volume[],
): Promise<ReadonlyMap<VolumeId, string>> => {
  const nameless = volumes.filter(({ tags }) => tagValues(tags, 'Name').length === 0);
  const records = await Promise.all(nameless.map(({ volumeId }) => ledger.ownership(volumeId)));
  return new Map(
    records.flatMap((record) => (record ? [[record.volumeId, record.name] as const] : [])),
  );
};

/** What the ledger knows of other failures, and of earlier ones of this agent and its apps. */
const readPast = async (
  { ledger, scope }: PictureDeps,
  { id }: Incident,
  remembered: readonly VolumeId[],
  watching: Promise<readonly InstanceId[]>,
): Promise<Past> => {
  const before = incidentBefore(id);
  const [storm, watched, earlier, records] = await Promise.all([
    ledger.storm(scope.cluster),
    watching,
    before === undefined ? undefined : ledger.incident(before),
    Promise.all(remembered.map((volumeId) => ledger.ownership(volumeId))),
  ]);
  return {
    storm,
    agents: watched.length,
    earlier,
    records: records.filter((record) => record !== undefined),
  };
};

/** Every witness, and all that is known of the agent, side by side. */
export const lookAround = async (
  deps: PictureDeps,
  incident: Incident,
  inventory: Inventory | undefined,
  quarantine: Quarantine | undefined,
): Promise<Picture> => {
  const memory = memoryOf(incident.facts, inventory);
  const remembered = rememberedOf(memory, inventory, quarantine);
  const reading = readVolumes(deps, incident, [...remembered.keys()]);
  const watching = deps.ledger.watched(deps.scope.cluster);
  const familiar = knownSince(inventory, incident.verdict);
  const [evidence, past, { volumes }, known, gone, services] = await Promise.all([
    gatherEvidence(deps, incident.instanceId, familiar, async (agents) =>
      countMissing(deps, agents, await watching),
    ),
    readPast(deps, incident, [...remembered.keys()], watching),
    reading,
    reading.then((read) => readNames(deps, read.volumes)),
    reading.then((read) => readLost(deps, incident, read.gone)),
    readServices(deps.orchestrator, memory),
  ]);
  const instance = evidence.ec2.kind === 'seen' ? evidence.ec2.instance : undefined;
  // What was known of an earlier start says nothing about this one.
  const isSame = memory?.launchTime === instance?.launchTime;
  const named = appsByVolumeName(services.apps);
  const lost = gone
    .map((volumeId) => ({ volumeId, name: remembered.get(volumeId) ?? '' }))
    .filter(({ name }) => isSame && named.has(name));
  return { evidence, instance, volumes, known, lost, past, ...services };
};
