/** Brands keep apart strings and numbers that must never be mixed up. They cost nothing at run time. */
type Brand<Base, Name extends string> = Base & { readonly __brand: Name };

/** `i-` and 8 or 17 hex digits. */
export type InstanceId = Brand<string, 'InstanceId'>;
/** `vol-` and 8 or 17 hex digits. */
export type VolumeId = Brand<string, 'VolumeId'>;
/** The Mesos agent id, such as `5c6438b2-1f63-4c23-b62a-ad0a7d354a91-S3`. */
export type AgentId = Brand<string, 'AgentId'>;
/** `<cluster>#<instanceId>#<n>`: the n-th incident of an instance. */
export type IncidentId = Brand<string, 'IncidentId'>;
/** `<cluster>#storm#<began>`: one storm of a cluster. */
export type StormId = Brand<string, 'StormId'>;
/** The channel in which people read of a cluster's incidents. */
export type ChannelId = Brand<string, 'ChannelId'>;
/** Milliseconds since the epoch, by this process's clock. */
export type EpochMs = Brand<number, 'EpochMs'>;
/** When an instance was started, ISO 8601 as EC2 gives it; with the instance id, the incarnation. */
export type LaunchTime = Brand<string, 'LaunchTime'>;

const instancePattern = /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;
const volumePattern = /^vol-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;

export const isInstanceId = (text: string): text is InstanceId => instancePattern.test(text);
export const isVolumeId = (text: string): text is VolumeId => volumePattern.test(text);

export const incidentIdOf = (cluster: string, instanceId: InstanceId, n: number): IncidentId =>
  `${cluster}#${instanceId}#${n}` as IncidentId;

/** A dry run's record: of no number, so that it is never taken for an incident. */
export const rehearsalIdOf = (cluster: string, instanceId: InstanceId, began: number): IncidentId =>
  `${cluster}#${instanceId}#dry-${began}` as IncidentId;

export const isRehearsal = (id: IncidentId): boolean => id.includes('#dry-');

export const stormIdOf = (cluster: string, began: EpochMs): StormId =>
  `${cluster}#storm#${began}` as StormId;

/** The incident of the same instance before this one; undefined: it is the first. */
export const incidentBefore = (id: IncidentId): IncidentId | undefined => {
  const [cluster = '', instanceId, n] = id.split('#');
  return Number(n) > 1 ? incidentIdOf(cluster, instanceId as InstanceId, Number(n) - 1) : undefined;
};

/** The instance an incident is about. */
export const instanceOf = (incidentId: IncidentId): InstanceId =>
  incidentId.split('#')[1] as InstanceId;

/**
 * The drain's state machine is called like the failover's, with this after it: a cluster's name holds
 * no underscore, so the machines of no two clusters are called alike.
 */
export const drainMachineSuffix = '_drain';

/** Step Functions allows 80 characters and keeps closed names reserved for 90 days. */
export const executionNameOf = (instanceId: InstanceId, n: number, token: number): string =>
  `fo-${instanceId}-${n}-${token}`;

export const channelIdOf = (cluster: string): ChannelId => `${cluster}#channel` as ChannelId;
