import { isAsProven, withoutProof } from '../domain/fence.ts';
import { handOffMethod, readyToHandOff, tasksLeft } from '../domain/hand-off.ts';
import type { AgentId, EpochMs } from '../domain/ids.ts';
import type { Facts, Fence, HandOff, HoldReason, Incident } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import { limits, type Policy } from '../domain/policy.ts';
import type { Scope } from '../domain/scope.ts';
import { isForced } from '../domain/wish.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { MarkGoneAnswer, Orchestrator } from '../ports/orchestrator.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock } from '../ports/system.ts';
import { answerOf, makeCalls, type PlannedCall } from './calls.ts';
import { inCrowd } from './crowd.ts';
import { checkPlacement, isChecked } from './placement.ts';
import { hold, loadStepInCrowd, type StepInput } from './step.ts';
import { heldByOperator, type SwitchDeps } from './switches.ts';

export interface HandOffDeps extends SwitchDeps {
  readonly ledger: Pick<
    IncidentLedger,
    'incident' | 'openIncidents' | 'save' | 'intend' | 'conclude'
  > &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'ownership'>;
  readonly compute: Pick<
    ComputeReads,
    'instance' | 'instancesOfCluster' | 'volumes' | 'volumeConditions' | 'volumesNamed'
  >;
  readonly orchestrator: Pick<
    Orchestrator,
    'capabilities' | 'agents' | 'apps' | 'tasks' | 'queue' | 'markGone' | 'clearLaunchDelay'
  >;
  readonly events: PhaseEvents;
  readonly pace: Pace;
  readonly scope: Scope;
  readonly policy: Policy;
  readonly clock: Clock;
}

export type HandOffDecision =
  | { readonly kind: 'handedOff' }
  | { readonly kind: 'waiting'; readonly waitSeconds: number }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

const actor = 'HandOff';
const looksMax = 12;
const lookMs = 250;

const read = async (deps: HandOffDeps, incident: Incident, facts: Facts) => {
  const { compute, ledger, orchestrator } = deps;
  const [instance, records, agents, apps, tasks, dcos] = await Promise.all([
    compute.instance(incident.instanceId),
    Promise.all(facts.volumes.map(({ volumeId }) => ledger.ownership(volumeId))),
    orchestrator.agents(),
    orchestrator.apps(),
    orchestrator.tasks(),
    orchestrator.capabilities(),
  ]);
  return { instance, records, agents, apps, tasks, dcos };
};
type Picture = Awaited<ReturnType<typeof read>>;

const markGoneCall = (deps: HandOffDeps, agentId: AgentId): PlannedCall<MarkGoneAnswer> => ({
  intent: { call: 'MARK_AGENT_GONE', target: agentId, parameters: {} },
  make: () => deps.orchestrator.markGone(agentId),
  outcome: (answer) => (answer === 'accepted' ? {} : { refused: answer }),
});

/** Makes Marathon look for offers now, as often as its back-off shows up in the first seconds. */
const clearDelays = async (
  deps: HandOffDeps,
  incident: Incident,
  appIds: readonly string[],
): Promise<void> => {
  const { clock, orchestrator } = deps;
  const waiting = new Set(appIds);
  for (let look = 0; look < looksMax && waiting.size > 0; look++) {
    const queue = await orchestrator.queue();
    const queued = queue.filter((entry) => waiting.has(entry.appId));
    const delayed = queued.filter((entry) => entry.delayMs > 0);
    const calls = delayed.map(
      (entry): PlannedCall<void> => ({
        intent: { call: 'DELETE /v2/queue/delay', target: entry.appId, parameters: {} },
        make: () => orchestrator.clearLaunchDelay(entry.appId),
        outcome: () => ({}),
      }),
    );
    await makeCalls(deps, incident, actor, calls);
    for (const entry of queued) waiting.delete(entry.appId);
    if (waiting.size > 0) await clock.sleep(lookMs);
  }
};

/** The pair of agent and machine is not beyond doubt, or marking it gone would destroy data. */
const whyNot = (
  incident: Incident,
  facts: Facts,
  picture: Picture,
): { reason: HoldReason; says: string } | undefined => {
  const { agentIds } = facts;
  // Fenced for having come back, with nothing on it and unknown to Mesos: there is nobody to tell.
  if (agentIds.length === 0 && facts.volumes.length === 0) return undefined;
  if (agentIds.length === 0) {
    const says = `no Mesos agent id is known for ${facts.privateIp ?? incident.instanceId}`;
    return { reason: 'no-agent-id', says };
  }
  const stranger = picture.agents.find(
    (agent) => agentIds.includes(agent.agentId) && agent.hostname !== facts.privateIp,
  );
  if (stranger !== undefined) {
    const says = `Mesos lists agent ${stranger.agentId} at ${stranger.hostname}, not on this machine`;
    return { reason: 'no-agent-id', says };
  }
  const here = new Set(facts.apps.map((app) => app.id));
  const local = picture.apps.filter((app) => here.has(app.id) && app.hasLocalVolumes);
  if (local.length > 0 && !incident.acknowledged?.includes('local-persistent-volumes')) {
    const says = `${local.map((app) => app.id).join(', ')}: marking the agent gone destroys local data`;
    return { reason: 'local-persistent-volumes', says };
  }
  return undefined;
};

/** Can the data be used, and is there room beside it, and only there? Looked at ahead, or else now. */
const placed = async (
  deps: HandOffDeps,
  incident: Incident,
  facts: Facts,
  picture: Picture,
  appIds: readonly string[],
): Promise<{ reason: HoldReason; says: string } | undefined> => {
  if (isChecked(incident, picture.agents, deps.clock.now())) return undefined;
  const moving = { facts, acknowledged: incident.acknowledged };
  const placement = await checkPlacement(deps.compute, picture, moving, appIds);
  if (placement.kind !== 'hold') return undefined;
  // A person wants it told although nobody can take the apps yet: Marathon goes on looking.
  const isWaived = placement.reason === 'no-placement' && isForced(incident.signals);
  return isWaived ? undefined : placement;
};

/** Marks every id the machine had gone; answers how Marathon will learn of it, once it is done. */
const markGone = async (
  deps: HandOffDeps,
  incident: Incident,
  picture: Picture,
  handOff: HandOff,
): Promise<HandOff['method'] | 'in-transition'> => {
  const calls = handOff.agentIds.map((agentId) => markGoneCall(deps, agentId));
  const results = await makeCalls(deps, incident, actor, calls, { handOff });
  const answers = results.map((result) => answerOf(result));
  if (answers.includes('in-transition')) {
    // Builds with MESOS-9545 say so for ever: Marathon hears of it all the same, only later.
    const isOverdue = deps.clock.now() - handOff.startedAt >= limits.transitionMs;
    return isOverdue ? 'wait-unreachable' : 'in-transition';
  }
  const unknown = handOff.agentIds.filter((_, index) => answers[index] === 'unknown-agent');
  // The master knows no such agent but Marathon still has its tasks: Marathon must be told.
  return tasksLeft(picture.tasks, unknown).length > 0 ? 'wait-unreachable' : 'mark-gone';
};

const tell = async (
  deps: HandOffDeps,
  incident: Incident,
  picture: Picture,
  handOff: HandOff,
): Promise<HandOffDecision> => {
  const { clock, ledger } = deps;
  const method =
    handOff.method === 'mark-gone'
      ? await markGone(deps, incident, picture, handOff)
      : handOff.method;
  if (method === 'in-transition') return { kind: 'waiting', waitSeconds: 1 };
  const done: HandOff = { ...handOff, method, completedAt: clock.now() };
  await Promise.all([
    ledger.save(incident.id, incident.token, { handOff: done }, clock.now()),
    method === 'mark-gone' ? clearDelays(deps, incident, handOff.appIds) : undefined,
  ]);
  return { kind: 'handedOff' };
};

/** Somebody started what was proven down: it is fenced again before anybody is told. */
const voidProof = async (
  { clock, ledger }: HandOffDeps,
  { id, token }: Incident,
  fence: Fence,
  { launchTime, state }: Instance,
): Promise<HandOffDecision> => {
  const patch = { fence: withoutProof(fence, launchTime) };
  const voided = await ledger.save(id, token, patch, clock.now());
  const says = `EC2 says ${state}, launched ${launchTime}, although it was proven down`;
  return hold(ledger, voided, { reason: 'proof-void', says }, clock.now());
};

/** Told here, beside the reads, because every call before the release would delay it. */
const announce = async (events: PhaseEvents, incident: Incident, at: EpochMs): Promise<void> => {
  await events.publish('fenced', incident, at);
  await events.publish('released', incident, at);
};

/**
 * Tells Mesos and Marathon, last of all: marking an agent gone relaunches its apps within seconds.
 * Runs again when a late volume frees: then only its app's launch delay is cleared.
 */
export const createHandOff =
  (all: HandOffDeps) =>
  async (input: StepInput): Promise<HandOffDecision> => {
    const { clock, events, ledger, policy, scope } = all;
    const switches = { readAt: clock.now() };
    const { incident, control, crowd } = await loadStepInCrowd(ledger, input, scope.cluster);
    const deps = inCrowd({ ...all, switches }, crowd, 'finish');
    const { compute } = deps;
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const { facts, fence } = incident;
    if (facts === undefined || fence === undefined)
      throw new RangeError('HandOff before the fence');
    const [picture] = await Promise.all([
      read(deps, incident, facts),
      announce(events, incident, clock.now()),
    ]);
    const { instance, records } = picture;
    if (fence.proof !== undefined && instance !== undefined && !isAsProven(fence, instance)) {
      return voidProof(deps, incident, fence, instance);
    }
    const stuck = facts.volumes.filter((volume) => {
      const record = records.find((r) => r?.volumeId === volume.volumeId);
      return record?.state !== 'released' && record?.state !== 'owned';
    });
    const unreleasedVolumes =
      stuck.length === 0 ? [] : await compute.volumes(stuck.map((volume) => volume.volumeId));
    const view = { now: clock.now(), facts, fence, records, unreleasedVolumes, policy };
    const ready = readyToHandOff(view, incident.instanceId);
    if (ready.kind === 'wait') {
      return { kind: 'waiting', waitSeconds: Math.max(1, Math.ceil(ready.waitMs / 1000)) };
    }
    if (ready.kind === 'hold') return hold(ledger, incident, ready, clock.now());
    const { appIds, heldAppIds } = ready;
    const { agentIds } = facts;
    const earlier = incident.handOff;
    if (earlier?.completedAt !== undefined) {
      const freed = appIds.filter((appId) => earlier.heldAppIds.includes(appId));
      const handOff = { ...earlier, appIds, heldAppIds };
      await ledger.save(incident.id, incident.token, { handOff }, clock.now());
      await clearDelays(deps, incident, freed);
      return { kind: 'handedOff' };
    }
    const against =
      whyNot(incident, facts, picture) ?? (await placed(deps, incident, facts, picture, appIds));
    if (against !== undefined) return hold(ledger, incident, against, clock.now());
    const method = handOffMethod(picture.dcos, agentIds, picture.agents);
    const startedAt = earlier?.startedAt ?? clock.now();
    return tell(deps, incident, picture, { startedAt, agentIds, method, appIds, heldAppIds });
  };
