import type { EpochMs, IncidentId, InstanceId } from './ids.ts';
import type { Policy } from './policy.ts';

/*
 * The storm brake: how many machines that are not down may be fenced at once. What is down already is
 * none of its business, for nothing healthy can be hurt there.
 */

export type StormPolicy = Pick<
  Policy,
  'stormLimit' | 'stormLimitPercent' | 'stormWindowMs' | 'stormCoolDownMs'
>;

/** Where a failure belongs, for counting. */
interface Place {
  readonly instanceId: InstanceId;
  /** Name of the availability zone. */
  readonly zone: string;
  /** Its Auto Scaling group, where it has one. */
  readonly group?: string;
  /** Verdict and witness in a few words, equal for equal causes. */
  readonly cause: string;
}

/** An incident that may fence. */
export interface Admission extends Place {
  readonly incidentId: IncidentId;
  readonly at: EpochMs;
}

/** An incident that waits. */
export interface Waiting extends Place {
  /** Behind the brake, or because so many look dead that Mesos is not believed. */
  readonly behind: 'storm' | 'blind';
  /** Of its apps, the highest. */
  readonly priority: number;
  /** When it began to wait. */
  readonly since: EpochMs;
}

/** What all executions of a cluster share: who was let through lately, and who waits. */
export interface Storm {
  /** Rises by one with everybody who is let through. */
  readonly version: number;
  readonly admitted: readonly Admission[];
  readonly waiting: Readonly<Record<IncidentId, Waiting>>;
  /** When the first began to wait; names this storm. Absent before the first storm ever. */
  readonly began?: EpochMs;
  /** Who that was. */
  readonly first?: IncidentId;
  /** When nobody waited any more; absent while somebody does. */
  readonly ended?: EpochMs;
  /** How many have had to wait in this storm. */
  readonly joined: number;
}

export const calm: Storm = { version: 0, admitted: [], waiting: {}, joined: 0 };

/** Who asks to be let through. */
export interface Applicant extends Omit<Waiting, 'behind' | 'since'> {
  readonly incidentId: IncidentId;
}

/** What the answer depends on beside the record. */
export interface BrakeView {
  readonly policy: StormPolicy;
  /** Agents of the cluster, well or not. */
  readonly agents: number;
  readonly now: EpochMs;
  /** Zones that traffic was shifted away from: there only one at a time. */
  readonly shiftedZones?: readonly string[];
  /** When a person said yes to it. It fences only now, however long ago it was let through. */
  readonly agreedAt?: EpochMs;
}

export type BrakeDecision =
  /** It was let through before, and not long ago. */
  | { readonly kind: 'passes' }
  /** Let through, if the record can be written so. */
  | { readonly kind: 'admit'; readonly admitted: readonly Admission[] }
  | { readonly kind: 'wait'; readonly says: string };

/** The limits absolute and per cent, per zone. Of few agents one may always be fenced. */
export const limitIn = (zone: string, view: BrakeView): number => {
  const { agents, policy, shiftedZones } = view;
  if (shiftedZones?.includes(zone)) return 1;
  const share = Math.ceil((agents * policy.stormLimitPercent) / 100);
  return Math.min(policy.stormLimit, Math.max(1, share));
};

const isWithin = ({ at }: Admission, { now, policy }: BrakeView): boolean =>
  now - at < policy.stormWindowMs;

/** Places still free in the zone; a machine that was let through before takes none twice. */
const freeIn = (storm: Storm, zone: string, view: BrakeView, self?: InstanceId): number => {
  const taken = new Set(
    storm.admitted
      .filter((one) => one.zone === zone && one.instanceId !== self && isWithin(one, view))
      .map(({ instanceId }) => instanceId),
  );
  return limitIn(zone, view) - taken.size;
};

type Queued = readonly [IncidentId, Waiting];

/** Highest priority first, then who has waited longest. */
const byPriority = ([idA, a]: Queued, [idB, b]: Queued): number =>
  b.priority - a.priority || a.since - b.since || (idA < idB ? -1 : 1);

/** Everybody who waits, in the order in which they go on. */
export const queueOf = ({ waiting }: Storm): readonly Queued[] =>
  (Object.entries(waiting) as [IncidentId, Waiting][]).sort(byPriority);

const waitingIn = (storm: Storm, zone: string): readonly Queued[] =>
  queueOf(storm).filter(([, one]) => one.zone === zone && one.behind === 'storm');

/** The storm in a zone lasts until nothing more has come for the cool-down. */
const isStormy = (queue: readonly Queued[], { now, policy }: BrakeView): boolean =>
  queue.some(([, { since }]) => now - since < policy.stormCoolDownMs);

const minutes = (ms: number): string => `${Math.round(ms / 60_000)} min`;

const tally = (words: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word} ${count}`).join(', ');
};

/** Who waits, counted by zone, Auto Scaling group and cause. */
export const countsOf = (places: readonly Place[]): readonly string[] => [
  `zone: ${tally(places.map(({ zone }) => zone))}`,
  `group: ${tally(places.map(({ group }) => group ?? 'none'))}`,
  `cause: ${tally(places.map(({ cause }) => cause))}`,
];

const sayWait = (storm: Storm, applicant: Applicant, view: BrakeView): string => {
  const { incidentId, priority, zone } = applicant;
  const recent = storm.admitted.filter((one) => one.zone === zone && isWithin(one, view));
  const others = waitingIn(storm, zone).filter(([id]) => id !== incidentId);
  const all = [...recent, ...others.map(([, one]) => one), applicant];
  return (
    `storm in ${zone}: ${recent.length} agents that are not down were let through within ` +
    `${minutes(view.policy.stormWindowMs)} (limit ${limitIn(zone, view)}), ${others.length + 1} ` +
    `wait; ${countsOf(all).join('; ')}. Priority ${priority}. Goes on by itself when nothing ` +
    `more has come for ${minutes(view.policy.stormCoolDownMs)}; acknowledge to go on now.`
  );
};

/**
 * May this incident fence a machine that is not down? Within the limits yes, unless others wait in
 * its zone: then nobody goes until nothing more has come for the cool-down, and after that by rank.
 */
export const brake = (storm: Storm, applicant: Applicant, view: BrakeView): BrakeDecision => {
  const { incidentId, instanceId, zone } = applicant;
  const { agreedAt = 0, now } = view;
  const recent = storm.admitted.filter((one) => isWithin(one, view));
  const own = recent.find((one) => one.incidentId === incidentId);
  if (own !== undefined && own.at >= agreedAt) return { kind: 'passes' };
  const others = recent.filter((one) => one.instanceId !== instanceId);
  // The place is its own, and counts from now on: others are let through by when it fences.
  if (own !== undefined) return { kind: 'admit', admitted: [...others, { ...own, at: now }] };
  const queue = waitingIn(storm, zone);
  const free = freeIn(storm, zone, view, instanceId);
  const mine = storm.waiting[incidentId]?.since ?? now;
  const me: Queued = [incidentId, { ...applicant, behind: 'storm', since: mine }];
  const ahead = queue.filter((other) => other[0] !== incidentId && byPriority(other, me) < 0);
  if (isStormy(queue, view) || ahead.length >= free) {
    return { kind: 'wait', says: sayWait(storm, applicant, view) };
  }
  const { priority: _, ...place } = applicant;
  return { kind: 'admit', admitted: [...others, { ...place, at: now }] };
};

/** Whose turn it is now, in order: what the brake would say to each of them. */
export const turnsOf = (storm: Storm, view: BrakeView): readonly IncidentId[] => {
  const zones = new Set(queueOf(storm).map(([, { zone }]) => zone));
  const next = [...zones].flatMap((zone) => {
    const queue = waitingIn(storm, zone);
    if (isStormy(queue, view)) return [];
    return queue.slice(0, Math.max(0, freeIn(storm, zone, view)));
  });
  return next.sort(byPriority).map(([id]) => id);
};
