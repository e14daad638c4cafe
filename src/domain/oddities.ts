import type { EpochMs, InstanceId, VolumeId } from './ids.ts';
import { type Instance, tagValue, tagValues, type Volume } from './machine.ts';
import type { Ownership } from './ownership.ts';
import { appsByVolumeName, clusterTagKey, epochTagKey, isOfCluster, isRoot } from './scope.ts';
import type { App, MesosAgent, Task } from './service.ts';

/**
 * What is not as it should be although nothing has failed: nobody is hurt yet, and the next failure
 * would be worse for it. Each is counted under its own name and told in a sentence.
 */
export type OddityKind =
  /** A task waits for its volume, on an agent that works. */
  | 'StuckTask'
  /** Two volumes of one app's name: one of them is probably empty. */
  | 'DuplicateVolumeName'
  /** It is attached to a machine that the ledger does not name as its owner, nor can. */
  | 'OwnershipDrift'
  /** Its incident is over, and nobody owns it. */
  | 'UnownedVolume'
  /** The mark of its next epoch is not on it. */
  | 'EpochMarkMissing';

export interface Oddity {
  readonly kind: OddityKind;
  readonly says: string;
}

/** Marathon itself gives a task 24 hours to start: REX-Ray needs two minutes at most. */
const stagingMaxMs = 300_000;

/**
 * Tasks with a volume that have been starting for too long on an agent that works: there its REX-Ray
 * hangs, and a kill would be heard. A task of an agent that is gone is its failover's business. Pure.
 */
export const stuckTasks = (
  tasks: readonly Task[],
  agents: readonly MesosAgent[],
  apps: readonly App[],
  now: EpochMs,
): readonly Oddity[] => {
  const alive = new Set(agents.filter((agent) => agent.active).map((agent) => agent.agentId));
  const withVolume = new Set(
    apps.filter(({ externalVolumes }) => externalVolumes.length > 0).map(({ id }) => id),
  );
  return tasks.flatMap(({ agentId, appId, host, id, stagedAt, state }) => {
    const waitedMs = state === 'TASK_STAGING' && stagedAt !== undefined ? now - stagedAt : 0;
    const isStuck = waitedMs > stagingMaxMs && withVolume.has(appId);
    if (!isStuck || agentId === undefined || !alive.has(agentId)) return [];
    const minutes = Math.floor(waitedMs / 60_000);
    const says = `${id} of ${appId} has been STAGING for ${minutes} min on ${host}, which works: kill it`;
    return [{ kind: 'StuckTask', says }];
  });
};

/**
 * REX-Ray finds a volume by its name in its own zone and makes a new, empty one where there is none.
 * Among the volumes a sweep sees (attached to agents, or the cluster's), a name is there once. Pure.
 */
export const duplicateNames = (
  volumes: readonly Volume[],
  instances: readonly Instance[],
  apps: readonly App[],
  cluster: string,
): readonly Oddity[] => {
  const names = appsByVolumeName(apps);
  const byName = new Map<string, Volume[]>();
  for (const volume of volumes) {
    const name = tagValue(volume.tags, 'Name');
    const clusters = tagValues(volume.tags, clusterTagKey);
    const isForeign = clusters.length > 0 && !clusters.includes(cluster);
    const isDisk = instances.some((instance) => isRoot(volume, instance));
    if (name === undefined || !names.has(name) || isForeign || isDisk) continue;
    byName.set(name, [...(byName.get(name) ?? []), volume]);
  }
  return [...byName].flatMap(([name, all]) => {
    if (all.length < 2) return [];
    const where = all.map((volume) => `${volume.volumeId} in ${volume.availabilityZone}`).sort();
    const says = `${name} of ${(names.get(name) ?? []).join(', ')} is there ${all.length} times: ${where.join(', ')}`;
    return [{ kind: 'DuplicateVolumeName', says }];
  });
};

/** So many records are read in one sweep; of more volumes each has its turn, minute by minute. */
export const recordsMax = 400;

/** Volumes of the cluster whose records are compared with EC2 in this minute. Pure. */
export const dueVolumes = (
  volumes: readonly Volume[],
  cluster: string,
  now: EpochMs,
): readonly Volume[] => {
  const ours = volumes
    .filter((volume) => isOfCluster(volume, cluster))
    .sort((a, b) => (a.volumeId < b.volumeId ? -1 : 1));
  const turns = Math.ceil(ours.length / recordsMax);
  const minute = Math.floor(now / 60_000);
  return ours.filter((_, index) => index % turns === minute % turns);
};

export interface VolumeView {
  readonly volume: Volume;
  readonly record: Ownership;
  /** Agents of the cluster that run, take work and were never fenced. */
  readonly healthy: ReadonlySet<InstanceId>;
  /** Machines an incident is open about. */
  readonly failing: ReadonlySet<InstanceId>;
  /** The incident on record is still open. */
  readonly isOpen: boolean;
}

export type VolumeFinding =
  /** The record says what EC2 says, or an incident is on it. */
  | { readonly kind: 'fine' }
  /** DC/OS has moved it by itself: the record follows. */
  | { readonly kind: 'follow'; readonly volumeId: VolumeId; readonly owner: InstanceId }
  | { readonly kind: 'odd'; readonly oddity: Oddity };

const odd = (kind: OddityKind, says: string): VolumeFinding => ({
  kind: 'odd',
  oddity: { kind, says },
});

/** Whose it is by EC2, if that is beyond doubt: held by one machine, firmly. */
const holderOf = ({ attachments: [only, other] }: Volume): InstanceId | undefined =>
  other === undefined && only?.state === 'attached' ? only.instanceId : undefined;

const markOf = (volume: Volume): number => Number(tagValue(volume.tags, epochTagKey) ?? '0');

const compare = ({ healthy, record, volume }: VolumeView): VolumeFinding => {
  const { volumeId } = volume;
  const who = `${volumeId} (${record.name})`;
  const holder = holderOf(volume);
  const isOwned = record.state === 'owned';
  if (holder !== undefined && (!isOwned || record.owner !== holder)) {
    if (healthy.has(holder)) return { kind: 'follow', volumeId, owner: holder };
    const owner = isOwned ? (record.owner ?? 'nobody') : `nobody, it is ${record.state}`;
    return odd(
      'OwnershipDrift',
      `${who} is attached to ${holder}, no healthy agent of the cluster; by the ledger it belongs to ${owner}`,
    );
  }
  if (!isOwned) return odd('UnownedVolume', `${who} is ${record.state}, and its incident is over`);
  return markOf(volume) <= record.epoch
    ? odd('EpochMarkMissing', `${who} bears no mark of epoch ${record.epoch + 1} yet`)
    : { kind: 'fine' };
};

/**
 * Does the ledger agree with EC2 about a volume? Nothing is said of one that is on the move, nor of
 * one that an incident is about: there the record is ahead, or behind, on purpose. Pure.
 */
export const compareVolume = (view: VolumeView): VolumeFinding => {
  const { failing, isOpen, record, volume } = view;
  const concerned = [record.owner, record.from, ...volume.attachments.map((a) => a.instanceId)];
  const isBusy = concerned.some((id) => id !== undefined && failing.has(id));
  const isMoving = volume.attachments.some(({ state }) => state !== 'attached');
  return isOpen || isBusy || isMoving || record.state === 'lost' ? { kind: 'fine' } : compare(view);
};
