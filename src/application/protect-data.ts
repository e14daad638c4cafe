import { modeOf } from '../domain/announced.ts';
import { isCommitted } from '../domain/fence.ts';
import type { Facts, HoldReason, Incident, Protection } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import type { AutoScaling, GroupMembership } from '../ports/auto-scaling.ts';
import type { ComputeReads, Safekeeping } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Pace } from '../ports/pace.ts';
import { hurryOf } from './await-news.ts';
import { answerOf, settle } from './calls.ts';
import {
  type Claim,
  type ClaimDeps,
  type ClaimView,
  claimAll,
  isStop,
  planClaims,
  type Stop,
} from './claims.ts';
import { inCrowd } from './crowd.ts';
import { blockNewWork, keepData, type ProtectionDeps, shelter } from './protection.ts';
import { hold, loadStepInCrowd, type StepInput } from './step.ts';
import { heldByOperator } from './switches.ts';

export interface ProtectDataDeps extends ProtectionDeps, ClaimDeps {
  readonly ledger: Pick<
    IncidentLedger,
    'incident' | 'openIncidents' | 'save' | 'intend' | 'conclude'
  > &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'ownership' | 'claim'>;
  readonly compute: Pick<ComputeReads, 'instance' | 'volumes'> & Safekeeping;
  readonly autoScaling: Pick<AutoScaling, 'membership' | 'enterStandby' | 'suspendReplacement'>;
  readonly events: PhaseEvents;
  readonly pace: Pace;
}

export type ProtectDecision =
  | { readonly kind: 'protected' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

/** The claims to make on what was just read, or the first reason to make none. */
const planAll = async (
  deps: ProtectDataDeps,
  incident: Incident,
  facts: Facts,
  { instance, ...view }: ClaimView & { readonly instance: Instance | undefined },
): Promise<Stop | { readonly claims: readonly Claim[]; readonly instance: Instance }> => {
  if (instance === undefined || instance.launchTime !== facts.launchTime) {
    const says = 'EC2 shows another incarnation than the one that was assessed; looking again';
    return { reason: 'unknown-incarnation', says };
  }
  const claims = await planClaims(deps, incident, facts.volumes, view);
  return isStop(claims) ? claims : { claims, instance };
};

/**
 * A machine that is moved away from works on, so its group has nothing against it; when AWS or the
 * group itself takes it down a replacement is welcome. Nor is there a Standby for a Spot machine that
 * EC2 takes back.
 */
const sheltered = async (
  deps: ProtectDataDeps,
  incident: Incident,
  group: GroupMembership | undefined,
): Promise<Protection['autoScaling']> => {
  const known = incident.protection?.autoScaling;
  if (modeOf(incident) === 'drain') return known ?? { kind: 'none' };
  const isTaken = incident.signals.some(({ notice }) => notice?.kind === 'interrupted');
  if (!isTaken || group === undefined) return shelter(deps, incident, group);
  return { kind: 'replacement-accepted', group: group.group };
};

/**
 * Claims the volumes (epoch + 1, once per incident), keeps them through a termination of the
 * instance, shelters it from its Auto Scaling group and stops new work on it. Everything here can
 * be undone; nothing of it is proof.
 */
export const createProtectData =
  (all: ProtectDataDeps) =>
  async (input: StepInput): Promise<ProtectDecision> => {
    const { clock, ledger, scope } = all;
    const switches = { readAt: clock.now() };
    const { incident, control, crowd } = await loadStepInCrowd(ledger, input, scope.cluster);
    const deps = inCrowd({ ...all, switches }, crowd, 'begin', hurryOf(all, incident));
    const { compute } = deps;
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const { facts } = incident;
    if (facts === undefined) throw new RangeError('ProtectData before AssessAgent');
    if (isCommitted(incident.fence)) return { kind: 'protected' };
    // Read with the others but awaited late: only the shelter needs it.
    const membership = settle(deps.autoScaling.membership(incident.instanceId));
    const ids = facts.volumes.map((volume) => volume.volumeId);
    const [instance, volumes, records] = await Promise.all([
      compute.instance(incident.instanceId),
      compute.volumes(ids),
      Promise.all(ids.map((volumeId) => ledger.ownership(volumeId))),
      deps.events.publish('assessed', incident, clock.now()),
    ]);
    const plans = await planAll(deps, incident, facts, { instance, volumes, records });
    if (isStop(plans)) {
      await membership;
      return hold(ledger, incident, plans, clock.now());
    }
    // Side by side, but all of them ended before anybody decides: no call is left in flight.
    const [claimed, kept, shelterGiven, deactivated] = await Promise.all([
      settle(claimAll(deps, incident, 'ProtectData', plans.claims, clock.now())),
      settle(keepData(deps, incident, plans.instance, facts.volumes)),
      settle(membership.then((group) => sheltered(deps, incident, answerOf(group)))),
      settle(blockNewWork(deps, incident, facts)),
    ]);
    const protection: Protection = {
      autoScaling: shelterGiven.kind === 'answered' ? shelterGiven.answer : { kind: 'none' },
      deactivatedAgentIds: answerOf(deactivated),
    };
    // Written down before any failure is thrown: what was done must be undone if it comes to that.
    const saved = await ledger.save(incident.id, incident.token, { protection }, clock.now());
    answerOf(shelterGiven);
    const stop = answerOf(claimed) ?? answerOf(kept);
    return stop === undefined ? { kind: 'protected' } : hold(ledger, saved, stop, clock.now());
  };
