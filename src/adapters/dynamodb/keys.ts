import type { EpochMs, IncidentId, InstanceId, StormId, VolumeId } from '../../domain/ids.ts';
import type { ToldOf } from '../../ports/telling.ts';

/** The primary key of an item. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** How a key is written in errors and logs. */
export const keyText = ({ pk, sk }: Key): string => `${pk}/${sk}`;

/** Six digits keep text order equal to number order; no incident comes near a million calls. */
const padded = (n: number): string => String(n).padStart(6, '0');

export const stepPrefix = 'STEP#';
export const openPrefix = 'OPEN#';
export const agentPrefix = 'AGENT#';
export const orderPrefix = 'ORDER#';
export const tellingPrefix = 'TELLING#';
export const epochPrefix = 'EPOCH#';
export const quarantinePrefix = 'QUARANTINE#';

/** Partitions, for queries. */
export const incidentPk = (id: IncidentId): string => `INCIDENT#${id}`;
export const clusterPk = (cluster: string): string => `CLUSTER#${cluster}`;
export const volumePk = (volumeId: VolumeId): string => `VOLUME#${volumeId}`;
const agentPk = (instanceId: InstanceId): string => `AGENT#${instanceId}`;

export const gateKey = (instanceId: InstanceId): Key => ({ pk: agentPk(instanceId), sk: 'OPEN' });
export const inventoryKey = (instanceId: InstanceId): Key => ({
  pk: agentPk(instanceId),
  sk: 'INVENTORY',
});
export const stateKey = (id: IncidentId): Key => ({ pk: incidentPk(id), sk: 'STATE' });
export const messageKey = (id: IncidentId | StormId): Key => ({
  pk: `INCIDENT#${id}`,
  sk: 'MESSAGE',
});
export const detailsKey = (id: IncidentId | StormId): Key => ({
  pk: `INCIDENT#${id}`,
  sk: 'DETAILS',
});
export const tellingPk = (id: ToldOf): string => `INCIDENT#${id}`;
export const tellingKey = (id: ToldOf, what: string): Key => ({
  pk: tellingPk(id),
  sk: `${tellingPrefix}${what}`,
});
export const stepKey = (id: IncidentId, seq: number): Key => ({
  pk: incidentPk(id),
  sk: `${stepPrefix}${padded(seq)}`,
});
export const listedKey = (cluster: string, id: IncidentId): Key => ({
  pk: clusterPk(cluster),
  sk: `${openPrefix}${id}`,
});
export const watchedKey = (cluster: string, instanceId: InstanceId): Key => ({
  pk: clusterPk(cluster),
  sk: `${agentPrefix}${instanceId}`,
});
export const quarantineKey = (cluster: string, instanceId: InstanceId): Key => ({
  pk: clusterPk(cluster),
  sk: `${quarantinePrefix}${instanceId}`,
});
export const controlKey = (cluster: string): Key => ({ pk: clusterPk(cluster), sk: 'CONTROL' });
/** Apart from the cluster's own records, so that whoever writes it may write nothing else. */
export const requestsKey = (cluster: string): Key => ({ pk: `SLACK#${cluster}`, sk: 'REQUESTS' });
export const stormKey = (cluster: string): Key => ({ pk: clusterPk(cluster), sk: 'STORM' });
export const slotKey = (cluster: string): Key => ({ pk: clusterPk(cluster), sk: 'DRAIN' });
export const quietKey = (cluster: string): Key => ({ pk: clusterPk(cluster), sk: 'QUIET' });
export const paceKey = (cluster: string, api: string): Key => ({
  pk: clusterPk(cluster),
  sk: `PACE#${api}`,
});
export const ownerKey = (volumeId: VolumeId): Key => ({ pk: volumePk(volumeId), sk: 'OWNER' });
export const epochKey = (volumeId: VolumeId, epoch: number): Key => ({
  pk: volumePk(volumeId),
  sk: `${epochPrefix}${padded(epoch)}`,
});

/** Orders are read in the order they came; so many at one moment are told apart by `nth`. */
export const orderKey = (pk: string, at: EpochMs, nth: number): Key => ({
  pk,
  sk: `${orderPrefix}${String(at).padStart(15, '0')}-${nth}`,
});
