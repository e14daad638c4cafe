import type { EpochMs, InstanceId } from './ids.ts';
import type { Incident } from './incident.ts';
import type { Ownership } from './ownership.ts';

/** What is known of earlier failovers of an agent and of what is on it. */
export interface FlapView {
  readonly now: EpochMs;
  /** 0: nothing is blocked. */
  readonly blockPeriodMs: number;
  readonly incident: Pick<Incident, 'id' | 'instanceId'>;
  /** The incident of this agent before this one. */
  readonly earlier: Incident | undefined;
  /** Permission records of the volumes on the agent. */
  readonly records: readonly Ownership[];
}

const ago = (at: EpochMs, now: EpochMs): string => `${Math.round((now - at) / 1000)} s ago`;

const isHere = ({ owner, state }: Ownership, instanceId: InstanceId): boolean =>
  state === 'owned' && owner === instanceId;

/**
 * Why fencing would be the second failover of the same agent, or of an app that was brought here,
 * within the block period; undefined: it is not. What an incident does to its own machine again, such
 * as a second fence after a restart, is part of one failover.
 */
export const whyFlapping = (view: FlapView): string | undefined => {
  const { blockPeriodMs, earlier, incident, now, records } = view;
  const isBlocked = (at: EpochMs | undefined): at is EpochMs =>
    at !== undefined && now - at < blockPeriodMs;
  const over = earlier?.status === 'recovered' ? earlier.closedAt : undefined;
  const within = `within ${blockPeriodMs / 1000} s. Find out why, then acknowledge.`;
  if (isBlocked(over)) {
    return `${incident.instanceId} was failed over ${ago(over, now)}; not twice ${within}`;
  }
  const moved = records.find(
    (record) =>
      isHere(record, incident.instanceId) &&
      record.incidentId !== incident.id &&
      isBlocked(record.releasedAt),
  );
  if (moved?.releasedAt === undefined) return undefined;
  const { name, releasedAt } = moved;
  return `${name} was failed over to this agent ${ago(releasedAt, now)}; not twice ${within}`;
};
