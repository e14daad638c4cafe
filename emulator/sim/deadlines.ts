import { approvedAt } from './consent.ts';
import type { IncidentSeen } from './record.ts';
import { incidentsOf, type LateFinding, type RunEnd } from './run-end.ts';

/** Promises with a number in them: L2 and L5. */

/** Faults beside the way of a failover: they may not cost it a second. */
const ASIDE = /^(?:SL-\d+|EV-07|EV-10|SE-01|LM-14)$/;
/** Faults that only make EC2 slow at what L5 is about. */
const SLOW_EC2 = /^(?:EC-11|EC-14|EB-0[123])$/;

/** Nothing in this world but the failure, and what fits, may delay anybody. */
const isUndisturbed = ({ plan }: RunEnd, also?: RegExp): boolean =>
  plan.faults.every(({ id }) => ASIDE.test(id) || also?.test(id)) &&
  plan.traits.alsoFails === undefined &&
  plan.traits.crowd === 0 &&
  plan.traits.background === 0;

/** The earliest moment at which EC2 itself could have let go of the volume, had nobody wasted time
 * but the person who was asked. */
const floorOf = (
  { checker, plan, world }: RunEnd,
  { instanceId, openedAt, questions }: IncidentSeen,
  volumeId: string,
): number | undefined => {
  const begunAt = Math.max(openedAt, approvedAt(questions));
  const { letGo, offSince } = checker.memory;
  const detachMs = world.durations.detachMs(volumeId);
  switch (plan.scene) {
    case 'hung':
      return begunAt + world.durations.stopMs(instanceId, 'skip') + detachMs;
    case 'stopped':
      return Math.max(begunAt, offSince.get(instanceId) ?? Infinity) + detachMs;
    case 'terminated':
      return Math.max(begunAt, letGo.get(volumeId)?.at ?? Infinity);
    default:
      return undefined;
  }
};

const OVERHEAD_MS = 5_000;

/** L2: what is released is released within seconds of what EC2 itself takes. */
export const lateReleases = (end: RunEnd): LateFinding[] => {
  if (!isUndisturbed(end)) return [];
  return incidentsOf(end)
    .filter(({ instanceId, ordered }) => instanceId === end.stage.failing.instanceId && !ordered)
    .flatMap((incident) =>
      incident.volumeIds.flatMap((volumeId) => {
        const floor = floorOf(end, incident, volumeId);
        const release = end.checker.memory.releases.get(volumeId);
        if (floor === undefined || release?.incidentId !== incident.id) return [];
        const lateMs = release.at - floor;
        const says = `${volumeId} is released ${Math.round(lateMs)} ms after EC2 could have let go`;
        return lateMs > OVERHEAD_MS ? [{ invariant: 'L2', says }] : [];
      }),
    );
};

const POWER = /^(?:Stop|Terminate)Instances$/;
const STOP_STUCK_MS = 10 * 60_000;
const DETACH_STUCK_MS = 3 * 60_000;
/** To write the hold down, and to send the message about it. */
const GRACE_MS = 90_000;

/** What EC2 was asked for first, for this long without an end. */
interface Wait {
  what: string;
  since: number;
  until: number;
  deadlineMs: number;
}

const waitsOf = ({ checker, world }: RunEnd, incident: IncidentSeen): Wait[] => {
  const { letGo, mutations, offSince } = checker.memory;
  const firstOf = (call: RegExp, target: string): number | undefined =>
    mutations.find(
      (m) =>
        call.test(m.call) && m.accepted && m.targets.includes(target) && m.at >= incident.openedAt,
    )?.at;
  const wait = (what: string, since: number | undefined, until: number, deadlineMs: number) =>
    since === undefined ? [] : [{ what, since, until, deadlineMs }];
  const now = world.time.now();
  const { instanceId, volumeIds } = incident;
  const freeAt = (id: string): number => {
    const last = letGo.get(id);
    return last?.instanceId === instanceId ? last.at : now;
  };
  return [
    ...wait(instanceId, firstOf(POWER, instanceId), offSince.get(instanceId) ?? now, STOP_STUCK_MS),
    ...volumeIds.flatMap((id) =>
      wait(id, firstOf(/^DetachVolume$/, id), freeAt(id), DETACH_STUCK_MS),
    ),
  ];
};

const isTold = ({ world }: RunEnd, at: number): boolean =>
  world.slack
    .messages()
    .flatMap(({ postedAt, updatedAt }) => [postedAt, ...updatedAt])
    .some((told) => told >= at && told - at <= GRACE_MS);

/** L5: what EC2 does not finish by its deadline is held, and a person is told. */
export const silentWaits = (end: RunEnd): LateFinding[] => {
  if (!isUndisturbed(end, SLOW_EC2)) return [];
  const slackFails = end.plan.faults.some(({ id }) => id.startsWith('SL-'));
  return incidentsOf(end).flatMap((incident) =>
    waitsOf(end, incident).flatMap(({ deadlineMs, since, until, what }) => {
      const dueAt = since + deadlineMs + GRACE_MS;
      if (until <= dueAt) return [];
      const held = incident.holds.find(({ at }) => at >= since && at <= dueAt);
      const minutes = Math.round((until - since) / 60_000);
      if (held === undefined) {
        return [{ invariant: 'L5', says: `${what} was stuck for ${minutes} min and not held` }];
      }
      return slackFails || isTold(end, held.at)
        ? []
        : [{ invariant: 'L5', says: `${what} was held, and nobody was told` }];
    }),
  );
};
