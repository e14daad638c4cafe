import type { EpochMs } from '../domain/ids.ts';
import type { HoldReason, Incident, Verdict } from '../domain/incident.ts';
import { type Instance, tagValue } from '../domain/machine.ts';
import type { Scope } from '../domain/scope.ts';
import type { App } from '../domain/service.ts';
import {
  type Applicant,
  type BrakeView,
  brake,
  type Storm,
  type StormPolicy,
  type Waiting,
} from '../domain/storm.ts';
import { type Evidence, failedChecks, isAnnounced } from '../domain/verdict.ts';
import { isForced } from '../domain/wish.ts';
import type { Control, StormLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';

export interface BrakeDeps {
  readonly ledger: Pick<StormLedger, 'storm' | 'letThrough' | 'joinStorm'>;
  readonly policy: StormPolicy;
  readonly scope: Scope;
  readonly clock: Clock;
}

interface Stop {
  readonly reason: HoldReason;
  readonly says: string;
}

/** Each round lost means that somebody else was let through; at most the limit can be. */
const roundsMax = 25;

const groupTag = 'aws:autoscaling:groupName';

/** The highest priority any of the apps has; 0 where none says. */
const priorityOf = (apps: readonly App[]): number =>
  Math.max(
    ...apps.map(({ priority = 0 }) => priority),
    apps.length === 0 ? 0 : Number.MIN_SAFE_INTEGER,
  );

/** What the machine and what is on it have to say for themselves. */
export const applicantOf = (
  incident: Incident,
  instance: Instance,
  apps: readonly App[],
  cause: string,
): Applicant => {
  const group = tagValue(instance.tags, groupTag);
  return {
    incidentId: incident.id,
    instanceId: incident.instanceId,
    zone: instance.availabilityZone,
    ...(group === undefined ? {} : { group }),
    cause,
    priority: priorityOf(apps),
  };
};

/**
 * Does the brake have a say? Not over what is down, for nothing healthy can be hurt there, and not
 * over what a person has forced or waved through. But over what works and AWS is about to take down:
 * once it has, nobody waits any more.
 */
export const isBraked = (
  verdict: Verdict,
  { acknowledged = [], signals }: Incident,
  { stormAcknowledged }: Control,
  now: EpochMs,
): boolean => {
  const isWaved = stormAcknowledged !== undefined && now < stormAcknowledged.until;
  const isSaid = isWaved || acknowledged.includes('storm') || isForced(signals);
  const isWell = ['Impaired', 'Partitioned', 'Ordered'].includes(verdict.kind);
  return (isWell || isAnnounced(verdict)) && !isSaid;
};

/** The machine's zone, if traffic is being moved away from it. */
export const shiftedZonesFor = (
  { availabilityZone, availabilityZoneId = '' }: Instance,
  { shiftedZones = {} }: Control,
  now: EpochMs,
): readonly string[] =>
  now < (shiftedZones[availabilityZoneId]?.until ?? 0) ? [availabilityZone] : [];

/** When a person said yes to it, if one was asked. */
export const agreementTo = ({
  approval,
}: Pick<Incident, 'approval'>): Pick<BrakeView, 'agreedAt'> =>
  approval?.status === 'approved' && approval.decidedAt !== undefined
    ? { agreedAt: approval.decidedAt }
    : {};

/** Writes down that it waits, unless it does already. */
export const joinQueue = async (
  { clock, ledger, scope }: Pick<BrakeDeps, 'clock' | 'ledger' | 'scope'>,
  { incidentId, ...place }: Applicant,
  behind: Waiting['behind'],
  storm: Storm,
): Promise<void> => {
  if (storm.waiting[incidentId] !== undefined) return;
  const waiting = { ...place, behind, since: clock.now() };
  await ledger.joinStorm(scope.cluster, incidentId, waiting);
};

/**
 * Asks the brake, on the record as it was just read, and writes down what it says: a place taken, or
 * that it waits. undefined: it may fence. Whoever loses the race for a place asks again.
 */
export const passBrake = async (
  deps: BrakeDeps,
  applicant: Applicant,
  read: Storm,
  account: Pick<BrakeView, 'agents' | 'agreedAt' | 'shiftedZones'>,
): Promise<Stop | undefined> => {
  const { clock, ledger, policy, scope } = deps;
  let storm = read;
  for (let round = 0; round < roundsMax; round += 1) {
    const decision = brake(storm, applicant, { ...account, policy, now: clock.now() });
    if (decision.kind === 'passes') return undefined;
    if (decision.kind === 'wait') {
      await joinQueue(deps, applicant, 'storm', storm);
      return { reason: 'storm', says: decision.says };
    }
    const { incidentId } = applicant;
    const written = await ledger.letThrough(scope.cluster, storm, incidentId, decision.admitted);
    if (written === 'recorded') return undefined;
    storm = await ledger.storm(scope.cluster);
  }
  const says = 'others were let through whenever this one asked; looking again';
  return { reason: 'storm', says };
};

/** Verdict and failed checks, equal for equal causes. */
export const causeOf = ({ kind }: Verdict, { checks }: Evidence): string => {
  const failed = checks.kind === 'seen' ? failedChecks(checks.checks) : [];
  return [kind, ...failed].join(' ');
};
