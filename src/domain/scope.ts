import type { VolumeId } from './ids.ts';
import type { HoldReason, IncidentVolume } from './incident.ts';
import { type Instance, type Tag, tagValue, tagValues, type Volume } from './machine.ts';
import type { App } from './service.ts';

/** The value is the cluster's name. Only adopt may create it. */
export const clusterTagKey = 'ebs-failover:cluster';
/** High-water mark of a volume's epoch outside of the ledger. */
export const epochTagKey = 'ebs-failover:epoch';

export interface Scope {
  readonly cluster: string;
  /** The tag every agent carries and no master does, such as `role=mesos-slave`. */
  readonly agentTag: Tag;
}

/** Why an instance is none of our business; undefined if it is an agent of this cluster. */
export const whyNotOurs = (tags: readonly Tag[], scope: Scope): string | undefined => {
  const clusters = tagValues(tags, clusterTagKey);
  if (clusters.length === 0) return `carries no ${clusterTagKey} tag`;
  if (clusters.length > 1) return `carries ${clusterTagKey} more than once, in different cases`;
  if (tagValue(tags, clusterTagKey) === undefined) {
    return `carries ${clusterTagKey} in another spelling`;
  }
  if (clusters[0] !== scope.cluster) return `belongs to cluster ${clusters[0]}`;
  const roles = tagValues(tags, scope.agentTag.key);
  if (roles.length !== 1 || tagValue(tags, scope.agentTag.key) !== scope.agentTag.value) {
    return `is not tagged ${scope.agentTag.key}=${scope.agentTag.value}`;
  }
  return undefined;
};

export interface ScopedVolumes {
  readonly inScope: readonly IncidentVolume[];
  /** Left alone, rightly. */
  readonly leftAlone: readonly { readonly volumeId: VolumeId; readonly why: string }[];
  /** Looks like ours but is not marked so, or marked twice: refuse and ask a person. */
  readonly ambiguous: readonly { readonly volumeId: VolumeId; readonly why: string }[];
  readonly multiAttach: readonly VolumeId[];
  readonly managed: readonly { readonly volumeId: VolumeId; readonly by: string }[];
}

type Sorted =
  | { readonly kind: 'in-scope'; readonly volume: IncidentVolume }
  | { readonly kind: 'left-alone' | 'ambiguous' | 'multi-attach'; readonly why: string }
  | { readonly kind: 'managed'; readonly by: string };

/** Does the volume carry the cluster's tag, spelled so, and no other of that name in any case? */
export const isOfCluster = (volume: Volume, cluster: string): boolean =>
  tagValues(volume.tags, clusterTagKey).length === 1 &&
  tagValue(volume.tags, clusterTagKey) === cluster;

/** By the instance's mapping and by the volume's attachment, never by the device letter alone. */
export const isRoot = (volume: Volume, instance: Instance): boolean =>
  [
    ...instance.devices.filter((d) => d.volumeId === volume.volumeId),
    ...volume.attachments.filter((a) => a.instanceId === instance.instanceId),
  ].some(({ device }) => device === instance.rootDeviceName);

const sortOne = (
  volume: Volume,
  instance: Instance,
  appsByName: ReadonlyMap<string, readonly string[]>,
  cluster: string,
): Sorted => {
  const device = instance.devices.find((d) => d.volumeId === volume.volumeId);
  const attachment = volume.attachments.find((a) => a.instanceId === instance.instanceId);
  const deviceName = device?.device ?? attachment?.device ?? 'unknown';
  if (isRoot(volume, instance)) return { kind: 'left-alone', why: 'root device' };
  const names = tagValues(volume.tags, 'Name');
  const name = tagValue(volume.tags, 'Name');
  const clusters = tagValues(volume.tags, clusterTagKey);
  const appIds = name === undefined ? undefined : appsByName.get(name);
  if (clusters.length > 0 && !clusters.includes(cluster)) {
    return { kind: 'left-alone', why: `belongs to cluster ${clusters.join(', ')}` };
  }
  if (name === undefined || appIds === undefined) {
    return clusters.length > 0
      ? { kind: 'ambiguous', why: 'carries the cluster tag but no app of the cluster names it' }
      : { kind: 'left-alone', why: 'not an external volume of an app' };
  }
  // Never adopted, so it carries no tag: refused for what it is.
  if (volume.multiAttach) return { kind: 'multi-attach', why: 'Multi-Attach volume' };
  if (volume.managedBy !== undefined) return { kind: 'managed', by: volume.managedBy };
  if (clusters.length > 1 || names.length > 1) {
    return { kind: 'ambiguous', why: 'carries the same tag more than once, in different cases' };
  }
  if (!isOfCluster(volume, cluster)) {
    return { kind: 'ambiguous', why: `app volume ${name} was never adopted (no cluster tag)` };
  }
  return {
    kind: 'in-scope',
    volume: {
      volumeId: volume.volumeId,
      name,
      device: deviceName,
      availabilityZone: volume.availabilityZone,
      deleteOnTermination: device?.deleteOnTermination ?? attachment?.deleteOnTermination ?? false,
      appIds,
    },
  };
};

/**
 * Is it data that this agent keeps from the cluster: in scope by its tag, and on the agent, or
 * known to have been there and now nowhere?
 */
export const isDataOf = (
  volume: Volume,
  instance: Instance,
  remembered: readonly string[],
  cluster: string,
): boolean => {
  if (!isOfCluster(volume, cluster) || isRoot(volume, instance)) return false;
  const isThere = volume.attachments.some((a) => a.instanceId === instance.instanceId);
  const isNowhere = volume.attachments.length === 0;
  return isThere || (isNowhere && remembered.includes(volume.volumeId));
};

type AppsByName = ReadonlyMap<string, readonly string[]>;

const groupByName = (apps: readonly App[]): AppsByName => {
  const byName = new Map<string, string[]>();
  for (const app of apps) {
    for (const { name } of app.externalVolumes) {
      byName.set(name, [...(byName.get(name) ?? []), app.id]);
    }
  }
  return byName;
};

const grouped = new WeakMap<readonly App[], AppsByName>();

/** Which apps use which volume name. Asked once per volume of a cluster; grouped once per reading. */
export const appsByVolumeName = (apps: readonly App[]): AppsByName => {
  const byName = grouped.get(apps) ?? groupByName(apps);
  grouped.set(apps, byName);
  return byName;
};

/**
 * Left alone for want of a Name, and yet adopted once as a volume some app names: its tags were taken
 * away, or EC2 does not show them yet. To be told nothing is no reason to leave it behind.
 */
export const withEstranged = (
  scoped: ScopedVolumes,
  volumes: readonly Volume[],
  /** The names under which the ledger knows them. */
  known: ReadonlyMap<VolumeId, string>,
  apps: readonly App[],
): ScopedVolumes => {
  const byName = appsByVolumeName(apps);
  const estranged = scoped.leftAlone.flatMap(({ volumeId }) => {
    const volume = volumes.find((v) => v.volumeId === volumeId);
    const name = known.get(volumeId);
    if (volume === undefined || name === undefined || !byName.has(name)) return [];
    if (tagValues(volume.tags, 'Name').length > 0) return [];
    return [{ volumeId, why: `the ledger knows it as ${name}, but EC2 shows no Name tag` }];
  });
  const ids = estranged.map(({ volumeId }) => volumeId);
  return {
    ...scoped,
    leftAlone: scoped.leftAlone.filter(({ volumeId }) => !ids.includes(volumeId)),
    ambiguous: [...scoped.ambiguous, ...estranged],
  };
};

/**
 * Sorts an agent's volumes. In scope is a non-root volume whose Name is a dvdi/rexray volume of an
 * app of this cluster and which carries the cluster tag; nothing else is ever modified.
 */
export const scopeVolumes = (
  instance: Instance,
  volumes: readonly Volume[],
  apps: readonly App[],
  cluster: string,
): ScopedVolumes => {
  const byName = appsByVolumeName(apps);
  const inScope: IncidentVolume[] = [];
  const leftAlone: { volumeId: VolumeId; why: string }[] = [];
  const ambiguous: { volumeId: VolumeId; why: string }[] = [];
  const multiAttach: VolumeId[] = [];
  const managed: { volumeId: VolumeId; by: string }[] = [];
  for (const volume of [...volumes].sort((a, b) => (a.volumeId < b.volumeId ? -1 : 1))) {
    const sorted = sortOne(volume, instance, byName, cluster);
    if (sorted.kind === 'in-scope') inScope.push(sorted.volume);
    else if (sorted.kind === 'multi-attach') multiAttach.push(volume.volumeId);
    else if (sorted.kind === 'managed') managed.push({ volumeId: volume.volumeId, by: sorted.by });
    else if (sorted.kind === 'ambiguous')
      ambiguous.push({ volumeId: volume.volumeId, why: sorted.why });
    else leftAlone.push({ volumeId: volume.volumeId, why: sorted.why });
  }
  return { inScope, leftAlone, ambiguous, multiAttach, managed };
};

/** What is on the machine and must be cleared up by a person before anything of it is moved. */
export const whyNotMovable = ({
  ambiguous: [doubtful],
  multiAttach: [shared],
  managed: [managed],
}: ScopedVolumes): { readonly reason: HoldReason; readonly says: string } | undefined => {
  if (doubtful !== undefined) {
    const says = `${doubtful.volumeId}: ${doubtful.why}. Tag it or untag it, then resume.`;
    return { reason: 'ambiguous-scope', says };
  }
  if (shared !== undefined) {
    return { reason: 'multi-attach', says: `${shared} is a Multi-Attach volume: not supported` };
  }
  if (managed === undefined) return undefined;
  const says = `${managed.volumeId} is managed by ${managed.by}: EC2 lets nobody else move it`;
  return { reason: 'managed-volume', says };
};

/** May adopt put the cluster tag on this volume? It must be attached to a healthy agent now. */
export const mayAdopt = (volume: Volume, instance: Instance, apps: readonly App[]): boolean => {
  const attachment = volume.attachments[0];
  // Nearly all volumes are elsewhere: that is looked at before anything that costs more.
  if (attachment?.instanceId !== instance.instanceId) return false;
  const name = tagValue(volume.tags, 'Name');
  return (
    instance.state === 'running' &&
    volume.attachments.length === 1 &&
    attachment.state === 'attached' &&
    name !== undefined &&
    appsByVolumeName(apps).has(name) &&
    tagValues(volume.tags, clusterTagKey).length === 0 &&
    tagValues(volume.tags, 'Name').length === 1 &&
    !volume.multiAttach &&
    volume.managedBy === undefined &&
    !isRoot(volume, instance)
  );
};

/** Data on this agent that EC2 deletes with it when it is terminated. */
export const doomedWith = (
  instance: Instance,
  volumes: readonly Volume[],
  apps: readonly App[],
  cluster: string,
): readonly IncidentVolume[] => {
  const here = volumes.filter(({ attachments }) =>
    attachments.some((a) => a.instanceId === instance.instanceId && a.state === 'attached'),
  );
  const { inScope } = scopeVolumes(instance, here, apps, cluster);
  return inScope.filter(({ deleteOnTermination }) => deleteOnTermination);
};
