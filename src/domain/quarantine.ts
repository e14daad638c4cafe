import type { AgentId, EpochMs, IncidentId, InstanceId, LaunchTime, VolumeId } from './ids.ts';
import type { QuarantinedRun, Verdict } from './incident.ts';
import { type Instance, tagValue, type Volume } from './machine.ts';
import { isOfCluster, isRoot } from './scope.ts';
import { type Evidence, sayMesos } from './verdict.ts';

/** What a host that was fenced and runs again leads to: no work for it, or power off once more. */
export type ReturnedAgent = 'quarantine' | 'fence';

/** On the instance, for people: the incident that fenced it. Only a checked un-fence takes it off. */
export const quarantineTagKey = 'ebs-failover:quarantined';

/** Somebody has asked for the host back, and nothing speaks against it. */
export interface Lifting {
  readonly by: string;
  readonly reason: string;
  readonly at: EpochMs;
}

/**
 * A fenced host, remembered for as long as it could be started again. Mesos forgets an agent that is
 * gone after two weeks; this does not.
 */
export interface Quarantine {
  readonly instanceId: InstanceId;
  /** The incident that fenced it last. */
  readonly incidentId: IncidentId;
  /** The incarnation that was proven off: a later one is the host come back. */
  readonly launchTime: LaunchTime;
  readonly since: EpochMs;
  readonly privateIp?: string;
  /** Agents that were marked gone with it. */
  readonly agentIds: readonly AgentId[];
  /** What it had, and the epoch under which that was taken from it. */
  readonly volumes: readonly { readonly volumeId: VolumeId; readonly epoch: number }[];
  /** The last return that was dealt with. */
  readonly returned?: QuarantinedRun;
  /** It is being un-fenced: no longer in quarantine, and what is left is to be completed. */
  readonly lifted?: Lifting;
}

/** It runs, or is about to, as a later incarnation than the one that was proven off. */
export const hasReturned = (
  quarantine: Quarantine | undefined,
  { launchTime, state }: Pick<Instance, 'launchTime' | 'state'>,
): quarantine is Quarantine =>
  quarantine !== undefined &&
  quarantine.lifted === undefined &&
  (state === 'running' || state === 'pending') &&
  launchTime > quarantine.launchTime;

/** The cluster's volumes on the machine, its root aside: with one of these it is no idle host. */
export const dataOn = (
  instance: Instance,
  volumes: readonly Volume[],
  cluster: string,
): readonly Volume[] =>
  volumes.filter(
    (volume) =>
      isOfCluster(volume, cluster) &&
      !isRoot(volume, instance) &&
      volume.attachments.some(({ instanceId }) => instanceId === instance.instanceId),
  );

export const isTaggedQuarantined = ({ tags }: Pick<Instance, 'tags'>): boolean =>
  tagValue(tags, quarantineTagKey) !== undefined;

/**
 * A fenced host that runs again is a failure of its own kind, however well it looks: its agent and
 * REX-Ray know volumes that are another's now. Without the masters nobody can say what it is doing,
 * so then the verdict stays what it is. Pure.
 */
export const withReturn = (
  verdict: Verdict,
  { ec2, mesos }: Evidence,
  quarantine: Quarantine | undefined,
): Verdict => {
  if (ec2.kind !== 'seen' || !hasReturned(quarantine, ec2.instance)) return verdict;
  if (mesos.kind === 'masters-unreachable') return verdict;
  const { launchTime, state } = ec2.instance;
  const why = [
    `EC2 says ${state} since ${launchTime}, and incident ${quarantine.incidentId} had fenced this host`,
    sayMesos(mesos),
  ];
  return { kind: 'Returned', at: verdict.at, why, whyNot: [] };
};

/** Volumes that were taken from the host: free, they are between two others, and not its own. */
export const takenFrom = (quarantine: Quarantine | undefined): readonly VolumeId[] =>
  quarantine === undefined || quarantine.lifted !== undefined
    ? []
    : quarantine.volumes.map(({ volumeId }) => volumeId);
