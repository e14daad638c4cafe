import { type Announced, foreseenIn, withAnnounced } from '../domain/announced.ts';
import { type DrainPolicy, graceFor, lookBy } from '../domain/drain.ts';
import { type EpochMs, instanceOf } from '../domain/ids.ts';
import type { Drain, Facts, HandOff, HoldReason, Incident } from '../domain/incident.ts';
import type { Volume } from '../domain/machine.ts';
import { limits, type Policy } from '../domain/policy.ts';
import type { Scope } from '../domain/scope.ts';
import { judge, mayFence, orderIn } from '../domain/verdict.ts';
import { wishIn } from '../domain/wish.ts';
import type { LifecycleHooks } from '../ports/auto-scaling.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { DrainAnswer, Orchestrator } from '../ports/orchestrator.ts';
import { type AnnouncedDeps, readAnnounced } from './announced.ts';
import { answerOf, type CallDeps, makeCalls, type PlannedCall } from './calls.ts';
import { keepWaiting } from './lifecycle-hook.ts';
import { type HoldWish, hold, loadStep, type StepInput } from './step.ts';
import { heldByOperator } from './switches.ts';
import { gatherEvidence, knownSince, type WitnessDeps } from './witnesses.ts';

export interface DrainAgentDeps extends CallDeps, AnnouncedDeps, WitnessDeps {
  readonly ledger: CallDeps['ledger'] &
    Pick<IncidentLedger, 'incident' | 'save'> &
    Pick<ClusterLedger, 'control' | 'inventory'>;
  readonly compute: AnnouncedDeps['compute'] &
    WitnessDeps['compute'] &
    Pick<ComputeReads, 'volumes'>;
  readonly autoScaling: AnnouncedDeps['autoScaling'] & Pick<LifecycleHooks, 'heartbeat'>;
  readonly orchestrator: WitnessDeps['orchestrator'] &
    Pick<Orchestrator, 'tasks' | 'drain' | 'deactivate' | 'killTask'>;
  readonly events: PhaseEvents;
  readonly scope: Scope;
  readonly policy: Policy;
  readonly drain: DrainPolicy;
}

export type DrainDecision =
  | { readonly kind: 'drained' }
  | { readonly kind: 'waiting'; readonly waitSeconds: number }
  | { readonly kind: 'failover' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

const actor = 'DrainAgent';
/** One invocation looks for this long before it hands the wait to the workflow. */
const invocationMs = 30_000;
const lookMs = 1_000;
/** The witnesses are asked less often than the volumes. */
const witnessMs = 5_000;

/** What changes while one invocation works. */
interface Work {
  incident: Incident;
  readonly facts: Facts;
  readonly startedAt: EpochMs;
  /** This invocation has sent its commands. */
  isAsked: boolean;
}

const drainCalls = (
  { orchestrator }: DrainAgentDeps,
  { agentIds }: Facts,
  graceMs: number,
): PlannedCall<DrainAnswer>[] =>
  agentIds.map((agentId) => ({
    intent: { call: 'DRAIN_AGENT', target: agentId, parameters: { graceMs } },
    make: () => orchestrator.drain(agentId, graceMs),
    outcome: (answer) => (answer === 'accepted' ? {} : { refused: answer }),
  }));

/**
 * Ends the tasks that hold a volume here, and no others, each with the grace of its app. The agent
 * makes no offers any more, or they would be back on it at once. Answers whether they are told.
 */
const killTasks = async (deps: DrainAgentDeps, work: Work, drain: Drain): Promise<boolean> => {
  const { orchestrator } = deps;
  const { agentIds, volumes } = work.facts;
  const blocked = agentIds.map(
    (agentId): PlannedCall<boolean> => ({
      intent: { call: 'DEACTIVATE_AGENT', target: agentId, parameters: {} },
      make: () => orchestrator.deactivate(agentId),
      outcome: (done) => (done ? {} : { refused: 'not known to this Mesos or this agent' }),
    }),
  );
  const results = await makeCalls(deps, work.incident, actor, blocked, { drain });
  const isBlocked = results.map((result) => answerOf(result)).includes(true);
  if (!isBlocked) return false;
  const appIds = new Set(volumes.flatMap((volume) => volume.appIds));
  const here = (await orchestrator.tasks()).filter(
    ({ agentId, appId }) =>
      agentId !== undefined && agentIds.includes(agentId) && appIds.has(appId),
  );
  const calls = here.map(
    (task): PlannedCall<boolean> => ({
      intent: { call: 'DELETE /v2/apps/tasks', target: task.id, parameters: { app: task.appId } },
      make: () => orchestrator.killTask(task),
      outcome: (made) => (made ? {} : { refused: 'the task is not there any more' }),
    }),
  );
  for (const result of await makeCalls(deps, work.incident, actor, calls)) answerOf(result);
  return true;
};

/**
 * Asks for the move, until DC/OS has taken it. Repeating it changes nothing: an agent that drains goes
 * on draining, a task that ends goes on ending.
 */
const command = async (
  deps: DrainAgentDeps,
  work: Work,
  announced: Announced | undefined,
): Promise<void> => {
  const { clock, ledger, policy } = deps;
  work.isAsked = true;
  const now = clock.now();
  const startedAt = work.incident.drain?.startedAt ?? now;
  const base: Drain = { ...work.incident.drain, startedAt };
  // A drain of the agent would take every task along, not only those of the volumes asked for.
  const { volumes } = wishIn(work.incident.signals);
  let method = work.incident.drain?.method ?? (volumes ? 'kill-tasks' : 'drain-agent');
  let isAccepted = false;
  if (method === 'drain-agent') {
    const graceMs = graceFor(announced, now, policy.drainReserveMs, deps.drain);
    const calls = drainCalls(deps, work.facts, graceMs);
    const drain: Drain = { ...base, method };
    const results = await makeCalls(deps, work.incident, actor, calls, { drain });
    const answers = results.map((result) => answerOf(result));
    isAccepted = answers.includes('accepted');
    if (!isAccepted && answers.includes('unsupported')) method = 'kill-tasks';
  }
  if (method === 'kill-tasks') isAccepted = await killTasks(deps, work, { ...base, method });
  const drain: Drain = { ...base, method, ...(isAccepted ? { acceptedAt: clock.now() } : {}) };
  const { id, token } = work.incident;
  work.incident = await ledger.save(id, token, { drain }, clock.now());
};

const isOff = ({ attachments }: Volume, work: Work): boolean =>
  attachments.every(({ instanceId }) => instanceId !== work.incident.instanceId);

/** One read in which none of the volumes is on the machine; a volume that is not listed may be. */
const allOff = async ({ compute }: DrainAgentDeps, work: Work): Promise<boolean> => {
  const ids = work.facts.volumes.map(({ volumeId }) => volumeId);
  const volumes = await compute.volumes(ids);
  return ids.every((id) => {
    const volume = volumes.find(({ volumeId }) => volumeId === id);
    return volume !== undefined && isOff(volume, work);
  });
};

/** Nothing of ours is on it: DC/OS has begun to start it elsewhere by itself. */
const complete = async (deps: DrainAgentDeps, work: Work): Promise<DrainDecision> => {
  const { clock, ledger } = deps;
  const { incident, facts } = work;
  const at = clock.now();
  const startedAt = incident.drain?.startedAt ?? at;
  const drain: Drain = { ...incident.drain, startedAt, completedAt: at };
  const handOff: HandOff = {
    startedAt,
    agentIds: facts.agentIds,
    method: 'drain',
    completedAt: at,
    appIds: [...new Set(facts.volumes.flatMap((volume) => volume.appIds))],
    heldAppIds: [],
  };
  await ledger.save(incident.id, incident.token, { drain, handOff }, at);
  return { kind: 'drained' };
};

/** Has it failed meanwhile, or is no time left? By fresh reads of every witness. */
const lookAround = async (
  deps: DrainAgentDeps,
  work: Work,
): Promise<{ isOver: boolean; announced: Announced | undefined }> => {
  const { clock, ledger, policy } = deps;
  const { id, instanceId, signals, token, verdict: before } = work.incident;
  const inventory = await ledger.inventory(instanceOf(id));
  const [evidence, announced] = await Promise.all([
    gatherEvidence(deps, instanceId, knownSince(inventory, before)),
    readAnnounced(deps, work.incident),
  ]);
  const base = judge(evidence, policy, orderIn(signals));
  const verdict = withAnnounced(base, announced, policy.drainReserveMs);
  const isOver = mayFence(verdict);
  if (isOver) {
    const foreseen = foreseenIn(announced, work.facts.launchTime, clock.now());
    const drain = { ...work.incident.drain, ...(foreseen && { foreseen }) };
    work.incident = await ledger.save(id, token, { verdict, drain }, clock.now());
  }
  return { isOver, announced };
};

/** The tasks had their grace and more, and a volume is still there. */
const whyStuck = (
  { clock, drain: { graceMs }, policy }: DrainAgentDeps,
  work: Work,
  announced: Announced | undefined,
): HoldWish | undefined => {
  const now = clock.now();
  const startedAt = work.incident.drain?.startedAt ?? now;
  if (now - startedAt < graceMs + limits.drainStuckMs) return undefined;
  const by = lookBy(announced, now, policy.drainReserveMs);
  const names = work.facts.volumes.map(({ volumeId }) => volumeId).join(', ');
  const says =
    `${names}: still on the machine although its tasks were told to end. See what REX-Ray and the ` +
    'task are doing there; this goes on by itself when they let go.';
  return { reason: 'drain-stuck', says, ...(by === undefined ? {} : { by }) };
};

const keepLooking = async (deps: DrainAgentDeps, work: Work): Promise<DrainDecision> => {
  const { clock, ledger } = deps;
  let askedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if ((await allOff(deps, work)) && (await allOff(deps, work))) return complete(deps, work);
    if (clock.now() - askedAt >= witnessMs) {
      askedAt = clock.now();
      const { announced, isOver } = await lookAround(deps, work);
      if (isOver) return { kind: 'failover' };
      const isTaken = work.incident.drain?.acceptedAt !== undefined;
      if (!isTaken && !work.isAsked) await command(deps, work, announced);
      const stuck = whyStuck(deps, work, announced);
      if (stuck !== undefined) return hold(ledger, work.incident, stuck, clock.now());
    }
    if (clock.now() + lookMs - work.startedAt > invocationMs) {
      return { kind: 'waiting', waitSeconds: 1 };
    }
    await clock.sleep(lookMs);
  }
};

/**
 * Lets DC/OS move the tasks of a machine that works: asks once, then looks until none of the volumes
 * is on it any more by two agreeing reads. REX-Ray detaches by itself, and no volume is touched from
 * here. A machine that fails meanwhile, or whose time is up, is the failover's.
 */
export const createDrainAgent =
  (all: DrainAgentDeps) =>
  async (input: StepInput): Promise<DrainDecision> => {
    const { clock, events, ledger, scope } = all;
    const deps = { ...all, switches: { readAt: clock.now() } };
    const { incident, control } = await loadStep(ledger, input, scope.cluster);
    if (incident.drain?.completedAt !== undefined) return { kind: 'drained' };
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const { facts } = incident;
    if (facts === undefined) throw new RangeError('DrainAgent before AssessDrain');
    const [kept] = await Promise.all([
      keepWaiting(deps, incident, actor),
      events.publish('protected', incident, clock.now()),
    ]);
    return keepLooking(deps, { incident: kept, facts, startedAt: clock.now(), isAsked: false });
  };
