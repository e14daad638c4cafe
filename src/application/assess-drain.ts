import { type Announced, foreseenIn, modeOf, withAnnounced } from '../domain/announced.ts';
import { type DrainPolicy, isUnderWay, lookBy, needsTurn, nextMoveStep } from '../domain/drain.ts';
import { type IncidentId, instanceOf, isRehearsal } from '../domain/ids.ts';
import type { Facts, HoldReason, Incident, Verdict } from '../domain/incident.ts';
import { agentsFingerprint } from '../domain/placement.ts';
import type { MesosAgent } from '../domain/service.ts';
import { judge, orderIn } from '../domain/verdict.ts';
import { isForced } from '../domain/wish.ts';
import type { LifecycleHooks } from '../ports/auto-scaling.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import { type AnnouncedDeps, readAnnounced } from './announced.ts';
import { type AssessDeps, type AssessInput, bind, factsAndScope, guard } from './assess-agent.ts';
import type { CallDeps } from './calls.ts';
import { keepWaiting } from './lifecycle-hook.ts';
import { lookAround, type Picture } from './picture.ts';
import { checkPlacement } from './placement.ts';
import { type HoldWish, hold } from './step.ts';
import { heldByOperator } from './switches.ts';

export interface AssessDrainDeps extends AssessDeps, AnnouncedDeps, CallDeps {
  readonly ledger: AssessDeps['ledger'] &
    CallDeps['ledger'] &
    Pick<IncidentLedger, 'incident'> &
    Pick<ClusterLedger, 'takeSlot'>;
  readonly compute: AssessDeps['compute'] &
    AnnouncedDeps['compute'] &
    Pick<ComputeReads, 'instancesOfCluster' | 'volumeConditions' | 'volumesNamed'>;
  readonly orchestrator: AssessDeps['orchestrator'] & Pick<Orchestrator, 'capabilities'>;
  readonly autoScaling: AnnouncedDeps['autoScaling'] & Pick<LifecycleHooks, 'heartbeat'>;
  readonly drain: DrainPolicy;
}

export type AssessDrainDecision =
  | { readonly kind: 'proceed' }
  | { readonly kind: 'watch'; readonly waitSeconds: number }
  | { readonly kind: 'failover' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

const actor = 'AssessDrain';

/** Is there a way to empty it that does not bring the tasks back onto it? */
const whyNotDrainable = async ({
  orchestrator,
  policy,
}: AssessDrainDeps): Promise<HoldWish | undefined> => {
  const { deactivateAgent, version } = await orchestrator.capabilities();
  if (!deactivateAgent) {
    const says =
      `DC/OS ${version} can neither drain nor deactivate an agent: what is killed there may start ` +
      'there again. Move its apps by hand; when its time is up it is failed over.';
    return { reason: 'cannot-drain', says };
  }
  if (policy.rexrayPreempt === 'off') return undefined;
  const says =
    'REX-Ray preempt would force a volume away from a task that is still ending. Move its apps by ' +
    'hand; when its time is up it is failed over.';
  return { reason: 'cannot-drain', says };
};

const notePlaces = async (
  { clock, ledger }: AssessDrainDeps,
  { id, token }: Pick<Incident, 'id' | 'token'>,
  agents: readonly MesosAgent[],
  candidates: Readonly<Record<string, readonly string[]>>,
): Promise<void> => {
  const at = clock.now();
  const placement = { at, agents: agentsFingerprint(agents), candidates };
  await ledger.save(id, token, { placement }, at);
};

/** Never evicted without a place to go: is there room beside the data, and only there? */
const whyNoRoom = async (
  deps: AssessDrainDeps,
  { acknowledged, id, signals, token }: Incident,
  facts: Facts,
  { apps }: Picture,
): Promise<HoldWish | undefined> => {
  const agents = await deps.orchestrator.agents();
  const appIds = facts.volumes.flatMap((volume) => volume.appIds);
  const moving = { facts, acknowledged };
  const placement = await checkPlacement(deps.compute, { agents, apps }, moving, appIds);
  if (placement.kind === 'ok') {
    // For the plan: a move itself leaves it to Marathon.
    if (isRehearsal(id)) await notePlaces(deps, { id, token }, agents, placement.candidates);
    return undefined;
  }
  return isForced(signals) && placement.reason === 'no-placement' ? undefined : placement;
};

/** Whose turn it is: a slot whose incident is over, or no planned move any more, is nobody's. */
const whyNotItsTurn = async (
  { ledger, scope }: AssessDrainDeps,
  id: IncidentId,
): Promise<HoldWish | undefined> => {
  const holder = await ledger.takeSlot(scope.cluster, id);
  if (holder === id) return undefined;
  const other = holder && (await ledger.incident(holder));
  const isMoving =
    other !== undefined &&
    modeOf(other) === 'drain' &&
    (other.status === 'open' || other.status === 'held');
  const taken = isMoving ? holder : await ledger.takeSlot(scope.cluster, id, holder);
  return taken === id
    ? undefined
    : { reason: 'another-move', says: `${taken ?? 'another agent'} is moved first` };
};

/** It is to be moved now: what is on it, may it be moved, where to, and is it its turn? */
const conclude = async (
  deps: AssessDrainDeps,
  incident: Incident,
  picture: Picture,
  found: {
    readonly verdict: Verdict;
    readonly announced: Announced | undefined;
    readonly isUrgent: boolean;
    readonly mustWait: boolean;
    /** Looked at again then at the latest. */
    readonly by: HoldWish['by'];
  },
  inventory: Parameters<typeof factsAndScope>[3],
): Promise<AssessDrainDecision> => {
  const { clock, ledger } = deps;
  const { instance } = picture;
  const now = clock.now();
  if (instance === undefined) throw new RangeError('a machine that nobody saw is not moved');
  const { facts, scoped } = factsAndScope(deps, incident, picture, inventory, instance, now);
  const foreseen = foreseenIn(found.announced, instance.launchTime, now);
  const patch = {
    verdict: found.verdict,
    facts,
    status: 'open',
    ...(foreseen === undefined ? {} : { drain: { ...incident.drain, foreseen } }),
  } as const;
  const seen = await ledger.save(incident.id, incident.token, patch, now);
  const held = (wish: HoldWish) =>
    hold(ledger, seen, found.by === undefined ? wish : { ...wish, by: found.by }, clock.now());
  const against = guard(incident, instance, facts, scoped, picture, deps);
  if (against !== undefined) return held(against);
  if (facts.volumes.length === 0) return { kind: 'cancelled' };
  const noRoom = await whyNoRoom(deps, incident, facts, picture);
  // Without a place to go it serves where it is, for as long as AWS lets it.
  if (noRoom !== undefined) return held(noRoom);
  if (found.isUrgent) return { kind: 'failover' };
  const stop =
    (await whyNotDrainable(deps)) ??
    (found.mustWait && !isForced(incident.signals)
      ? await whyNotItsTurn(deps, incident.id)
      : undefined);
  if (stop !== undefined) return held(stop);
  await deps.events.publish('assessed', seen, clock.now());
  return { kind: 'proceed' };
};

/**
 * Fresh reads of every witness and of what was announced: does the plan still stand, is it time, is
 * there room beside the data? What has failed, or has no time left, is the failover's. Once a command
 * of the move was sent it is completed, whatever becomes of the plan.
 */
export const createAssessDrain =
  (all: AssessDrainDeps) =>
  async (input: AssessInput): Promise<AssessDrainDecision> => {
    const { clock, drain: policy, ledger, scope } = all;
    const deps = { ...all, switches: { readAt: clock.now() } };
    const [bound, control, inventory] = await Promise.all([
      bind(deps, input),
      ledger.control(scope.cluster),
      ledger.inventory(instanceOf(input.incidentId)),
    ]);
    if (modeOf(bound) !== 'drain') return { kind: 'failover' };
    const switched = heldByOperator(bound, control, clock.now());
    if (switched !== undefined) return hold(ledger, bound, switched, clock.now());
    const [incident, picture, announced] = await Promise.all([
      keepWaiting(deps, bound, actor),
      lookAround(deps, bound, inventory, undefined),
      readAnnounced(deps, bound),
    ]);
    const now = clock.now();
    const { evidence } = picture;
    const base = judge(evidence, deps.policy, orderIn(incident.signals), incident.verdict);
    const verdict = withAnnounced(base, announced, deps.policy.drainReserveMs);
    if (isUnderWay(incident)) {
      // What it left behind tells DrainAgent more than the machine itself does.
      await ledger.save(incident.id, incident.token, { verdict, status: 'open' }, now);
      return { kind: 'proceed' };
    }
    const works = evidence.mesos.kind === 'working';
    const { openedAt } = incident;
    const step = nextMoveStep({ now, openedAt, verdict, announced, works, policy });
    if (step.kind === 'move' || step.kind === 'time-is-up') {
      const { drainReserveMs } = deps.policy;
      const found = {
        verdict,
        announced,
        isUrgent: step.kind === 'time-is-up',
        mustWait: announced !== undefined && needsTurn(announced, now, drainReserveMs),
        by: lookBy(announced, now, drainReserveMs),
      };
      return conclude(deps, incident, picture, found, inventory);
    }
    const seen = await ledger.save(incident.id, incident.token, { verdict }, now);
    if (step.kind === 'hold') return hold(ledger, seen, step, now);
    if (step.kind === 'watch') {
      return { kind: 'watch', waitSeconds: Math.max(1, Math.ceil(step.waitMs / 1000)) };
    }
    return { kind: step.kind === 'cancel' ? 'cancelled' : 'failover' };
  };
